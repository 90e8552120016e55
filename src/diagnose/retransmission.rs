//! The retransmission timer (`tcp_retransmit_timer`, `tcp_write_timeout` in net/ipv4/tcp_timer.c): data, FIN or SYN is
//! out and unanswered. At each firing the socket dies if the time since the first retransmission has passed a limit;
//! else it retransmits and waits twice as long.

use super::Facts;
use super::wheel::{Span, Wheel};
use crate::model::liveness::{Deadline, Mechanism};
use crate::model::routes::Doubt;
use crate::model::sysctl::Sysctl;
use crate::model::tcp_info::{Field, TcpInfo};

/// `TCP_RTO_MIN`, from which the limit is computed whatever the socket's own round-trip time.
const RTO_MIN_MS: u64 = 200;
/// `TCP_RTO_MAX`, where neither sysctl nor option says another.
const RTO_MAX_MS: u32 = 120_000;
/// What `tcp_orphan_retries` 0 means, while the timeout is below its maximum.
const ORPHAN_RETRIES: u64 = 8;

/// The longest retransmission timeout of the socket.
pub(super) fn rto_max_ms(facts: &Facts<'_>) -> u64 {
    let own = facts.options.and_then(|options| options.rto_max_ms).map(u64::from).filter(|&ms| ms > 0);
    own.unwrap_or_else(|| facts.sysctl(Sysctl::RtoMax, RTO_MAX_MS)).max(1)
}

/// `tcp_model_timeout`: how long `retries` doublings of `base_ms` take, none longer than `rto_max_ms`.
pub(super) fn model_timeout_ms(retries: u64, base_ms: u64, rto_max_ms: u64) -> u64 {
    let doublings = u64::from((rto_max_ms / base_ms).checked_ilog2().unwrap_or(0));
    let doubled = |count: u64| ((2_u64 << count.min(32)) - 1).saturating_mul(base_ms);
    if retries <= doublings {
        doubled(retries)
    } else {
        doubled(doublings).saturating_add((retries - doublings).saturating_mul(rto_max_ms))
    }
}

/// `tcp_orphan_retries()`: of a connection that its program has closed.
pub(super) fn orphan_retries(facts: &Facts<'_>, rto_ms: u64, rto_max_ms: u64) -> u64 {
    match facts.tries(Sysctl::OrphanRetries, 0) {
        0 if rto_ms < rto_max_ms => ORPHAN_RETRIES,
        retries => retries,
    }
}

/// What makes the kernel give up.
enum Limit {
    /// Time since the first retransmission
    Time(u64),
    /// The same, by tcp_orphan_retries, which looks at the timeout of the moment
    Orphan,
}

/// How far it has come.
struct Progress {
    /// What the other times are counted from: the snapshot, or the first retransmission that is still to come
    origin: Span,
    /// How the pending interval was set
    rto_ms: u64,
    /// Time since the first retransmission
    since: Span,
    /// When the pending timer fires
    fires: Span,
}

/// Data or a FIN is out.
pub(super) fn deadline(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let expires = u64::from(facts.socket.timer.expires_ms);
    let orphan = facts.socket.is_orphan();
    let mechanism = if orphan { Mechanism::OrphanRetries } else { Mechanism::Retransmission };
    let rto_max = rto_max_ms(facts);
    let info = facts.socket.attributes.info.as_deref();
    let Some((info, at)) = info.and_then(|info| Some((info, progress(info, expires, wheel, rto_max)?))) else {
        return Deadline::at_least(expires, mechanism);
    };
    let fails = facts.doubt.is_some() || !goes_out(info);
    if orphan {
        // Orphans also go early, when memory or their number runs out.
        return if fails {
            Deadline::at_least(least_where_sends_fail(facts), mechanism)
        } else {
            simulate(at, &Limit::Orphan, facts, wheel, rto_max).at_most(mechanism)
        };
    }
    let user_timeout = facts.keepalive.user_timeout_ms.map(u64::from);
    if info.get(Field::SndWnd) == Some(0) {
        return shrunken_window(info, expires, rto_max, user_timeout);
    }
    if !counts_from_first_timeout(info) && facts.keepalive.is_read() {
        return Deadline::at_least(expires, mechanism);
    }
    match user_timeout {
        None => Deadline::at_least(expires, mechanism),
        Some(0) => {
            let limit = model_timeout_ms(facts.tries(Sysctl::Retries2, 15), RTO_MIN_MS, rto_max);
            if fails {
                return where_sends_fail(facts, info, &at, limit, mechanism);
            }
            facts.ends(simulate(at, &Limit::Time(limit), facts, wheel, rto_max), mechanism)
        }
        Some(limit) if fails => where_sends_fail(facts, info, &at, limit, Mechanism::UserTimeout),
        Some(limit) => within_user_timeout(info, &at, limit, wheel),
    }
}

/// Whether retransmissions leave the host, as far as they tell. Where they do not, none is counted as being in flight, or
/// ICMP from this host itself takes the doubling of the timeout back; on a thin stream it is not doubled at all.
fn goes_out(info: &TcpInfo) -> bool {
    let retransmits = info.get(Field::Retransmits).unwrap_or(0);
    let in_flight = info.get(Field::Retrans).is_none_or(|retrans| retrans > 0);
    retransmits == 0 || (in_flight && info.get(Field::Backoff).is_none_or(|backoff| backoff >= retransmits))
}

/// Whether the time that decides began with the first timeout of this silence. It began earlier where the peer had
/// answered a part of what was lost, or data was sent again before any timeout: then nobody tells when.
fn counts_from_first_timeout(info: &TcpInfo) -> bool {
    const CA_RECOVERY: u64 = 3;
    let number = |field| info.get(field).unwrap_or(0);
    let retransmits = number(Field::Retransmits);
    let is_first_loss =
        if retransmits == 0 { number(Field::CaState) < CA_RECOVERY } else { number(Field::TotalRtoRecoveries) <= 1 };
    is_first_loss && number(Field::Backoff) <= retransmits && number(Field::Sacked) == 0
}

/// Sends that fail are tried again at other times, and the time may count from when the data was first sent.
fn where_sends_fail(facts: &Facts<'_>, info: &TcpInfo, at: &Progress, limit: u64, mechanism: Mechanism) -> Deadline {
    let passed = at.since.latest.max(info.get(Field::LastDataSent).unwrap_or(0));
    Deadline::at_least(limit.saturating_sub(passed).max(least_where_sends_fail(facts)), mechanism)
}

/// Where a neighbour is given up, ICMP from this host itself can end it between two firings.
fn least_where_sends_fail(facts: &Facts<'_>) -> u64 {
    if facts.doubt == Some(Doubt::Carrier) { facts.socket.timer.expires_ms.into() } else { 0 }
}

/// Fires again and again until the limit has passed for sure. Where lateness decides between two firings, the span
/// covers both.
fn simulate(mut at: Progress, limit: &Limit, facts: &Facts<'_>, wheel: Wheel, rto_max: u64) -> Span {
    /// More firings than any sysctl allows before the limit: 255 retries.
    const FIRINGS: u32 = 300;
    let mut earliest = None;
    for _ in 0..FIRINGS {
        let limit = match limit {
            Limit::Time(limit) => *limit,
            Limit::Orphan => model_timeout_ms(orphan_retries(facts, at.rto_ms, rto_max), RTO_MIN_MS, rto_max),
        };
        let passed = at.since.plus(at.fires);
        if passed.latest >= limit {
            earliest.get_or_insert(at.fires.earliest);
        }
        if passed.earliest >= limit {
            break;
        }
        at.rto_ms = at.rto_ms.saturating_mul(2).min(rto_max);
        at.fires = wheel.after(at.fires, at.rto_ms);
    }
    at.origin.plus(Span { earliest: earliest.unwrap_or(at.fires.earliest), latest: at.fires.latest })
}

/// Reads how far the retransmissions have come.
fn progress(info: &TcpInfo, expires: u64, wheel: Wheel, rto_max: u64) -> Option<Progress> {
    let rto_ms = info.get(Field::Rto)?.max(1);
    let pending = wheel.pending(expires, rto_ms);
    let retransmits = info.get(Field::Retransmits)?;
    if retransmits == 0 {
        let next = rto_ms.saturating_mul(2).min(rto_max);
        return Some(Progress {
            origin: first_timeout(info, pending, rto_ms, wheel),
            rto_ms: next,
            since: Span::at(0),
            fires: wheel.after(Span::at(0), next),
        });
    }
    let since = since_first(info, expires, rto_ms, wheel, rto_max);
    Some(Progress { origin: Span::at(0), rto_ms, since, fires: pending })
}

/// Before the first timeout the timer may be that of a tail-loss probe, after which the timeout begins anew.
fn first_timeout(info: &TcpInfo, pending: Span, rto: u64, wheel: Wheel) -> Span {
    const OPTION_SACK: u64 = 2;
    const CA_OPEN_OR_CWR: [u64; 2] = [0, 2];
    let probes = info.get(Field::Options).is_some_and(|options| options & OPTION_SACK != 0)
        && info.get(Field::CaState).is_some_and(|state| CA_OPEN_OR_CWR.contains(&state))
        && info.get(Field::Retrans) == Some(0);
    Span { earliest: pending.earliest, latest: if probes { wheel.after(pending, rto).latest } else { pending.latest } }
}

/// Time since the first retransmission of this silence.
fn since_first(info: &TcpInfo, expires: u64, rto: u64, wheel: Wheel, rto_max: u64) -> Span {
    /// The kernel's stamp and the dump's are taken in whole ticks.
    const TICKS_MS: u64 = 8;
    if let (Some(total), Some(1)) = (info.get(Field::TotalRtoTime), info.get(Field::TotalRtoRecoveries)) {
        return Span { earliest: total.saturating_sub(TICKS_MS), latest: total + TICKS_MS };
    }
    // The intervals so far, backwards from the pending one.
    let mut span = Span::at(rto.saturating_sub(expires));
    for earlier in 1..info.get(Field::Retransmits).unwrap_or(0) {
        let interval = (rto >> earlier.min(63)).min(rto_max);
        // Beyond the maximum they do not halve backwards, so they were longer than that.
        let longest = if rto >= rto_max { rto_max } else { interval };
        span.earliest += interval;
        span.latest += longest + wheel.lateness_ms(longest);
    }
    span
}

/// With `TCP_USER_TIMEOUT` each timeout is cut so that it fires when that has passed.
fn within_user_timeout(info: &TcpInfo, at: &Progress, user_timeout: u64, wheel: Wheel) -> Deadline {
    let mechanism = Mechanism::UserTimeout;
    if info.get(Field::Retransmits) == Some(0) {
        return wheel.after(at.origin, user_timeout).deadline(mechanism);
    }
    let left = |since: u64| user_timeout.saturating_sub(since);
    let (earliest, latest) = (left(at.since.latest), left(at.since.earliest));
    let ends = Span {
        earliest: at.fires.earliest.max(earliest),
        latest: at.fires.latest.max(latest + wheel.lateness_ms(latest)),
    };
    ends.deadline(mechanism)
}

/// The receiver took its window back with data in flight: the retransmissions are window probes, and end when nothing
/// was heard for twice the longest timeout (`tcp_rtx_probe0_timed_out`).
fn shrunken_window(info: &TcpInfo, expires: u64, rto_max: u64, user_timeout: Option<u64>) -> Deadline {
    // The user timeout counts from when the data was first sent, which nobody tells.
    if user_timeout != Some(0) {
        return Deadline::at_least(expires, Mechanism::UserTimeout);
    }
    let left = (2 * rto_max).saturating_sub(info.idle_ms().unwrap_or(0));
    Deadline::at_least(left.max(expires), Mechanism::WindowProbe)
}

#[cfg(test)]
mod tests {
    use super::model_timeout_ms;

    #[test]
    fn the_model_times_are_those_of_the_kernel() {
        assert_eq!(model_timeout_ms(15, 200, 120_000), 924_600);
        assert_eq!(model_timeout_ms(8, 200, 120_000), 102_200);
        assert_eq!(model_timeout_ms(4, 200, 120_000), 6_200);
        assert_eq!(model_timeout_ms(6, 1000, 120_000), 127_000);
        assert_eq!(model_timeout_ms(0, 200, 120_000), 200);
        assert!(model_timeout_ms(u64::MAX, 1, 1) > 0, "no overflow");
    }
}
