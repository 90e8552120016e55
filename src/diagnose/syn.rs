//! Connections that are being established: a SYN is unanswered (`tcp_retransmit_timer`, `tcp_write_timeout`), or a
//! SYN-ACK (`reqsk_timer_handler`).

use super::Facts;
use super::retransmission::{model_timeout_ms, rto_max_ms};
use super::wheel::{Span, Wheel};
use crate::model::keepalive::KeepaliveSource;
use crate::model::liveness::{Deadline, Mechanism};
use crate::model::routes::Doubt;
use crate::model::sysctl::Sysctl;
use crate::model::tcp_info::{Field, TcpInfo};
use crate::model::timer::TimerKind;

/// `TCP_TIMEOUT_INIT`: the first timeout of a SYN and of a SYN-ACK.
const FIRST_MS: u64 = 1_000;
const MOST_DOUBLINGS: u64 = 20;

/// Limits of the retransmissions of a SYN.
struct Limits {
    /// Retransmissions at intervals of 1 s, before the interval doubles
    linear: u64,
    /// Total number of retransmissions
    retransmits: u64,
    /// Maximum time since the first SYN
    time_ms: u64,
    /// Whether that time is `TCP_USER_TIMEOUT`, which also cuts the intervals
    is_user_timeout: bool,
    rto_max_ms: u64,
}

impl Limits {
    fn of(facts: &Facts<'_>, user_timeout_ms: u64) -> Self {
        let linear = facts.tries(Sysctl::SynLinearTimeouts, 0);
        let own = facts.options.and_then(|options| options.syncnt).filter(|&count| count > 0);
        let retries = own.map_or_else(|| facts.tries(Sysctl::SynRetries, 6), |own| own.min(255).into());
        let rto_max_ms = rto_max_ms(facts);
        let is_user_timeout = user_timeout_ms > 0;
        let time_ms = if is_user_timeout { user_timeout_ms } else { model_timeout_ms(retries, FIRST_MS, rto_max_ms) };
        Self { linear, retransmits: retries + linear, time_ms, is_user_timeout, rto_max_ms }
    }
}

/// Deadline in SYN-SENT.
pub(super) fn connecting(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let mechanism = Mechanism::SynRetries;
    let expires = u64::from(facts.socket.timer.expires_ms);
    if facts.doubt == Some(Doubt::Neighbour) {
        // If neighbour resolution fails, the connection fails with it, at any moment.
        return Deadline::at_least(0, mechanism);
    }
    let (info, user_timeout) = (facts.socket.attributes.info.as_deref(), facts.keepalive.user_timeout_ms);
    let (Some(info), Some(user_timeout)) = (info, user_timeout) else {
        return Deadline::at_least(expires, mechanism);
    };
    let limits = Limits::of(facts, user_timeout.into());
    let (ends, mechanism) = simulate(info, expires, &limits, wheel);
    facts.ends(ends, mechanism)
}

/// Simulates retransmissions of the SYN until the kernel gives up.
fn simulate(info: &TcpInfo, expires: u64, limits: &Limits, wheel: Wheel) -> (Span, Mechanism) {
    let mut rto = info.get(Field::Rto).unwrap_or(expires).max(1);
    let mut retransmits = info.get(Field::Retransmits).unwrap_or(0);
    let mut fires = wheel.pending(expires, rto);
    let since = since_first_syn(info, expires, rto, wheel, limits.linear);
    let mut earliest = None;
    while retransmits < limits.retransmits {
        let passed = since.plus(fires);
        if retransmits > 0 && passed.latest >= limits.time_ms {
            earliest.get_or_insert(fires.earliest);
        }
        if retransmits > 0 && passed.earliest >= limits.time_ms {
            break;
        }
        retransmits += 1;
        if retransmits > limits.linear {
            rto = rto.saturating_mul(2).min(limits.rto_max_ms);
        }
        if limits.is_user_timeout && passed.latest + rto >= limits.time_ms {
            // This interval is cut to what is left of the user timeout.
            let left = |passed: u64| limits.time_ms.saturating_sub(passed);
            let ends = Span {
                earliest: fires.earliest.max(left(since.latest)),
                latest: fires.latest.max(left(since.earliest)) + wheel.lateness_ms(rto),
            };
            return (ends, Mechanism::UserTimeout);
        }
        fires = wheel.after(fires, rto);
    }
    (Span { earliest: earliest.unwrap_or(fires.earliest), latest: fires.latest }, Mechanism::SynRetries)
}

/// Time since the first SYN: from `tcpi_total_rto_time` if the kernel reports it, else from the intervals so far.
fn since_first_syn(info: &TcpInfo, expires: u64, rto: u64, wheel: Wheel, linear: u64) -> Span {
    let retransmits = info.get(Field::Retransmits).unwrap_or(0);
    if let Some(since_first_timeout) = info.get(Field::TotalRtoTime).filter(|_| retransmits > 0) {
        let begun = since_first_timeout + FIRST_MS;
        return Span { earliest: begun, latest: begun + wheel.lateness_ms(FIRST_MS) };
    }
    let mut span = Span::at(rto.saturating_sub(expires));
    for earlier in 1..=retransmits {
        let interval = FIRST_MS << (retransmits - earlier).saturating_sub(linear).min(MOST_DOUBLINGS);
        span = span.plus(Span { earliest: interval, latest: interval + wheel.lateness_ms(interval) });
    }
    span
}

/// Deadline in SYN-RECV. The listener's options, which the facts of a request hold, decide how often the SYN-ACK is
/// sent. If they are not known, or the request waits for data (`TCP_DEFER_ACCEPT`), only the next firing is certain.
pub(super) fn handshaking(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let mechanism = Mechanism::SynackRetries;
    let expires = u64::from(facts.socket.timer.expires_ms);
    let sent = u64::from(facts.socket.timer.count);
    let rto_max = rto_max_ms(facts);
    let interval = |tries: u64| (FIRST_MS << tries.min(MOST_DOUBLINGS)).min(rto_max);
    let retries = synack_retries(facts).filter(|&retries| {
        // If more were sent, or timeouts passed without one, something else decides.
        facts.socket.timer.kind == TimerKind::SynAck && sent <= retries && expires <= interval(sent)
    });
    let Some(retries) = retries else { return Deadline::at_least(expires, mechanism) };
    let mut fires = wheel.pending(expires, interval(sent));
    for tries in sent + 1..=retries {
        fires = wheel.after(fires, interval(tries));
    }
    // If the listener's request queue is crowded, the kernel sends fewer.
    if facts.options.is_some() { fires.at_most(mechanism) } else { Deadline::at_least(fires.earliest, mechanism) }
}

/// Number of retransmissions of a SYN-ACK; `None` if it is not known.
fn synack_retries(facts: &Facts<'_>) -> Option<u64> {
    let default = facts.tries(Sysctl::SynackRetries, 5);
    let Some(listener) = facts.options else {
        return (facts.keepalive.source == Some(KeepaliveSource::Sysctl)).then_some(default);
    };
    if listener.defer_accept_s != Some(0) {
        return None;
    }
    // If the listener set no `TCP_SYNCNT`, getsockopt() returns the sysctl for SYNs, which does not apply to SYN-ACKs.
    let own = listener.syncnt.map(u64::from).filter(|&own| own != facts.tries(Sysctl::SynRetries, 6));
    Some(own.unwrap_or(default).min(255))
}
