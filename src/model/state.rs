//! TCP states, with the names of ss and of the kernel (`include/net/tcp_states.h`).

use std::borrow::Cow;

/// State of a socket as the kernel reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TcpState {
    /// `TCP_ESTABLISHED`, 1
    Established,
    /// `TCP_SYN_SENT`, 2
    SynSent,
    /// `TCP_SYN_RECV`, 3: a request socket, or a Fast Open child
    SynRecv,
    /// `TCP_FIN_WAIT1`, 4
    FinWait1,
    /// `TCP_FIN_WAIT2`, 5
    FinWait2,
    /// `TCP_TIME_WAIT`, 6
    TimeWait,
    /// `TCP_CLOSE`, 7
    Close,
    /// `TCP_CLOSE_WAIT`, 8
    CloseWait,
    /// `TCP_LAST_ACK`, 9
    LastAck,
    /// `TCP_LISTEN`, 10
    Listen,
    /// `TCP_CLOSING`, 11
    Closing,
    /// `TCP_BOUND_INACTIVE`, 13: bound to a port, neither listening nor connected. It can be requested since Linux 6.8
    /// and is reported as `TCP_CLOSE`. A dump contains no other closed sockets, so a closed one is in this state.
    BoundInactive,
    /// A state this program does not know, shown as `unknown-N`.
    Unknown(u8),
}

impl TcpState {
    /// A state that no kernel has yet. A set that excludes some states contains it.
    pub const UNHEARD_OF: Self = Self::Unknown(31);

    /// Every named state, in the order of reports.
    pub const ALL: [Self; 12] = [
        Self::Established,
        Self::SynSent,
        Self::SynRecv,
        Self::FinWait1,
        Self::FinWait2,
        Self::TimeWait,
        Self::Close,
        Self::CloseWait,
        Self::LastAck,
        Self::Listen,
        Self::Closing,
        Self::BoundInactive,
    ];

    /// Converts `idiag_state` or the `st` column of /proc/net/tcp.
    pub fn from_kernel(number: u8) -> Self {
        match number {
            1 => Self::Established,
            2 => Self::SynSent,
            // 12 is TCP_NEW_SYN_RECV, which inet_diag and /proc report as 3.
            3 | 12 => Self::SynRecv,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            7 => Self::Close,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            13 => Self::BoundInactive,
            other => Self::Unknown(other),
        }
    }

    /// The kernel's number, which is also the bit in `idiag_states`.
    pub fn number(self) -> u8 {
        match self {
            Self::Established => 1,
            Self::SynSent => 2,
            Self::SynRecv => 3,
            Self::FinWait1 => 4,
            Self::FinWait2 => 5,
            Self::TimeWait => 6,
            Self::Close => 7,
            Self::CloseWait => 8,
            Self::LastAck => 9,
            Self::Listen => 10,
            Self::Closing => 11,
            Self::BoundInactive => 13,
            Self::Unknown(number) => number,
        }
    }

    /// The name of a known state, in ss's filter spelling.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Established => "established",
            Self::SynSent => "syn-sent",
            Self::SynRecv => "syn-recv",
            Self::FinWait1 => "fin-wait-1",
            Self::FinWait2 => "fin-wait-2",
            Self::TimeWait => "time-wait",
            Self::Close => "close",
            Self::CloseWait => "close-wait",
            Self::LastAck => "last-ack",
            Self::Listen => "listen",
            Self::Closing => "closing",
            Self::BoundInactive => "bound-inactive",
            Self::Unknown(_) => return None,
        })
    }

    /// Whether the socket is a connection, or is opening or closing one. A listener and a bound socket are not.
    pub fn is_connection(self) -> bool {
        !matches!(self, Self::Listen | Self::Close | Self::BoundInactive)
    }

    /// The name, or `unknown-N`.
    pub(crate) fn word(self) -> Cow<'static, str> {
        self.name().map_or_else(|| Cow::Owned(format!("unknown-{}", self.number())), Cow::Borrowed)
    }
}

impl std::fmt::Display for TcpState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(&self.word())
    }
}

/// A set of states in the form of `idiag_states`: one bit for each state's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateSet(u32);

impl StateSet {
    /// Every state, including those of future kernels.
    pub const ALL: Self = Self(u32::MAX);
    /// The empty set. A dump of it ends at once.
    pub const NONE: Self = Self(0);

    /// The states for which `keep` returns true; `unknown` decides for states that this program does not know.
    pub fn matching(unknown: bool, keep: impl Fn(TcpState) -> bool) -> Self {
        let mut bits = if unknown { u32::MAX } else { 0 };
        for state in TcpState::ALL {
            let bit = 1 << state.number();
            bits = if keep(state) { bits | bit } else { bits & !bit };
        }
        Self(bits)
    }

    /// Connections only.
    pub fn connections() -> Self {
        Self::matching(true, TcpState::is_connection)
    }

    /// Listeners only.
    pub fn listeners() -> Self {
        Self::matching(false, |state| state == TcpState::Listen)
    }

    /// States in which the kernel keeps, or may keep, a minisocket.
    pub fn minisockets() -> Self {
        Self::NONE.with(TcpState::TimeWait).with(TcpState::SynRecv)
    }

    /// This set with one more state.
    #[must_use]
    pub fn with(self, state: TcpState) -> Self {
        Self(self.0 | 1 << state.number())
    }

    /// The states in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The states in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The states of this set that are not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// All states that are not in this set.
    #[must_use]
    pub fn complement(self) -> Self {
        Self(!self.0)
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the state is in the set.
    pub fn contains(self, state: TcpState) -> bool {
        u32::from(state.number()) < 32 && self.0 & (1 << state.number()) != 0
    }

    /// Bits of `idiag_states`. Request sockets need `TCP_NEW_SYN_RECV` (12) as well as `TCP_SYN_RECV` (3).
    pub fn kernel_bits(self) -> u32 {
        if self.contains(TcpState::SynRecv) { self.0 | 1 << 12 } else { self.0 & !(1 << 12) }
    }
}

#[cfg(test)]
mod tests {
    use super::{StateSet, TcpState};

    #[test]
    fn every_number_survives_the_round_trip() {
        for number in (0..=u8::MAX).filter(|&number| number != 12) {
            assert_eq!(TcpState::from_kernel(number).number(), number);
        }
    }

    #[test]
    fn unknown_states_keep_their_number_in_the_name() {
        assert_eq!(TcpState::from_kernel(14).to_string(), "unknown-14");
    }

    #[test]
    fn connections_leave_out_listeners_and_bound_sockets_but_not_the_unknown() {
        let set = StateSet::connections();
        assert!(set.contains(TcpState::TimeWait) && set.contains(TcpState::Unknown(14)));
        assert!(!set.contains(TcpState::Listen) && !set.contains(TcpState::BoundInactive));
        assert_eq!(StateSet::listeners().kernel_bits(), 1 << 10);
    }
}
