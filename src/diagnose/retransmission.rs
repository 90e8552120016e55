//! The retransmission timer (`tcp_retransmit_timer`, `tcp_write_timeout` in net/ipv4/tcp_timer.c): data, FIN or SYN is
//! unacknowledged. At each firing, if the time since the first retransmission exceeds a limit, the kernel closes the
//! socket; else it retransmits and doubles the timeout.

use super::Facts;
use super::wheel::{Span, Wheel};
use crate::model::liveness::{Deadline, Mechanism};
use crate::model::routes::Doubt;
use crate::model::sysctl::Sysctl;
use crate::model::tcp_info::{Field, TcpInfo};
use crate::model::time::Millis;

/// `TCP_RTO_MIN`. The kernel computes the limit from it, whatever the socket's own round-trip time.
const RTO_MIN: Millis = Millis::new(200);
/// `TCP_RTO_MAX`, if neither sysctl nor option sets another.
const RTO_MAX_MS: u32 = 120_000;
/// Number of retries if `tcp_orphan_retries` is 0 and the timeout is below its maximum.
const ORPHAN_RETRIES: u64 = 8;

/// The maximum retransmission timeout of the socket.
pub(super) fn rto_max(facts: &Facts<'_>) -> Millis {
    let own = facts.options.and_then(|options| options.rto_max_ms).filter(|&ms| ms > 0).map(Millis::from);
    own.unwrap_or_else(|| Millis::new(facts.sysctl(Sysctl::RtoMax, RTO_MAX_MS))).max(Millis::new(1))
}

/// `tcp_model_timeout`: how long `retries` doublings of `base` take, none longer than `rto_max`.
pub(super) fn model_timeout(retries: u64, base: Millis, rto_max: Millis) -> Millis {
    let doublings = u64::from((rto_max.get() / base.get().max(1)).checked_ilog2().unwrap_or(0));
    let doubled = |count: u64| base * ((2_u64 << count.min(32)) - 1);
    if retries <= doublings { doubled(retries) } else { doubled(doublings) + rto_max * (retries - doublings) }
}

/// `tcp_orphan_retries()`: number of retries for a connection that its program has closed.
pub(super) fn orphan_retries(facts: &Facts<'_>, rto: Millis, rto_max: Millis) -> u64 {
    match facts.tries(Sysctl::OrphanRetries, 0) {
        0 if rto < rto_max => ORPHAN_RETRIES,
        retries => retries,
    }
}

/// The limit at which the kernel gives up.
enum Limit {
    /// Maximum time since the first retransmission
    Time(Millis),
    /// Maximum time since the first retransmission, computed from tcp_orphan_retries and the current timeout
    Orphan,
}

/// Progress of the retransmissions.
struct Progress {
    /// What the other times count from: the snapshot, or the first retransmission if it is still to come
    origin: Span,
    /// Timeout that the pending timer was set for
    rto: Millis,
    /// Time since the first retransmission
    since: Span,
    /// When the pending timer fires
    fires: Span,
}

/// Deadline while data or a FIN is unacknowledged.
pub(super) fn deadline(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let expires = facts.socket.timer.left();
    let orphan = facts.socket.is_orphan();
    let mechanism = if orphan { Mechanism::OrphanRetries } else { Mechanism::Retransmission };
    let rto_max = rto_max(facts);
    let info = facts.socket.attributes.info.as_deref();
    let Some((info, at)) = info.and_then(|info| Some((info, progress(info, expires, wheel, rto_max)?))) else {
        return Deadline::at_least(expires, mechanism);
    };
    let fails = facts.doubt.is_some() || !goes_out(info);
    if orphan {
        // The kernel also ends orphans earlier, if memory runs out or there are too many of them.
        return if fails {
            Deadline::at_least(least_where_sends_fail(facts), mechanism)
        } else {
            simulate(at, &Limit::Orphan, facts, wheel, rto_max).at_most(mechanism)
        };
    }
    let user_timeout = facts.keepalive.values.user_timeout_ms.map(Millis::from);
    if info.get(Field::SndWnd) == Some(0) {
        return shrunken_window(info, expires, rto_max, user_timeout);
    }
    if !counts_from_first_timeout(info) && facts.keepalive.is_read() {
        return Deadline::at_least(expires, mechanism);
    }
    match user_timeout {
        None => Deadline::at_least(expires, mechanism),
        Some(Millis::ZERO) => {
            let limit = model_timeout(facts.tries(Sysctl::Retries2, 15), RTO_MIN, rto_max);
            if fails {
                return where_sends_fail(facts, info, &at, limit, mechanism);
            }
            facts.ends(simulate(at, &Limit::Time(limit), facts, wheel, rto_max), mechanism)
        }
        Some(limit) if fails => where_sends_fail(facts, info, &at, limit, Mechanism::UserTimeout),
        Some(limit) => within_user_timeout(info, &at, limit, wheel),
    }
}

/// Whether retransmissions leave the host, as far as tcp_info shows. If they do not, none is counted as in flight, or
/// ICMP from this host itself reverts the doubling of the timeout; on a thin stream the timeout is not doubled at all.
fn goes_out(info: &TcpInfo) -> bool {
    let retransmits = info.get(Field::Retransmits).unwrap_or(0);
    let in_flight = info.get(Field::Retrans).is_none_or(|retrans| retrans > 0);
    retransmits == 0 || (in_flight && info.get(Field::Backoff).is_none_or(|backoff| backoff >= retransmits))
}

/// Whether the limit counts from the first timeout of this silence. It counts from an earlier, unreported time if the
/// peer had acknowledged part of the lost data, or if data was retransmitted before any timeout.
fn counts_from_first_timeout(info: &TcpInfo) -> bool {
    const CA_RECOVERY: u64 = 3;
    let number = |field| info.get(field).unwrap_or(0);
    let retransmits = number(Field::Retransmits);
    let is_first_loss =
        if retransmits == 0 { number(Field::CaState) < CA_RECOVERY } else { number(Field::TotalRtoRecoveries) <= 1 };
    is_first_loss && number(Field::Backoff) <= retransmits && number(Field::Sacked) == 0
}

/// Lower bound if sends fail: they are retried at other times, and the limit may count from when the data was first
/// sent.
fn where_sends_fail(facts: &Facts<'_>, info: &TcpInfo, at: &Progress, limit: Millis, mechanism: Mechanism) -> Deadline {
    let passed = at.since.latest.max(info.millis(Field::LastDataSent).unwrap_or_default());
    Deadline::at_least((limit - passed).max(least_where_sends_fail(facts)), mechanism)
}

/// Lower bound if sends fail. If the neighbour is given up, ICMP from this host itself can end the connection between
/// two firings.
fn least_where_sends_fail(facts: &Facts<'_>) -> Millis {
    if facts.doubt == Some(Doubt::Carrier) { facts.socket.timer.left() } else { Millis::ZERO }
}

/// Simulates firings until the limit has passed for sure. If lateness decides between two firings, the span covers
/// both.
fn simulate(mut at: Progress, limit: &Limit, facts: &Facts<'_>, wheel: Wheel, rto_max: Millis) -> Span {
    /// Upper bound of the firings before the limit: sysctls allow at most 255 retries.
    const FIRINGS: u32 = 300;
    let mut earliest = None;
    for _ in 0..FIRINGS {
        let limit = match limit {
            Limit::Time(limit) => *limit,
            Limit::Orphan => model_timeout(orphan_retries(facts, at.rto, rto_max), RTO_MIN, rto_max),
        };
        let passed = at.since.plus(at.fires);
        if passed.latest >= limit {
            earliest.get_or_insert(at.fires.earliest);
        }
        if passed.earliest >= limit {
            break;
        }
        at.rto = at.rto.doubled(1).min(rto_max);
        at.fires = wheel.after(at.fires, at.rto);
    }
    at.origin.plus(Span { earliest: earliest.unwrap_or(at.fires.earliest), latest: at.fires.latest })
}

/// Reads the progress of the retransmissions from tcp_info.
fn progress(info: &TcpInfo, expires: Millis, wheel: Wheel, rto_max: Millis) -> Option<Progress> {
    let rto = info.millis(Field::Rto)?.max(Millis::new(1));
    let pending = wheel.pending(expires, rto);
    let retransmits = info.get(Field::Retransmits)?;
    if retransmits == 0 {
        let next = rto.doubled(1).min(rto_max);
        return Some(Progress {
            origin: first_timeout(info, pending, rto, wheel),
            rto: next,
            since: Span::at(Millis::ZERO),
            fires: wheel.after(Span::at(Millis::ZERO), next),
        });
    }
    let since = since_first(info, expires, rto, wheel, rto_max);
    Some(Progress { origin: Span::at(Millis::ZERO), rto, since, fires: pending })
}

/// When the first timeout fires. Until then, the pending timer may be a tail-loss probe, which restarts the timeout.
fn first_timeout(info: &TcpInfo, pending: Span, rto: Millis, wheel: Wheel) -> Span {
    const OPTION_SACK: u64 = 2;
    const CA_OPEN_OR_CWR: [u64; 2] = [0, 2];
    let probes = info.get(Field::Options).is_some_and(|options| options & OPTION_SACK != 0)
        && info.get(Field::CaState).is_some_and(|state| CA_OPEN_OR_CWR.contains(&state))
        && info.get(Field::Retrans) == Some(0);
    Span { earliest: pending.earliest, latest: if probes { wheel.after(pending, rto).latest } else { pending.latest } }
}

/// Time since the first retransmission of this silence.
fn since_first(info: &TcpInfo, expires: Millis, rto: Millis, wheel: Wheel, rto_max: Millis) -> Span {
    /// The kernel takes its own stamp and the time of the dump in whole ticks.
    const TICKS: Millis = Millis::new(8);
    if let (Some(total), Some(1)) = (info.millis(Field::TotalRtoTime), info.get(Field::TotalRtoRecoveries)) {
        return Span { earliest: total - TICKS, latest: total + TICKS };
    }
    // Sum of the intervals so far, backwards from the pending one.
    let mut span = Span::at(rto - expires);
    for earlier in 1..info.get(Field::Retransmits).unwrap_or(0) {
        let interval = rto.halved(earlier).min(rto_max);
        // Once the timeout is at its maximum, halving underestimates: earlier intervals may have been at the maximum
        // too.
        let longest = if rto >= rto_max { rto_max } else { interval };
        span.earliest += interval;
        span.latest += longest + wheel.lateness(longest);
    }
    span
}

/// Deadline with `TCP_USER_TIMEOUT`: the kernel shortens each timeout so that it fires when the user timeout has
/// passed.
fn within_user_timeout(info: &TcpInfo, at: &Progress, user_timeout: Millis, wheel: Wheel) -> Deadline {
    let mechanism = Mechanism::UserTimeout;
    if info.get(Field::Retransmits) == Some(0) {
        return wheel.after(at.origin, user_timeout).deadline(mechanism);
    }
    let left = |since: Millis| user_timeout - since;
    let (earliest, latest) = (left(at.since.latest), left(at.since.earliest));
    let ends = Span {
        earliest: at.fires.earliest.max(earliest),
        latest: at.fires.latest.max(latest + wheel.lateness(latest)),
    };
    ends.deadline(mechanism)
}

/// Deadline after the receiver shrank its window to zero with data in flight. The retransmissions act as window probes,
/// and end when nothing was heard for twice the maximum timeout (`tcp_rtx_probe0_timed_out`).
fn shrunken_window(info: &TcpInfo, expires: Millis, rto_max: Millis, user_timeout: Option<Millis>) -> Deadline {
    // The user timeout counts from when the data was first sent, which the kernel does not report.
    if user_timeout != Some(Millis::ZERO) {
        return Deadline::at_least(expires, Mechanism::UserTimeout);
    }
    let left = rto_max * 2 - info.idle().unwrap_or_default();
    Deadline::at_least(left.max(expires), Mechanism::WindowProbe)
}

#[cfg(test)]
mod tests {
    use super::model_timeout;
    use crate::model::time::Millis;

    #[test]
    fn the_model_times_are_those_of_the_kernel() {
        let timeout = |retries, base, rto_max| model_timeout(retries, Millis::new(base), Millis::new(rto_max)).get();
        assert_eq!(timeout(15, 200, 120_000), 924_600);
        assert_eq!(timeout(8, 200, 120_000), 102_200);
        assert_eq!(timeout(4, 200, 120_000), 6_200);
        assert_eq!(timeout(6, 1000, 120_000), 127_000);
        assert_eq!(timeout(0, 200, 120_000), 200);
        assert!(timeout(u64::MAX, 1, 1) > 0, "no overflow");
    }
}
