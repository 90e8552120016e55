//! Everything known of a few sockets, for people: the reason, then how the connection can end, then every column that
//! has a value, in the groups of the field table.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::style::Styles;
use super::table::styled;
use crate::fields::sheet::{SheetLine, heading, sections};
use crate::fields::table::{ColumnGroup, groups};
use crate::fields::tone::Tone;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Tail};
use crate::text::{printable, reason};

/// Sink of `show`.
pub(crate) struct Show<W> {
    output: W,
    styles: Styles,
    groups: &'static [ColumnGroup],
    shown: u64,
}

impl<W: Write> Show<W> {
    /// A sink that writes to `output`.
    pub(crate) fn new(output: W, styles: Styles) -> Self {
        Self { output, styles, groups: groups(), shown: 0 }
    }

    fn title(&self, out: &mut Vec<u8>, text: &str) {
        styled(out, self.styles.title(), &[text]);
        out.push(b'\n');
    }

    fn lines(&self, out: &mut Vec<u8>, lines: &[SheetLine]) {
        let width = lines.iter().map(|line| line.name.width()).max().unwrap_or(0);
        for SheetLine { name, value, tone } in lines {
            out.extend_from_slice(b"  ");
            styled(out, self.styles.muted(), &[name]);
            out.extend(std::iter::repeat_n(b' ', width - name.width() + 2));
            styled(out, self.styles.cell(*tone), &[value]);
            out.push(b'\n');
        }
    }
}

impl<W: Write> Sink for Show<W> {
    fn head(&mut self, _: &Head) -> io::Result<()> {
        self.shown = 0;
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let mut out = Vec::new();
        if self.shown > 0 {
            out.push(b'\n');
        }
        self.shown += 1;
        self.title(&mut out, &heading(row));
        out.extend_from_slice(b"  ");
        out.extend_from_slice(printable(&reason::sentence(row)).as_bytes());
        out.push(b'\n');
        let endings = reason::endings(row);
        if !endings.is_empty() {
            self.title(&mut out, "How it ends");
            let line = |(name, value)| SheetLine { name, value, tone: Tone::Plain };
            self.lines(&mut out, &endings.into_iter().map(line).collect::<Vec<_>>());
        }
        for (title, lines) in sections(self.groups, row) {
            self.title(&mut out, title);
            self.lines(&mut out, &lines);
        }
        self.output.write_all(&out)
    }

    fn tail(&mut self, _: &Tail) -> io::Result<()> {
        self.output.flush()
    }
}
