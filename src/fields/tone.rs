//! How much attention a cell calls for. Styles of the table and of the dashboard are made from it.

use super::value::Value;
use crate::model::liveness::{Bound, Verdict};
use crate::model::state::TcpState;

/// The tone of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) enum Tone {
    /// A value like any other
    #[default]
    Plain,
    /// The peer does not answer
    Alarm,
    /// It should not stay as it is
    Warning,
    /// The program should close it
    Waiting,
    /// A state that ends by itself
    Passing,
    /// The peer is there
    Well,
    /// A listener, or a socket that is only bound
    Listening,
    /// No value, or a state that asks for nothing
    Muted,
}

impl Tone {
    /// Every tone, in the order of the enum.
    pub(crate) const ALL: [Self; 8] = [
        Self::Plain,
        Self::Alarm,
        Self::Warning,
        Self::Waiting,
        Self::Passing,
        Self::Well,
        Self::Listening,
        Self::Muted,
    ];

    /// Tone of a cell with this value.
    pub(crate) fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Absent | Value::Bounded { bound: Bound::NotApplicable, .. } => Self::Muted,
            Value::State(state) => Self::of_state(*state),
            Value::Verdict(verdict) => Self::of_verdict(*verdict),
            _ => Self::Plain,
        }
    }

    fn of_state(state: TcpState) -> Self {
        match state {
            TcpState::CloseWait => Self::Waiting,
            TcpState::SynSent | TcpState::SynRecv | TcpState::FinWait1 | TcpState::LastAck | TcpState::Closing => {
                Self::Passing
            }
            TcpState::Listen | TcpState::BoundInactive => Self::Listening,
            TcpState::TimeWait | TcpState::FinWait2 => Self::Muted,
            TcpState::Established | TcpState::Close | TcpState::Unknown(_) => Self::Plain,
        }
    }

    /// Tone of a socket with this verdict.
    pub(crate) fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Probing | Verdict::Retransmitting | Verdict::SilentWindow => Self::Alarm,
            Verdict::Unguarded | Verdict::PeerClosed | Verdict::HalfClosed | Verdict::Stalled => Self::Warning,
            Verdict::Active => Self::Well,
            Verdict::TimeWait | Verdict::Closing | Verdict::Listening | Verdict::Bound => Self::Muted,
            Verdict::Guarded | Verdict::Unknown | Verdict::Connecting | Verdict::Handshaking | Verdict::Unaccepted => {
                Self::Plain
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tone;
    use crate::fields::value::Value;
    use crate::model::liveness::Verdict;
    use crate::model::state::TcpState;

    #[test]
    fn a_process_with_the_name_of_a_verdict_has_no_tone() {
        let (name, verdict) = (Value::name(Some("active")), Value::Verdict(Verdict::Active));
        assert_eq!((Tone::of(&name), Tone::of(&verdict)), (Tone::Plain, Tone::Well));
        assert_eq!(Tone::of(&Value::State(TcpState::CloseWait)), Tone::Waiting);
        assert_eq!(Tone::of(&Value::Absent), Tone::Muted);
    }
}
