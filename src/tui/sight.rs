//! What one look at the sockets brought: for each row the text of its cells and what it is sorted by, and no more, so that a
//! hundred thousand of them take little room.

use std::cmp::Ordering;
use std::io;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::state::{Order, Wanted};
use crate::fields::value::SortKey;
use crate::model::gap::Gaps;
use crate::model::liveness::Verdict;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Summary, Tail};
use crate::model::socket::SocketId;

/// Ends each cell of a line. Control characters are escaped before, so no cell holds one.
const END: char = '\0';

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which socket it is
    pub id: SocketId,
    /// What is thought of it
    pub verdict: Option<Verdict>,
    cells: Box<str>,
    key: SortKey,
}

impl Line {
    /// Its cells, in the order of the columns.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        self.cells.split_terminator(END)
    }
}

/// All of it.
#[derive(Debug)]
pub struct Sight {
    /// Which request it answers
    pub wanted: Wanted,
    /// `uname -n`
    pub hostname: String,
    /// How many namespaces were looked at
    pub namespaces: usize,
    /// The rows, sorted
    pub lines: Vec<Line>,
    /// Width of the widest cell of each column
    pub naturals: Vec<usize>,
    /// Counts
    pub summary: Summary,
    /// What could not be seen
    pub gaps: Gaps,
    /// How long it took
    pub elapsed: Duration,
}

/// Receives the rows.
#[derive(Debug)]
pub struct Gathering {
    wanted: Wanted,
    hostname: String,
    namespaces: usize,
    lines: Vec<Line>,
    naturals: Vec<usize>,
    scratch: String,
}

impl Gathering {
    /// For these columns in this order.
    pub fn new(wanted: Wanted) -> Self {
        let naturals = wanted.columns.iter().map(|column| column.title.width()).collect();
        Self { wanted, hostname: String::new(), namespaces: 0, lines: Vec::new(), naturals, scratch: String::new() }
    }

    /// What has come, sorted; rows that compare alike stay in the kernel's order.
    pub fn sight(mut self, tail: Tail) -> Sight {
        let descending = matches!(self.wanted.order, Order::By { descending: true, .. });
        self.lines.sort_by(|one, other| -> Ordering { one.key.compare(&other.key, descending) });
        Sight {
            wanted: self.wanted,
            hostname: self.hostname,
            namespaces: self.namespaces,
            lines: self.lines,
            naturals: self.naturals,
            summary: tail.summary,
            gaps: tail.gaps,
            elapsed: tail.elapsed,
        }
    }
}

impl Sink for Gathering {
    fn head(&mut self, head: &Head) -> io::Result<()> {
        head.host.hostname.clone_into(&mut self.hostname);
        self.namespaces = head.namespaces.len();
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let verdict = row.judged.map(|judged| judged.liveness.verdict);
        self.scratch.clear();
        for (column, natural) in self.wanted.columns.iter().zip(&mut self.naturals) {
            let value = column.value(row);
            let cell = value.for_people(column.unit);
            *natural = (*natural).max(cell.width());
            self.scratch.push_str(&cell);
            self.scratch.push(END);
        }
        let key = match &self.wanted.order {
            Order::Alarm => SortKey::Number(alarm(verdict)),
            Order::By { column, .. } => column.value(row).sort_key(),
        };
        self.lines.push(Line { id: row.socket.id, verdict, cells: self.scratch.as_str().into(), key });
        Ok(())
    }
}

/// What somebody who looks should see first: the lowest.
fn alarm(verdict: Option<Verdict>) -> u64 {
    match verdict {
        Some(Verdict::Probing | Verdict::Retransmitting | Verdict::SilentWindow) => 0,
        Some(Verdict::Stalled | Verdict::PeerClosed | Verdict::HalfClosed) => 1,
        Some(Verdict::Unguarded) => 2,
        Some(Verdict::Unknown | Verdict::Connecting | Verdict::Handshaking | Verdict::Unaccepted) => 3,
        Some(Verdict::Active | Verdict::Guarded) | None => 4,
        Some(Verdict::Closing | Verdict::TimeWait | Verdict::Listening | Verdict::Bound) => 5,
    }
}
