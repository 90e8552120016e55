//! The timer that the kernel reports for a socket. It reports one at a time: the most urgent (docs/kernel.md 2).

use super::time::Millis;

/// Kind of the pending timer (`idiag_timer`, or the `tr` column of /proc/net/tcp).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimerKind {
    /// 0: none is pending
    Off,
    /// 1: retransmission, reordering or tail-loss probe
    Retransmit,
    /// 2: keepalive
    Keepalive,
    /// 2 on an orphan in FIN-WAIT-2: the same kernel timer, but it waits for the peer's FIN and sends no probes
    FinWait2,
    /// 3: TIME-WAIT, or the FIN-WAIT-2 minisocket's
    TimeWait,
    /// 4: zero-window probe (persist)
    ZeroWindowProbe,
    /// 5: delayed ACK, reported since 2026
    DelayedAck,
    /// 1 on a request socket: the SYN-ACK's retransmission
    SynAck,
    /// A timer this program does not know, shown as `unknown-N`
    Unknown(u8),
    /// The source does not report timers
    NotTold,
}

impl TimerKind {
    /// Every kind with a name.
    pub const NAMED: [Self; 8] = [
        Self::Off,
        Self::Retransmit,
        Self::Keepalive,
        Self::FinWait2,
        Self::TimeWait,
        Self::ZeroWindowProbe,
        Self::DelayedAck,
        Self::SynAck,
    ];

    /// Converts the kernel's number. `decode` refines the kind by the socket's state and inode.
    pub fn from_kernel(number: u8) -> Self {
        match number {
            0 => Self::Off,
            1 => Self::Retransmit,
            2 => Self::Keepalive,
            3 => Self::TimeWait,
            4 => Self::ZeroWindowProbe,
            5 => Self::DelayedAck,
            other => Self::Unknown(other),
        }
    }

    /// Name of a known kind.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Off => "off",
            Self::Retransmit => "retransmit",
            Self::Keepalive => "keepalive",
            Self::FinWait2 => "fin-wait-2",
            Self::TimeWait => "time-wait",
            Self::ZeroWindowProbe => "zero-window-probe",
            Self::DelayedAck => "delayed-ack",
            Self::SynAck => "syn-ack",
            Self::Unknown(_) | Self::NotTold => return None,
        })
    }
}

impl std::fmt::Display for TimerKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.name(), self) {
            (Some(name), _) => out.pad(name),
            (None, Self::Unknown(number)) => write!(out, "unknown-{number}"),
            (None, _) => Ok(()),
        }
    }
}

/// The pending timer of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    /// Kind of the timer
    pub kind: TimerKind,
    /// Time until it fires, in milliseconds: sock_diag counts in jiffies (4 ms at HZ 250), /proc in 10 ms.
    pub expires_ms: u32,
    /// `idiag_retrans`: retransmissions of a retransmit or SYN-ACK timer, unanswered probes of keepalive and zero window
    pub count: u8,
}

impl Timer {
    /// No timer is pending.
    pub const OFF: Self = Self { kind: TimerKind::Off, expires_ms: 0, count: 0 };

    /// The source does not report timers.
    pub const NOT_TOLD: Self = Self { kind: TimerKind::NotTold, expires_ms: 0, count: 0 };

    /// Time until it fires; `None` without a timer.
    pub fn expires(self) -> Option<Millis> {
        (!matches!(self.kind, TimerKind::Off | TimerKind::NotTold)).then_some(self.left())
    }

    /// Time left of the timer; zero if none is reported.
    pub(crate) fn left(self) -> Millis {
        self.expires_ms.into()
    }

    /// Retransmissions or probes that it has counted; `None` without a timer.
    pub fn count(&self) -> Option<u8> {
        (!matches!(self.kind, TimerKind::Off | TimerKind::NotTold)).then_some(self.count)
    }
}
