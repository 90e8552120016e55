//! Export of the shown table to a file with mode 0600: complete, or not at all.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::iter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::export::csv;
use crate::export::wire::{self, Members};
use crate::fields::column::Heading;
use crate::fields::id::ColumnId;
use crate::fields::value::Value;
use crate::track::line::Age;
use crate::track::table::Table;

/// Writes a table to a new file; returns the result as a message.
pub(super) fn save(name: &str, table: &Table) -> String {
    // Expand `~/` as a shell would.
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

/// Creates the file; never replaces an existing one. The file gets its name once it is completely on disk, so that a
/// failed export blocks no name.
fn write(name: &Path, bytes: &[u8]) -> io::Result<()> {
    if name.file_name().is_none() || name.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    let directory = name.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (mut file, unfinished) = unfinished_in(directory)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| give_name(&unfinished, name));
    if written.is_err() {
        // The write error is reported; an error of this clean-up would add nothing.
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    // Sync the directory, so that the name is on disk too. Some file systems do not support that; the export is
    // complete all the same.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

/// Creates a temporary file with an unused name.
fn unfinished_in(directory: &Path) -> io::Result<(File, PathBuf)> {
    const MODE: u32 = 0o600;
    let mut number = 0_u32;
    loop {
        let path = directory.join(format!(".tcpulse-{}-{number}.unfinished", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).mode(MODE).open(&path) {
            // Left by a killed process with the same pid.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
            opened => return Ok((opened?, path)),
        }
    }
}

/// Renames without replacing; by a hard link if the file system has no such rename (NFS).
fn give_name(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            fs::hard_link(from, to)?;
            // The export exists; an error here only leaves a second name.
            let _ = fs::remove_file(from);
            Ok(())
        }
        renamed => Ok(renamed?),
    }
}

/// Writes CSV with the shown columns. As in the CSV of `ls`, a column beside the deadline gives the kind of bound.
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

/// Writes an array of objects with the keys of the CSV: numbers as numbers, null for unknown values; beside a bounded
/// time the kind of bound.
fn as_json(table: &Table, rows: impl Iterator<Item = usize>, out: &mut Vec<u8>) -> usize {
    let keys: Vec<_> = table.columns().iter().map(Heading::key).collect();
    let object = |row| -> Members<Cow<'_, str>, Value<'_>> {
        let mut members = Vec::with_capacity(keys.len() + 1);
        for (key, value) in keys.iter().zip(table.cells(row)) {
            let bound = match value {
                // As in `liveness` of schema 1: a key beside the number gives the kind of bound.
                Value::Bounded { bound, .. } => Some(Value::word(bound.name())),
                _ => None,
            };
            members.push((Cow::Borrowed(key.as_ref()), value));
            members.extend(bound.map(|bound| (Cow::Owned(format!("{}_bound", key.trim_end_matches("_ms"))), bound)));
        }
        Members(members)
    };
    let mut count = 0;
    out.push(b'[');
    for row in rows {
        if count > 0 {
            out.push(b',');
        }
        wire::write(out, &object(row));
        count += 1;
    }
    out.extend_from_slice(b"]\n");
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
        // An existing name is never replaced, not even a dangling symlink.
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
