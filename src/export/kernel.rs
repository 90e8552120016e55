//! Output of `kernel`: sysctls, gauges and counters of each namespace, each with its meaning.

use std::io::{self, Write};

use super::csv;
use super::stat::StatFormat;
use super::table::{TableLayout, TextTable, styled};
use super::wire::{Document, Joined, Origin, WireEnd, WireHead, first_line, later_line, write_line};
use crate::fields::column::Width;
use crate::fields::kernel::{Entry, Section, sections};
use crate::fields::tone::Tone;
use crate::fields::value::Value;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Tail};

/// Sink that writes the kernel values of the head.
#[derive(Debug)]
pub(crate) struct Kernel<W> {
    output: W,
    format: StatFormat,
    layout: TableLayout,
    all: bool,
    head: Option<Head>,
}

impl<W: Write> Kernel<W> {
    /// If `all` is set, the table includes counters that are 0.
    pub(crate) fn new(output: W, format: StatFormat, layout: TableLayout, all: bool) -> Self {
        Self { output, format, layout, all, head: None }
    }

    fn table(&self, head: &Head, out: &mut Vec<u8>) {
        for (index, namespace) in head.namespaces.iter().enumerate() {
            if index > 0 {
                out.push(b'\n');
            }
            let title = format!("namespace {} ({})", crate::text::printable(&namespace.name), namespace.id.0);
            styled(out, self.layout.styles.title(), &[&title]);
            out.push(b'\n');
            let mut left_out = 0;
            for (section, entries) in sections(namespace) {
                out.push(b'\n');
                left_out += self.section(section, &entries, out);
            }
            if left_out > 0 {
                let note = format!("{left_out} counters that are 0 are left out; -a shows them");
                styled(out, self.layout.styles.muted(), &[&note]);
                out.push(b'\n');
            }
        }
    }

    /// Writes one section and returns how many of its entries it left out.
    fn section(&self, section: Section, entries: &[Entry<'_>], out: &mut Vec<u8>) -> usize {
        let mut titles =
            vec![(section.title.to_owned(), Width::Flexible(16), 100), ("VALUE".to_owned(), Width::Number, 99)];
        if section.has_defaults {
            titles.push(("DEFAULT".to_owned(), Width::Number, 40));
        }
        if section.has_scopes {
            titles.push(("SCOPE".to_owned(), Width::Text, 60));
        }
        titles.push(("MEANING".to_owned(), Width::Flexible(24), 80));
        let mut table = TextTable::new(titles, self.layout);
        let shown = entries.iter().filter(|entry| self.all || !entry.boring);
        let mut left_out = entries.len();
        for entry in shown {
            left_out -= 1;
            let value = entry.value.as_deref().map_or((Tone::Muted, crate::text::DASH), |value| (Tone::Plain, value));
            let mut cells = vec![(Tone::Plain, entry.name.as_str()), value];
            if section.has_defaults {
                cells.push((Tone::Plain, entry.default));
            }
            if section.has_scopes {
                cells.push((Tone::Plain, entry.scope.name()));
            }
            cells.push((Tone::Plain, entry.meaning));
            table.push(cells.into_iter());
        }
        table.write(out);
        left_out
    }

    fn csv(&self, head: &Head, out: &mut Vec<u8>) {
        if self.layout.header {
            csv::line(
                out,
                ["netns", "namespace", "kind", "name", "value", "scope", "meaning"].into_iter().map(Value::word),
            );
        }
        for namespace in &head.namespaces {
            for (section, entries) in sections(namespace) {
                for entry in &entries {
                    let number = entry.value.as_ref().and_then(|value| value.parse().ok()).map(Value::Number);
                    let cells = [
                        Value::Number(namespace.id.0),
                        Value::name(Some(&namespace.name)),
                        Value::word(section.kind),
                        Value::name(Some(&entry.name)),
                        number.unwrap_or_else(|| {
                            entry.value.clone().map_or(Value::Absent, |value| Value::Word(value.into()))
                        }),
                        Value::word(entry.scope.name()),
                        Value::name(Some(entry.meaning)),
                    ];
                    csv::line(out, cells.into_iter());
                }
            }
        }
    }
}

impl<W: Write> Sink for Kernel<W> {
    fn head(&mut self, head: &Head) -> io::Result<()> {
        self.head = Some(head.clone());
        Ok(())
    }

    fn row(&mut self, _: &Row<'_>) -> io::Result<()> {
        Ok(())
    }

    fn tail(&mut self, tail: &Tail) -> io::Result<()> {
        let Some(head) = &self.head else { return Ok(()) };
        let mut out = Vec::new();
        match self.format {
            StatFormat::Table => self.table(head, &mut out),
            StatFormat::Csv => self.csv(head, &mut out),
            StatFormat::Json => {
                let members = Joined { before: WireHead::of(head), after: WireEnd::of(tail) };
                write_line(&mut out, &Document { r#type: "kernel", members });
            }
            StatFormat::Ndjson => {
                write_line(&mut out, &first_line("kernel", head, WireHead::of(head)));
                write_line(&mut out, &later_line("summary", &Origin::of(head), WireEnd::of(tail)));
            }
        }
        self.output.write_all(&out)?;
        self.output.flush()
    }
}
