//! Thin streams: with `TCP_THIN_LINEAR_TIMEOUTS`, or the sysctl of that name, the first timeouts of a connection with few
//! packets in flight do not double (`tcp_stream_is_thin`).

use super::Facts;
use crate::model::state::TcpState;
use crate::model::sysctl::Sysctl;
use crate::model::tcp_info::{Field, TcpInfo};

/// `TCP_THIN_LINEAR_RETRIES`: retransmissions of a thin stream that do not double the timeout.
pub(super) const LINEAR_RETRIES: u64 = 6;

/// Whether the next timeouts double.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thin {
    /// They double
    No,
    /// That depends on values that no field reports
    Perhaps,
    /// They do not, until there were six
    Yes,
}

/// Whether the connection is treated as a thin stream.
pub(super) fn of(facts: &Facts<'_>, info: &TcpInfo) -> Thin {
    const FEW: u64 = 4;
    let is_asked_for =
        facts.options.and_then(|options| options.thin_linear) == Some(true) || facts.sysctl(Sysctl::ThinLinear, 0) > 0;
    if !is_asked_for || facts.socket.state != TcpState::Established || info.get(Field::Unacked) >= Some(FEW) {
        return Thin::No;
    }
    let is_losing = info.get(Field::Retransmits).is_some_and(|retransmits| retransmits > 0);
    match (info.get(Field::SndSsthresh), is_losing) {
        // Data that was never sent may go out yet.
        (Some(_), false) if info.get(Field::Notsent) > Some(0) => Thin::Perhaps,
        (Some(_), _) => Thin::Yes,
        // The first loss ends the initial slow start of most congestion controls, but not of BBR.
        (None, false) => Thin::Perhaps,
        (None, true) => Thin::No,
    }
}
