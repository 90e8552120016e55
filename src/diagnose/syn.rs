//! Connections that are being established: a SYN is unanswered (`tcp_retransmit_timer`, `tcp_write_timeout`), or a
//! SYN-ACK (`reqsk_timer_handler`).

use super::Facts;
use super::retransmission::{REFUSED, goes_out, model_timeout, rto_max};
use super::wheel::{Span, Wheel};
use crate::model::keepalive::KeepaliveSource;
use crate::model::liveness::{Deadline, Mechanism};
use crate::model::options::SocketOptions;
use crate::model::routes::Doubt;
use crate::model::sysctl::{Sysctl, Sysctls};
use crate::model::tcp_info::{Field, TcpInfo};
use crate::model::time::Millis;
use crate::model::timer::TimerKind;

/// `TCP_TIMEOUT_INIT`: the first timeout of a SYN and of a SYN-ACK.
const FIRST: Millis = Millis::new(1_000);
const MOST_DOUBLINGS: u64 = 20;

/// Limits of the retransmissions of a SYN.
struct Limits {
    /// Retransmissions at intervals of 1 s, before the interval doubles
    linear: u64,
    /// Total number of retransmissions
    retransmits: u64,
    /// Maximum time since the first SYN
    time: Millis,
    /// Whether that time is `TCP_USER_TIMEOUT`, which also cuts the intervals
    is_user_timeout: bool,
    rto_max: Millis,
}

impl Limits {
    fn of(facts: &Facts<'_>, user_timeout: Millis) -> Self {
        let linear = facts.tries(Sysctl::SynLinearTimeouts, 0);
        let own = facts.options.and_then(|options| options.syncnt).filter(|&count| count > 0);
        let retries = own.map_or_else(|| facts.tries(Sysctl::SynRetries, 6), |own| own.min(255).into());
        let rto_max = rto_max(facts);
        let is_user_timeout = user_timeout > Millis::ZERO;
        let time = if is_user_timeout { user_timeout } else { model_timeout(retries, FIRST, rto_max) };
        Self { linear, retransmits: retries + linear, time, is_user_timeout, rto_max }
    }
}

/// Deadline in SYN-SENT.
pub(super) fn connecting(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let mechanism = Mechanism::SynRetries;
    let expires = facts.socket.timer.left();
    if matches!(facts.doubt, Some(Doubt::Neighbour | Doubt::Unknown)) {
        return at_least(facts, Millis::ZERO, mechanism);
    }
    let (info, user_timeout) = (facts.socket.attributes.info.as_deref(), facts.keepalive.values.user_timeout_ms);
    let (Some(info), Some(user_timeout)) = (info, user_timeout) else {
        return at_least(facts, expires, mechanism);
    };
    let limits = Limits::of(facts, user_timeout.into());
    if facts.doubt.is_some_and(Doubt::refuses) || !goes_out(info, limits.linear) {
        return where_sends_fail(info, expires, &limits, wheel);
    }
    let (ends, mechanism) = simulate(info, expires, &limits, wheel);
    match (facts.doubt, facts.keepalive.is_read()) {
        (Some(Doubt::OnLink), true) => ends.at_most(mechanism),
        (Some(Doubt::OnLink), false) => at_least(facts, ends.earliest, mechanism),
        _ => facts.ends(ends, mechanism),
    }
}

/// Lower bound. If neighbour resolution fails, the connection or the request fails with it, at any moment.
fn at_least(facts: &Facts<'_>, after: Millis, mechanism: Mechanism) -> Deadline {
    let may_fail = matches!(facts.doubt, Some(Doubt::Neighbour | Doubt::Unknown | Doubt::OnLink));
    Deadline::at_least(if may_fail { Millis::ZERO } else { after }, mechanism)
}

/// Lower bound if this host cannot send: each try counts, and the next one may follow after half a second.
fn where_sends_fail(info: &TcpInfo, expires: Millis, limits: &Limits, wheel: Wheel) -> Deadline {
    let rto = info.millis(Field::Rto).unwrap_or(expires).max(Millis::new(1));
    let left = limits.retransmits.saturating_sub(info.get(Field::Retransmits).unwrap_or(0));
    let by_count = expires + rto.min(REFUSED) * left;
    let since = since_first_syn(info, expires, rto, wheel, limits.linear);
    let by_time = expires.max(limits.time - since.latest);
    Deadline::at_least(by_count.min(by_time), Mechanism::SynRetries)
}

/// Simulates retransmissions of the SYN until the kernel gives up.
fn simulate(info: &TcpInfo, expires: Millis, limits: &Limits, wheel: Wheel) -> (Span, Mechanism) {
    let mut rto = info.millis(Field::Rto).unwrap_or(expires).max(Millis::new(1));
    let mut retransmits = info.get(Field::Retransmits).unwrap_or(0);
    let mut fires = wheel.pending(expires, rto);
    let since = since_first_syn(info, expires, rto, wheel, limits.linear);
    let mut earliest = None;
    while retransmits < limits.retransmits {
        let passed = since.plus(fires);
        if retransmits > 0 && passed.latest >= limits.time {
            earliest.get_or_insert(fires.earliest);
        }
        if retransmits > 0 && passed.earliest >= limits.time {
            break;
        }
        retransmits += 1;
        if retransmits > limits.linear {
            rto = rto.doubled(1).min(limits.rto_max);
        }
        if limits.is_user_timeout && passed.latest + rto >= limits.time {
            // This interval is cut to what is left of the user timeout.
            let left = |passed: Millis| limits.time - passed;
            let ends = Span {
                earliest: fires.earliest.max(left(since.latest)),
                latest: fires.latest.max(left(since.earliest)) + wheel.lateness(rto),
            };
            return (ends, Mechanism::UserTimeout);
        }
        fires = wheel.after(fires, rto);
    }
    (Span { earliest: earliest.unwrap_or(fires.earliest), latest: fires.latest }, Mechanism::SynRetries)
}

/// Time since the first SYN: from `tcpi_total_rto_time` if the kernel reports it, else from the intervals so far.
fn since_first_syn(info: &TcpInfo, expires: Millis, rto: Millis, wheel: Wheel, linear: u64) -> Span {
    let retransmits = info.get(Field::Retransmits).unwrap_or(0);
    if let Some(since_first_timeout) = info.millis(Field::TotalRtoTime).filter(|_| retransmits > 0) {
        let begun = since_first_timeout + FIRST;
        return Span { earliest: begun, latest: begun + wheel.lateness(FIRST) };
    }
    let mut span = Span::at(rto - expires);
    for earlier in 1..=retransmits {
        let interval = FIRST.doubled((retransmits - earlier).saturating_sub(linear).min(MOST_DOUBLINGS));
        span = span.plus(Span { earliest: interval, latest: interval + wheel.lateness(interval) });
    }
    span
}

/// Deadline in SYN-RECV. The listener's options, which the facts of a request hold, decide how often the SYN-ACK is
/// sent. If they are not known, or the request waits for data (`TCP_DEFER_ACCEPT`), only the next firing is certain.
pub(super) fn handshaking(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    /// `TCP_RTO_MAX`. Up to Linux 6.18 neither `TCP_RTO_MAX_MS` nor the sysctl shortens these intervals; later kernels
    /// may, so that the end comes sooner
    const LONGEST: Millis = Millis::new(120_000);
    let mechanism = Mechanism::SynackRetries;
    let expires = facts.socket.timer.left();
    // A connection by TCP Fast Open is a full socket before the handshake ends. Its keepalive timer runs, unseen.
    let is_full = facts.socket.attributes.info.is_some();
    if is_full && facts.options.is_none_or(|listener| listener.keepalive.enabled) {
        return Deadline::at_least(Millis::ZERO, mechanism);
    }
    let sent = u64::from(facts.socket.timer.count);
    let interval = |tries: u64| FIRST.doubled(tries.min(MOST_DOUBLINGS)).min(LONGEST);
    let retries = expected_retries(facts).filter(|&retries| {
        // If more were sent, or timeouts passed without one, something else decides.
        facts.socket.timer.kind == TimerKind::SynAck && sent <= retries && expires <= interval(sent)
    });
    let Some(retries) = retries else { return at_least(facts, expires, mechanism) };
    // Answers to a SYN that the peer sent again count as sent too, so fewer timeouts may have passed.
    let timeouts = (0..sent).find(|&timeouts| expires <= interval(timeouts)).unwrap_or(sent);
    let mut fires = wheel.pending(expires, interval(sent));
    for tries in timeouts + 1..=retries {
        fires = wheel.after(fires, interval(tries));
    }
    // If the listener's request queue is crowded, the kernel sends fewer.
    if facts.options.is_some() { fires.at_most(mechanism) } else { at_least(facts, fires.earliest, mechanism) }
}

/// Number of retransmissions of a SYN-ACK; `None` if it is not known.
fn expected_retries(facts: &Facts<'_>) -> Option<u64> {
    let Some(listener) = facts.options else {
        let is_assumed = facts.keepalive.source == Some(KeepaliveSource::Sysctl);
        return is_assumed.then(|| facts.tries(Sysctl::SynackRetries, 5));
    };
    (listener.defer_accept_s == Some(0)).then(|| synack_retries(listener, facts.sysctls))
}

/// Maximum number of retransmissions of a SYN-ACK by this listener. If it set no `TCP_SYNCNT`, getsockopt() returns the
/// sysctl for SYNs, which does not apply to SYN-ACKs; if it set that very number, it reads the same.
fn synack_retries(listener: &SocketOptions, sysctls: &Sysctls) -> u64 {
    let tries = |sysctl, default: u8| sysctls.number(sysctl).unwrap_or(default.into());
    let default = tries(Sysctl::SynackRetries, 5);
    let retries = match listener.syncnt.map(u64::from) {
        None => default,
        Some(own) if own == tries(Sysctl::SynRetries, 6) => own.max(default),
        Some(own) => own,
    };
    retries.min(u8::MAX.into())
}

/// The options that let a request wait longest, of the listeners that may have received it (`SO_REUSEPORT`). `None` if
/// there is none, or the options of one are not known.
pub(crate) fn most_patient<'a>(
    listeners: impl Iterator<Item = Option<&'a SocketOptions>>,
    sysctls: &Sysctls,
) -> Option<SocketOptions> {
    let mut most: Option<SocketOptions> = None;
    for listener in listeners {
        let listener = *listener?;
        let retries = synack_retries(&listener, sysctls).max(most.and_then(|most| most.syncnt).map_or(0, u64::from));
        let defers = most.is_some_and(|most| most.defer_accept_s != Some(0)) || listener.defer_accept_s != Some(0);
        most = Some(SocketOptions {
            syncnt: u32::try_from(retries).ok(),
            defer_accept_s: if defers { None } else { Some(0) },
            ..listener
        });
    }
    most
}
