//! Rules on every look of every case, and counts by class: what was false, how far times were off, how near bounds were.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::judge::{Fate, Ruling};
use super::run::{Look, Record};
use crate::support::netns::User;

/// Counts of one class.
#[derive(Default)]
pub(crate) struct Class {
    pub(crate) name: &'static str,
    cases: usize,
    /// Looks that were followed by a packet, an act or a change of a sysctl
    voided: usize,
    /// Looks that were not refuted in the time of the case, and not confirmed
    open: usize,
    judged: usize,
    /// Errors of exact times, in milliseconds
    errors: Vec<i64>,
    exact: usize,
    /// What part of the real time the bound is, and of a bound from above the real time
    at_least: Vec<f64>,
    at_most: Vec<f64>,
    /// Looks whose text was held against the errno
    endings: usize,
    /// Every false statement, with its case
    pub(crate) wrong: Vec<String>,
    /// Distorted predictions, and those of them that were noticed
    distorted: (usize, usize),
}

/// Counts by class, in the order of the cases.
pub(crate) fn classes(records: &[Record]) -> Vec<Class> {
    let mut all: Vec<Class> = Vec::new();
    for record in records {
        let name = record.case.class;
        let index = all.iter().position(|class| class.name == name).unwrap_or_else(|| {
            all.push(Class { name, ..Class::default() });
            all.len() - 1
        });
        all[index].add(record);
    }
    all
}

impl Class {
    fn add(&mut self, record: &Record) {
        self.cases += 1;
        let wrong: Vec<_> = self.judge(record).into_iter().chain(self.end(record)).collect();
        self.wrong.extend(wrong.into_iter().map(|text| format!("{}: {}: {text}", record.case.class, record.case.name)));
    }

    /// Rules on each look of the case.
    fn judge(&mut self, record: &Record) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut is_exact = false;
        for look in &record.looks {
            let who = if look.by == User::Root { "root" } else { "nobody" };
            wrong.extend(look.contradictions.iter().map(|text| format!("{who}: {text}")).collect::<BTreeSet<_>>());
            if look.said.read.earliest <= record.disturbed {
                self.voided += 1;
                continue;
            }
            is_exact |= look.by == User::Root && look.said.bound == "exact";
            if let Some(lie) = self.rule(look, record.fate) {
                wrong.push(format!("{who} {lie}"));
            }
        }
        if record.case.has_exact && !is_exact {
            wrong.push("root was never given an exact time".to_owned());
        }
        wrong.dedup();
        wrong
    }

    /// Rules on a look that nothing disturbed. The text of the lie, if it is one.
    fn rule(&mut self, look: &Look, fate: Fate) -> Option<String> {
        let ruling = look.said.against(fate);
        if ruling == Ruling::Open {
            self.open += 1;
            return None;
        }
        self.judged += 1;
        self.exact += usize::from(look.said.bound == "exact");
        if let (Fate::Ended(end), false) = (fate, matches!(ruling, Ruling::Lie(_))) {
            let distorted = look.said.distorted(end);
            let noticed = distorted.iter().filter(|said| matches!(said.against(fate), Ruling::Lie(_))).count();
            self.distorted = (self.distorted.0 + distorted.len(), self.distorted.1 + noticed);
        }
        match ruling {
            Ruling::Exact(off) => self.errors.push(off),
            Ruling::AtLeast(part) => self.at_least.push(part),
            Ruling::AtMost(part) => self.at_most.push(part),
            Ruling::True | Ruling::Open => {}
            Ruling::Lie(off) => return Some(lie(look, fate, off)),
        }
        None
    }

    /// Holds the end of the case and its errno against what was expected and said.
    fn end(&mut self, record: &Record) -> Vec<String> {
        if let Some(why) = &record.broken {
            return vec![format!("could not be carried out: {why}")];
        }
        let mut wrong = BTreeSet::new();
        if matches!(record.fate, Fate::Lived(_)) != record.case.lives {
            wrong.insert(format!(
                "{:?}, though it was to {}",
                record.fate,
                if record.case.lives { "live" } else { "end" }
            ));
        }
        if record.looks.is_empty() {
            wrong.insert("was never seen".to_owned());
        }
        let Some(errno) = record.got else { return wrong.into_iter().collect() };
        let name = format!("{errno:?}");
        for look in &record.looks {
            let Some(endings) = &look.endings else { continue };
            let is_valid = look.said.read.earliest > record.disturbed;
            let text = match record.was_answered {
                true => &endings.whole,
                false if is_valid => &endings.silent,
                false => continue,
            };
            self.endings += 1;
            let is_told = if record.case.is_plain() { first_errno(text) == Some(&name) } else { text.contains(&name) };
            if !is_told {
                let who = if look.by == User::Root { "root" } else { "nobody" };
                wrong.insert(format!("the program got {name}, {who} was told '{}'", without_times(text)));
            }
        }
        wrong.into_iter().collect()
    }
}

/// The errno that the text names first.
fn first_errno(text: &str) -> Option<&str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .find(|word| word.len() > 4 && word.starts_with('E') && word.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// The text, its numbers as `N`, so that equal texts of several looks are one.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '0'..='9' if out.ends_with('N') => {}
            '0'..='9' => out.push('N'),
            letter => out.push(letter),
        }
    }
    out
}

fn lie(look: &Look, fate: Fate, off: Option<i64>) -> String {
    let said = look.said.after.map_or_else(String::new, |after| format!(" {:.2} s", after.as_secs_f64()));
    let came = match fate {
        Fate::Ended(end) => format!("came after {:.2} s", look.said.came(end).as_secs_f64()),
        Fate::Lived(until) => {
            format!("lived on, for {:.2} s more", until.saturating_sub(look.said.read.latest).as_secs_f64())
        }
    };
    let off = off.map_or_else(String::new, |off| format!(", false by {off} ms"));
    let (bound, by, state) = (&look.said.bound, &look.mechanism, &look.state);
    format!("at {:.2} s said {bound}{said} by {by} in {state}, {came}{off}", look.said.read.earliest.as_secs_f64())
}

/// Every look of every case, for whoever runs a few cases only.
pub(crate) fn looks(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        let (name, fate, disturbed) = (&record.case.name, record.fate, record.disturbed.as_secs_f64());
        writeln!(text, "{}: {name}: {fate:?}, disturbed at {disturbed:.2} s, got {:?}", record.case.class, record.got)
            .unwrap();
        for look in &record.looks {
            let who = if look.by == User::Root { "root" } else { "nobody" };
            let said = look.said.after.map_or_else(|| "-".to_owned(), |after| format!("{:.2} s", after.as_secs_f64()));
            let at = look.said.read.earliest;
            let came = match fate {
                Fate::Ended(end) => format!("{:.2} s", look.said.came(end).as_secs_f64()),
                Fate::Lived(_) => "-".to_owned(),
            };
            let is_void = if at <= record.disturbed { " void" } else { "" };
            let (bound, by, state) = (&look.said.bound, &look.mechanism, &look.state);
            writeln!(
                text,
                "  {:>6.2} s {who:<6} {state:<12} {by:<15} {bound:<8} {said:>8}, came {came:>8}{is_void}",
                at.as_secs_f64()
            )
            .unwrap();
        }
    }
    text
}

/// The false statements, of each case at most a few.
pub(crate) fn wrong(classes: &[Class]) -> String {
    const MOST: usize = 4;
    let mut text = String::new();
    for class in classes {
        let mut count = (String::new(), 0);
        for wrong in &class.wrong {
            let case = wrong.split(": ").take(2).collect::<Vec<_>>().join(": ");
            count = if count.0 == case { (case, count.1 + 1) } else { (case, 1) };
            if count.1 <= MOST {
                writeln!(text, "{wrong}").unwrap();
            }
        }
    }
    text
}

/// The table of docs/truth.md: a line for each class.
pub(crate) fn table(classes: &[Class]) -> String {
    let mut text = String::from(
        "| class | cases | judged | voided | open | exact | error: median | 95 % | worst | ≥ / real | real / ≤ | errno | false |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let mut sum = Class { name: "all", ..Class::default() };
    for class in classes {
        class.line(&mut text);
        sum.join(class);
    }
    sum.line(&mut text);
    let (distorted, noticed) = sum.distorted;
    writeln!(text, "\nOf {distorted} predictions that were distorted on purpose, {noticed} were found to be false.")
        .unwrap();
    text
}

/// Whether each prediction that was distorted on purpose was found to be false, and there were some.
pub(crate) fn is_judge_awake(classes: &[Class]) -> bool {
    classes.iter().all(|class| class.distorted.0 == class.distorted.1)
        && classes.iter().any(|class| class.distorted.0 > 0)
}

impl Class {
    fn join(&mut self, other: &Self) {
        self.cases += other.cases;
        self.voided += other.voided;
        self.open += other.open;
        self.judged += other.judged;
        self.exact += other.exact;
        self.endings += other.endings;
        self.errors.extend(&other.errors);
        self.at_least.extend(&other.at_least);
        self.at_most.extend(&other.at_most);
        self.wrong.extend(other.wrong.iter().cloned());
        self.distorted = (self.distorted.0 + other.distorted.0, self.distorted.1 + other.distorted.1);
    }

    fn line(&self, text: &mut String) {
        let mut errors: Vec<_> = self.errors.iter().map(|error| error.abs()).collect();
        errors.sort_unstable();
        let error = |part: usize| match errors.len() {
            0 => "-".to_owned(),
            count => format!("{} ms", errors[((count - 1) * part).div_ceil(100)]),
        };
        let share = (self.exact * 100).checked_div(self.judged).unwrap_or(0);
        let Self { name, cases, judged, voided, open, endings, wrong, .. } = self;
        writeln!(
            text,
            "| {name} | {cases} | {judged} | {voided} | {open} | {share} % | {} | {} | {} | {} | {} | {endings} | {} |",
            error(50),
            error(95),
            error(100),
            median(&self.at_least),
            median(&self.at_most),
            wrong.len(),
        )
        .unwrap();
    }
}

fn median(parts: &[f64]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_by(f64::total_cmp);
    parts.get(parts.len() / 2).map_or_else(|| "-".to_owned(), |part| format!("{part:.2}"))
}
