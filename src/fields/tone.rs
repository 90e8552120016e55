//! How much a cell asks for attention, by what it is: a process may be called `active`, and is not a verdict.

use super::id::ColumnId;
use super::value::Value;
use crate::model::liveness::{Bound, Verdict};
use crate::model::state::TcpState;

/// The tone of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    /// A value like any other
    #[default]
    Plain,
    /// The peer does not answer
    Alarm,
    /// Somebody should look at it
    Warning,
    /// The program has to close it
    Waiting,
    /// A state that passes by itself, or fails
    Passing,
    /// The peer is there
    Well,
    /// A listener, or a socket that is only bound
    Listening,
    /// No value, or a state that asks for nothing
    Muted,
}

impl Tone {
    /// Every one; its place is its number.
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

    /// The tone of a value of a column.
    pub(crate) fn of(id: ColumnId, value: &Value<'_>) -> Self {
        match (id, value) {
            (_, Value::Absent | Value::Bounded { bound: Bound::NotApplicable, .. }) => Self::Muted,
            (ColumnId::State, value) => value.text().and_then(TcpState::called).map_or(Self::Plain, Self::of_state),
            (ColumnId::Verdict, value) => value.text().and_then(Verdict::called).map_or(Self::Plain, Self::of_verdict),
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

    fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Probing | Verdict::Retransmitting | Verdict::SilentWindow => Self::Alarm,
            Verdict::Unguarded | Verdict::PeerClosed | Verdict::HalfClosed | Verdict::Stalled => Self::Warning,
            Verdict::Active => Self::Well,
            Verdict::TimeWait => Self::Muted,
            Verdict::Guarded
            | Verdict::Unknown
            | Verdict::Connecting
            | Verdict::Handshaking
            | Verdict::Unaccepted
            | Verdict::Closing
            | Verdict::Listening
            | Verdict::Bound => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tone;
    use crate::fields::id::ColumnId;
    use crate::fields::value::Value;

    #[test]
    fn a_process_with_the_name_of_a_verdict_has_no_tone() {
        let active = Value::name(Some("active"));
        assert_eq!(
            (Tone::of(ColumnId::Comm, &active), Tone::of(ColumnId::Verdict, &active)),
            (Tone::Plain, Tone::Well)
        );
        assert_eq!(Tone::of(ColumnId::State, &Value::word("close-wait")), Tone::Waiting);
        assert_eq!(Tone::of(ColumnId::Idle, &Value::Absent), Tone::Muted);
    }
}
