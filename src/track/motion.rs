//! Movement of one socket's counters since the previous snapshot. Pure arithmetic; the time is an argument.

use super::line::Age;
use crate::model::memory::SocketMemory;
use crate::model::socket::Socket;
use crate::model::state::TcpState;
use crate::model::tcp_info::Field;
use crate::model::time::Millis;

/// Counters of a socket: totals, and rates since the previous snapshot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Motion {
    /// Whether the socket came a moment ago
    pub age: Age,
    /// Bytes that the peer acknowledged since the connection began
    pub sent: Option<u64>,
    /// Bytes received in order since the connection began
    pub received: Option<u64>,
    /// Bytes that the peer acknowledged per second
    pub sent_per_s: Option<u64>,
    /// Bytes received in order per second
    pub received_per_s: Option<u64>,
    /// Connection attempts that a listener dropped per second
    pub drops_per_s: Option<u64>,
}

/// Counters of a socket.
pub(super) struct Totals {
    sent: Option<u64>,
    received: Option<u64>,
    drops: Option<u64>,
}

impl Totals {
    pub(super) fn of(socket: &Socket) -> Self {
        let info = socket.attributes.info.as_deref();
        let get = |field| info.and_then(|info| info.get(field));
        let is_listener = socket.state == TcpState::Listen;
        let drops = socket.attributes.memory.as_ref().filter(|_| is_listener).and_then(SocketMemory::drops);
        Self { sent: get(Field::BytesAcked), received: get(Field::BytesReceived), drops: drops.map(u64::from) }
    }

    /// The low 32 bits of sent (for a listener: dropped) and received, which suffice for differences; `None` if the
    /// snapshot did not read them: not every view needs them.
    pub(super) fn low(&self) -> Option<(u32, u32)> {
        let first = self.drops.or(self.sent)?;
        Some((first as u32, self.received.unwrap_or(0) as u32))
    }

    pub(super) fn motion(&self) -> Motion {
        Motion { sent: self.sent, received: self.received, ..Motion::default() }
    }
}

impl Motion {
    /// Sets the rates between the counters of two snapshots, if both read them.
    pub(super) fn moved(&mut self, state: TcpState, counters: [Option<(u32, u32)>; 2], elapsed: Millis) {
        let [Some(before), Some(now)] = counters else { return };
        let per_s = |before: u32, now: u32| Some(u64::from(now.wrapping_sub(before)) * 1_000 / elapsed.get().max(1));
        if state == TcpState::Listen {
            self.drops_per_s = per_s(before.0, now.0);
        } else if self.sent.is_some() {
            self.sent_per_s = per_s(before.0, now.0);
            self.received_per_s = per_s(before.1, now.1);
        }
    }
}
