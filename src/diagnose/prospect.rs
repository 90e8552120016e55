//! Prediction of the deadline after a change of keepalive.

use super::{Facts, Judge, keepalive};
use crate::model::change::KeepaliveChange;
use crate::model::liveness::Deadline;
use crate::model::options::SocketOptions;
use crate::model::routes::Doubt;
use crate::model::row::Row;
use crate::model::socket::Socket;
use crate::model::sysctl::Sysctls;
use crate::model::timer::{Timer, TimerKind};
use crate::model::unread::Unread;

/// A socket with everything that decides its deadline.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    socket: Socket,
    /// Options before the change; `None` if they could not be read
    pub options: Option<SocketOptions>,
    sysctls: Sysctls,
    doubt: Option<Doubt>,
    judge: Judge,
}

impl Subject {
    /// Copies from a row what the judgement needs.
    pub(crate) fn of(row: &Row<'_>, judge: Judge) -> Self {
        Self {
            socket: row.socket.clone(),
            options: row.options.copied(),
            sysctls: row.namespace.sysctls.clone(),
            doubt: row.judged.and_then(|judged| judged.doubt),
            judge,
        }
    }

    /// The deadline after `change` is applied; `None` if the socket's options are not known.
    pub(crate) fn after(&self, change: &KeepaliveChange) -> Option<Deadline> {
        let before = self.options?;
        let options = change.applied_to(before);
        let socket = Socket { timer: self.timer(change, &before, &options), ..self.socket.clone() };
        let keepalive = keepalive::of(&socket, Some(&options), Unread::Unneeded, &self.sysctls);
        let facts = Facts {
            socket: &socket,
            keepalive: &keepalive,
            options: Some(&options),
            sysctls: &self.sysctls,
            doubt: self.doubt,
            may_be_mptcp: socket.is_mptcp(),
        };
        Some(self.judge.liveness(&facts).deadline)
    }

    /// The timer as the kernel sets it (`tcp_set_keepalive`, `tcp_sock_set_keepidle_locked`). Turning keepalive on arms
    /// it for the whole idle time; a new idle time counts from when the peer was last heard. Any other pending timer
    /// stays.
    fn timer(&self, change: &KeepaliveChange, before: &SocketOptions, after: &SocketOptions) -> Timer {
        let timer = self.socket.timer;
        let is_free = matches!(timer.kind, TimerKind::Off | TimerKind::Keepalive | TimerKind::DelayedAck);
        let is_connected = self.socket.state.is_connection() && !self.socket.is_minisocket();
        if !is_free || !is_connected {
            return timer;
        }
        let idle_ms = after.keepalive.idle_s.saturating_mul(1_000);
        match (before.keepalive.enabled, after.keepalive.enabled) {
            (_, false) => Timer::OFF,
            (false, true) => Timer { kind: TimerKind::Keepalive, expires_ms: idle_ms, ..Timer::OFF },
            (true, true) if change.idle_s.is_some() => {
                let silent = u32::try_from(self.socket.idle().unwrap_or_default().get()).unwrap_or(u32::MAX);
                Timer { kind: TimerKind::Keepalive, expires_ms: idle_ms.saturating_sub(silent), ..timer }
            }
            (true, true) => timer,
        }
    }
}
