//! The parts of a snapshot around its rows, and the trait of those who receive one.

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

/// What is known before the first row.
#[derive(Debug, Clone)]
pub struct Head {
    /// When it was begun
    pub taken_at: SystemTime,
    /// Where
    pub host: Host,
    /// The namespaces that were entered
    pub namespaces: Vec<Namespace>,
}

/// What is known after the last row.
#[derive(Debug, Clone)]
pub struct Tail {
    /// Counts
    pub summary: Summary,
    /// What could not be seen
    pub gaps: Gaps,
    /// From the first system call to the last row
    pub elapsed: Duration,
}

/// Counts of the rows that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    by_state: [u64; TcpState::ALL.len()],
    unknown_states: Vec<(u8, u64)>,
    by_verdict: [u64; Verdict::ALL.len()],
    undecoded: Undecoded,
}

/// What a newer kernel said that this version of the program does not understand. The rows are there all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Undecoded {
    /// Attributes of unknown number
    pub attributes: u64,
    /// Known attributes of unknown form
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

    /// Counts one judgement.
    pub fn judge(&mut self, verdict: Verdict) {
        self.by_verdict[verdict as usize] += 1;
    }

    /// Every verdict, zeros too, where rows were judged.
    pub fn by_verdict(&self) -> impl Iterator<Item = (Verdict, u64)> + '_ {
        Verdict::ALL.iter().copied().zip(self.by_verdict)
    }

    /// Every known state, zeros too, then the unknown ones that were met.
    pub fn by_state(&self) -> impl Iterator<Item = (TcpState, u64)> + '_ {
        let unknown = self.unknown_states.iter().map(|(number, count)| (TcpState::Unknown(*number), *count));
        TcpState::ALL.into_iter().zip(self.by_state).chain(unknown)
    }

    /// Rows in this state.
    pub fn of(&self, state: TcpState) -> u64 {
        self.by_state().find(|(known, _)| *known == state).map_or(0, |(_, count)| count)
    }

    /// What was not understood.
    pub fn undecoded(&self) -> Undecoded {
        self.undecoded
    }

    /// All rows.
    pub fn total(&self) -> u64 {
        self.by_state().map(|(_, count)| count).sum()
    }
}

/// Who receives a snapshot: head first, each row once, tail last. Whom only the rows concern says nothing of the others.
pub trait Sink {
    /// The snapshot begins.
    ///
    /// # Errors
    /// The output could not be written; the snapshot ends.
    fn head(&mut self, _head: &Head) -> io::Result<()> {
        Ok(())
    }

    /// A row.
    ///
    /// # Errors
    /// The output could not be written; the snapshot ends.
    fn row(&mut self, row: &Row<'_>) -> io::Result<()>;

    /// Everything was seen, or is named in the gaps.
    ///
    /// # Errors
    /// The output could not be written.
    fn tail(&mut self, _tail: &Tail) -> io::Result<()> {
        Ok(())
    }
}
