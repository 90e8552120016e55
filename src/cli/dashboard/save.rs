//! What is shown, as a file.

use std::fs::OpenOptions;
use std::io::{self, Write};

use crate::export::csv;
use crate::export::json::Json;
use crate::fields::value::Value;
use crate::tui::table::{Age, Table};

/// Writes a table to a new file, and says what came of it.
pub(super) fn save(name: &str, table: &Table) -> String {
    // As a shell would have read it.
    let home = name.strip_prefix("~/").and_then(|rest| Some(std::env::home_dir()?.join(rest)));
    let name = &home.map_or_else(|| name.to_owned(), |path| path.display().to_string());
    let rows = (0..table.len()).filter(|&row| table.age(row) != Age::Gone);
    let mut out = Vec::new();
    let is_json = name.rsplit_once('.').is_some_and(|(_, ending)| ending == "json");
    let count = if is_json { as_json(table, rows, &mut out) } else { as_csv(table, rows, &mut out) };
    match write(name, &out) {
        Ok(()) => format!("wrote {count} rows to {name}"),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            format!("not written: {name} is there already; choose another name")
        }
        Err(error) => format!("not written: {name}: {error}"),
    }
}

/// What somebody else put there is left alone.
fn write(name: &str, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(name)?.write_all(bytes)
}

fn as_csv(table: &Table, rows: impl Iterator<Item = usize>, out: &mut Vec<u8>) -> usize {
    let keys = table.columns().iter().map(|column| Value::Word(column.key().into()));
    csv::line(out, keys);
    let mut count = 0;
    for row in rows {
        csv::line(out, table.cells(row).take(table.columns().len()));
        count += 1;
    }
    count
}

/// A list of objects with the keys of the CSV: numbers as numbers, null for what is not known; beside a
/// time that is a bound stands which.
fn as_json(table: &Table, rows: impl Iterator<Item = usize>, out: &mut Vec<u8>) -> usize {
    let keys: Vec<_> = table.columns().iter().map(crate::tui::heading::Heading::key).collect();
    let mut json = Json::new(out);
    json.array();
    let mut count = 0;
    for row in rows {
        json.object();
        for (key, value) in keys.iter().zip(table.cells(row)) {
            json.foreign_key(key);
            match value {
                Value::Absent => json.null(),
                Value::Number(number) => json.number(number),
                // As in `liveness` of schema 1: what the number is stands beside it.
                Value::Bounded { ms, bound } => {
                    json.optional(ms);
                    json.foreign_key(&format!("{}_bound", key.trim_end_matches("_ms")));
                    json.word(bound.name());
                }
                text => json.string(&text.plain()),
            }
        }
        json.end_object();
        count += 1;
    }
    json.end_array();
    out.push(b'\n');
    count
}
