//! Head and tail of a snapshot, and the trait of its receivers.

use std::io;
use std::time::{Duration, SystemTime};

use super::gap::Gaps;
use super::liveness::Verdict;
use super::namespace::Namespace;
use super::row::Row;
use super::socket::Socket;
use super::state::TcpState;
use super::timer::TimerKind;

/// The machine a snapshot was taken on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// `uname -n`
    pub hostname: String,
    /// `uname -r`
    pub kernel: String,
}

/// Data of a snapshot that precedes its rows.
#[derive(Debug, Clone)]
pub struct Head {
    /// Time at which the snapshot was begun
    pub taken_at: SystemTime,
    /// Host on which it was taken
    pub host: Host,
    /// Namespaces that were entered
    pub namespaces: Vec<Namespace>,
}

/// Data of a snapshot that follows its rows.
#[derive(Debug, Clone)]
pub struct Tail {
    /// Counts of the rows
    pub summary: Summary,
    /// Data that could not be read
    pub gaps: Gaps,
    /// Time from the first system call to the last row
    pub elapsed: Duration,
}

/// Counts of the listed rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    by_state: [u64; TcpState::ALL.len()],
    unknown_states: Vec<(u8, u64)>,
    by_verdict: [u64; Verdict::ALL.len()],
    undecoded: Undecoded,
}

/// Counts of data from a newer kernel that this version of the program cannot decode. The rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Undecoded {
    /// Attributes with an unknown number
    pub attributes: u64,
    /// Known attributes with an unknown form
    pub malformed_attributes: u64,
    /// Sockets in unknown states
    pub states: u64,
    /// Sockets with unknown timers
    pub timers: u64,
}

impl Summary {
    /// Counts one socket.
    pub fn count(&mut self, socket: &Socket) {
        let odd = socket.attributes.odd;
        self.undecoded.attributes += u64::from(odd.unknown);
        self.undecoded.malformed_attributes += u64::from(odd.malformed);
        self.undecoded.states += u64::from(matches!(socket.state, TcpState::Unknown(_)));
        self.undecoded.timers += u64::from(matches!(socket.timer.kind, TimerKind::Unknown(_)));
        let state = socket.state;
        match (TcpState::ALL.iter().position(|known| *known == state), state) {
            (Some(index), _) => self.by_state[index] += 1,
            (None, state) => match self.unknown_states.iter_mut().find(|(number, _)| *number == state.number()) {
                Some((_, count)) => *count += 1,
                None => self.unknown_states.push((state.number(), 1)),
            },
        }
    }

    /// Counts one verdict.
    pub fn judge(&mut self, verdict: Verdict) {
        self.by_verdict[verdict as usize] += 1;
    }

    /// Count of every verdict, zeros included, if rows were judged.
    pub fn by_verdict(&self) -> impl Iterator<Item = (Verdict, u64)> + '_ {
        Verdict::ALL.iter().copied().zip(self.by_verdict)
    }

    /// Count of every known state, zeros included, then of the unknown states that occurred.
    pub fn by_state(&self) -> impl Iterator<Item = (TcpState, u64)> + '_ {
        let unknown = self.unknown_states.iter().map(|(number, count)| (TcpState::Unknown(*number), *count));
        TcpState::ALL.into_iter().zip(self.by_state).chain(unknown)
    }

    /// Number of rows in this state.
    pub fn of(&self, state: TcpState) -> u64 {
        self.by_state().find(|(known, _)| *known == state).map_or(0, |(_, count)| count)
    }

    /// Counts of data that could not be decoded.
    pub fn undecoded(&self) -> Undecoded {
        self.undecoded
    }

    /// Number of all rows.
    pub fn total(&self) -> u64 {
        self.by_state().map(|(_, count)| count).sum()
    }
}

/// Receiver of a snapshot: head first, each row once, tail last. A receiver of rows alone needs only [`Sink::row`].
pub trait Sink {
    /// Receives the head of a new snapshot.
    ///
    /// # Errors
    /// The output could not be written; the snapshot is aborted.
    fn head(&mut self, _head: &Head) -> io::Result<()> {
        Ok(())
    }

    /// Receives a row.
    ///
    /// # Errors
    /// The output could not be written; the snapshot is aborted.
    fn row(&mut self, row: &Row<'_>) -> io::Result<()>;

    /// Receives the tail. All data has been read, or is named in its gaps.
    ///
    /// # Errors
    /// The output could not be written.
    fn tail(&mut self, _tail: &Tail) -> io::Result<()> {
        Ok(())
    }
}
