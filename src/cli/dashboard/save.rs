//! What is shown, as a file that only its owner can read: the whole of it, or none.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::iter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::export::csv;
use crate::export::json::Json;
use crate::fields::column::Heading;
use crate::fields::id::ColumnId;
use crate::fields::value::Value;
use crate::track::line::Age;
use crate::track::table::Table;

/// Writes a table to a new file, and says what came of it.
pub(super) fn save(name: &str, table: &Table) -> String {
    // As a shell would have read it.
    let home = name.strip_prefix("~/").and_then(|rest| Some(std::env::home_dir()?.join(rest)));
    let name = &home.map_or_else(|| name.to_owned(), |path| path.display().to_string());
    let rows = (0..table.len()).filter(|&row| table.age(row) != Age::Gone);
    let mut out = Vec::new();
    let is_json = name.rsplit_once('.').is_some_and(|(_, ending)| ending == "json");
    let count = if is_json { as_json(table, rows, &mut out) } else { as_csv(table, rows, &mut out) };
    match write(Path::new(name), &out) {
        Ok(()) => format!("wrote {count} rows to {name}"),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            format!("not written: {name} is there already; choose another name")
        }
        Err(error) => format!("not written: {name}: {error}"),
    }
}

/// What somebody else put there is left alone. The file gets its name when all of it is on the disk, so that one that could
/// not be written is in nobody's way.
fn write(name: &Path, bytes: &[u8]) -> io::Result<()> {
    if name.file_name().is_none() || name.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    let directory = name.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (mut file, unfinished) = unfinished_in(directory)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| give_name(&unfinished, name));
    if written.is_err() {
        // The failure is reported; that it left something behind would say no more.
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    // The name is on the disk once the directory is. Some file systems cannot say; the export is whole all the same.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

/// A new file of a name that nobody has.
fn unfinished_in(directory: &Path) -> io::Result<(File, PathBuf)> {
    const MODE: u32 = 0o600;
    let mut number = 0_u32;
    loop {
        let path = directory.join(format!(".tcpulse-{}-{number}.unfinished", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).mode(MODE).open(&path) {
            // Left by a process of the same id that was killed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
            opened => return Ok((opened?, path)),
        }
    }
}

/// Renames without replacing, by a second link where the file system has no such rename (NFS).
fn give_name(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            fs::hard_link(from, to)?;
            // The export is there; a second name of it is only in the way.
            let _ = fs::remove_file(from);
            Ok(())
        }
        renamed => Ok(renamed?),
    }
}

/// With the columns that are shown, and beside the deadline what it is, as in CSV of `ls`.
fn as_csv(table: &Table, rows: impl Iterator<Item = usize>, out: &mut Vec<u8>) -> usize {
    let columns = table.columns();
    let has_bound = columns.iter().any(|column| column.id == ColumnId::Bound);
    let is_deadline = |column: &Heading| !has_bound && column.id == ColumnId::DeadIn;
    let bound = |column: &Heading| is_deadline(column).then(|| Value::word("bound"));
    csv::line(out, columns.iter().flat_map(|column| iter::once(Value::Word(column.key().into())).chain(bound(column))));
    let mut count = 0;
    for row in rows {
        let cells = columns.iter().zip(table.cells(row)).flat_map(|(column, value)| {
            let bound = is_deadline(column).then(|| match value {
                Value::Bounded { bound, .. } => Value::word(bound.name()),
                _ => Value::Absent,
            });
            iter::once(csv::suited(column, value)).chain(bound)
        });
        csv::line(out, cells);
        count += 1;
    }
    count
}

/// A list of objects with the keys of the CSV: numbers as numbers, null for what is not known; beside a
/// time that is a bound stands which.
fn as_json(table: &Table, rows: impl Iterator<Item = usize>, out: &mut Vec<u8>) -> usize {
    let keys: Vec<_> = table.columns().iter().map(Heading::key).collect();
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

#[cfg(test)]
mod tests {
    use super::write;
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_file_is_whole_and_its_owners_or_there_is_none() {
        let directory = std::env::temp_dir().join(format!("tcpulse-save-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let names = || fs::read_dir(&directory).unwrap().count();
        let path = directory.join("rows.csv");
        write(&path, b"one").unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"one".to_vec(), 1));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        // What is there is left alone, also where it leads nowhere.
        symlink("/nowhere", directory.join("link")).unwrap();
        for taken in [path.clone(), directory.join("link")] {
            assert_eq!(write(&taken, b"two").unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        assert_eq!((fs::read(&path).unwrap(), names()), (b"one".to_vec(), 2));
        for (wrong, kind) in [
            (directory.clone(), ErrorKind::IsADirectory),
            ("/".into(), ErrorKind::IsADirectory),
            (directory.join("none/rows.csv"), ErrorKind::NotFound),
            (directory.join("x".repeat(256)), ErrorKind::InvalidFilename),
        ] {
            assert_eq!(write(&wrong, b"").unwrap_err().kind(), kind, "{}", wrong.display());
        }
        assert_eq!(names(), 2);
        fs::remove_dir_all(&directory).unwrap();
    }
}
