//! Runs ss and parses its output.

use std::collections::BTreeMap;

use super::netns::{Netns, User};

/// A row of `ss -tanoemiOH --tos --cgroup --inet-sockopt`.
#[derive(Debug, Clone)]
pub struct Row {
    pub state: String,
    pub recv_q: u64,
    pub send_q: u64,
    pub local: String,
    pub peer: String,
    /// Words after the addresses of the form `key:value`
    pub values: BTreeMap<String, String>,
    /// Words after the addresses without a colon
    pub words: Vec<String>,
}

/// Rows of ss by cookie.
pub fn rows(netns: &Netns, user: User) -> BTreeMap<String, Row> {
    let arguments = ["-tanoemiOHB", "--tos", "--cgroup", "--inet-sockopt"];
    let mut output = netns.command("ss", user).args(arguments).output().unwrap();
    if !output.status.success() {
        // -B (bound-inactive) came with iproute2 6.8.
        output = netns.command("ss", user).args(["-tanoemiOH"]).args(&arguments[1..]).output().unwrap();
    }
    assert!(output.status.success(), "ss: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(row).map(|row| (row.values["sk"].clone(), row)).collect()
}

fn row(line: &str) -> Row {
    // The only value with spaces in it: `inet-sockopt: ( is_icsk mc_loop)`.
    let (line, options) = match line.split_once("inet-sockopt: (") {
        Some((before, rest)) => {
            let (options, after) = rest.split_once(')').unwrap();
            (format!("{before}{after}"), Some(options.trim().replace(' ', ",")))
        }
        None => (line.to_owned(), None),
    };
    let mut words = line.split_whitespace();
    let mut next = || words.next().unwrap_or_else(|| panic!("short row: {line}")).to_owned();
    let (state, recv_q, send_q) = (next(), next().parse().unwrap(), next().parse().unwrap());
    let (local, peer) = (next(), next());
    let (mut values, mut bare) = (BTreeMap::new(), Vec::new());
    values.extend(options.map(|options| ("inet-sockopt".to_owned(), options)));
    for word in words {
        match word.split_once(':') {
            Some((key, value)) => {
                values.insert(key.to_owned(), value.to_owned());
            }
            None => bare.push(word.to_owned()),
        }
    }
    Row { state, recv_q, send_q, local, peer, values, words: bare }
}

impl Row {
    /// Name, minimum and maximum time in milliseconds, and count of the timer.
    pub fn timer(&self) -> Option<(String, u64, u64, u64)> {
        let inner = self.values.get("timer")?.trim_matches(['(', ')']);
        let parts: Vec<_> = inner.split(',').collect();
        let (least, most) = duration(parts[1]);
        Some((parts[0].to_owned(), least, most, parts[2].parse().unwrap()))
    }

    /// The numbers of `skmem:(r0,rb131072,…)`.
    pub fn skmem(&self) -> Option<BTreeMap<String, u64>> {
        let inner = self.values.get("skmem")?.trim_matches(['(', ')']);
        let split = |part: &str| {
            let at = part.find(|c: char| c.is_ascii_digit()).unwrap();
            (part[..at].to_owned(), part[at..].parse().unwrap())
        };
        Some(inner.split(',').map(split).collect())
    }
}

/// Range of milliseconds that ss's text stands for: ss truncates the time, and before 6.11 it prints 9.328 s as
/// `9.328ms` in some versions.
fn duration(text: &str) -> (u64, u64) {
    let (mut least, mut grain, mut rest) = (0, 1, text);
    if let Some((minutes, after)) = rest.split_once("min") {
        let minutes: u64 = minutes.parse().unwrap();
        least += minutes * 60_000;
        grain = if minutes > 9 { 60_000 } else { 1000 };
        rest = after;
    }
    if let Some(seconds) = rest.strip_suffix("sec") {
        let (whole, tenths) = seconds.split_once('.').unwrap_or((seconds, ""));
        least += whole.parse::<u64>().unwrap() * 1000 + tenths.parse::<u64>().unwrap_or(0);
        grain = if tenths.is_empty() { 1000 } else { 1 };
    } else if let Some(fraction) = rest.strip_suffix("ms") {
        let (whole, thousandths) = fraction.split_once('.').unwrap_or(("0", fraction));
        least += whole.parse::<u64>().unwrap() * 1000 + thousandths.parse::<u64>().unwrap();
    }
    (least, least + grain)
}
