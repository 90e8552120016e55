//! Everything known of one socket, for the detail.

use std::io;

use super::timeline::Timeline;
use crate::diagnose::Judge;
use crate::diagnose::prospect::Subject;
use crate::fields::sheet::{SheetSection, heading, sections};
use crate::fields::table::groups;
use crate::model::row::Row;
use crate::model::snapshot::Sink;
use crate::model::socket::SocketId;
use crate::model::tcp_info::Field;
use crate::model::time::Millis;
use crate::text::reason;

/// One socket as the detail shows it.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    /// Identity of the socket
    pub id: SocketId,
    /// Verdict, state and both ends
    pub heading: String,
    /// The verdict as a sentence
    pub sentence: String,
    /// Ways in which the connection can end
    pub endings: Vec<(&'static str, String)>,
    /// Events until the kernel gives up
    pub timeline: Timeline,
    /// All columns that have a value, in groups
    pub sections: Vec<SheetSection>,
    /// Everything that decides the deadline
    pub subject: Subject,
    /// Counters for the histories
    pub sample: Sample,
}

/// Counters of a socket at one time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    /// Time since the dashboard was opened
    pub at: Millis,
    /// Smoothed round-trip time
    pub rtt_us: Option<u64>,
    /// Bytes that the peer acknowledged
    pub sent: Option<u64>,
    /// Bytes received in order
    pub received: Option<u64>,
}

/// Receives the one row and makes a sheet of it.
#[derive(Debug)]
pub(crate) struct SheetSink {
    judge: Judge,
    at: Millis,
    /// The sheet, if the socket was found
    pub sheet: Option<Sheet>,
}

impl SheetSink {
    /// An empty sink for a snapshot taken at `at`.
    pub(crate) fn new(judge: Judge, at: Millis) -> Self {
        Self { judge, at, sheet: None }
    }
}

impl Sink for SheetSink {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let get = |field| row.socket.attributes.info.as_ref().and_then(|info| info.get(field));
        self.sheet = Some(Sheet {
            id: row.socket.id,
            heading: heading(row),
            sentence: reason::sentence(row),
            endings: reason::endings(row),
            timeline: Timeline::of(row),
            sections: sections(groups(), row),
            subject: Subject::of(row, self.judge),
            sample: Sample {
                at: self.at,
                rtt_us: get(Field::Rtt),
                sent: get(Field::BytesAcked),
                received: get(Field::BytesReceived),
            },
        });
        Ok(())
    }
}
