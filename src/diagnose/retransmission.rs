//! The retransmission timer (`tcp_retransmit_timer`, `tcp_write_timeout` in net/ipv4/tcp_timer.c): data, FIN or SYN is
//! unacknowledged. At each firing, if the time since the first retransmission exceeds a limit, the kernel closes the
//! socket; else it retransmits and doubles the timeout.

use super::Facts;
use super::thin;
use super::wheel::{Span, Wheel};
use crate::model::liveness::{Bound, Deadline, Mechanism};
use crate::model::routes::Doubt;
use crate::model::socket::{Queues, Socket};
use crate::model::sysctl::Sysctl;
use crate::model::tcp_info::{Field, TcpInfo};
use crate::model::time::Millis;

/// `TCP_RTO_MIN`. The kernel computes the limit from it, whatever the socket's own round-trip time.
const RTO_MIN: Millis = Millis::new(200);
/// `TCP_RTO_MAX`, if neither sysctl nor option sets another.
const RTO_MAX_MS: u32 = 120_000;
/// `TCP_RESOURCE_PROBE_INTERVAL`: the time after which a send is tried again that a full queue of this host refused.
pub(super) const REFUSED: Millis = Millis::new(500);
/// How long the kernel asks for a neighbour's address by default (`ucast_solicit` or `mcast_solicit` times
/// `retrans_time_ms`), before it reports that there is none.
const RESOLVING: Millis = Millis::new(3_000);
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
#[derive(Clone, Copy)]
struct Progress {
    /// What the other times count from: the snapshot, or the first retransmission if it is still to come
    origin: Span,
    /// Retransmission timeouts so far
    retransmits: u64,
    /// Timeout that the pending timer was set for
    rto: Millis,
    /// Timeout without back-off
    base: Millis,
    /// Upper bound of the time by which pacing postpones a timer
    pacing: Millis,
    /// Whether the first retransmissions do not double the timeout
    is_thin: bool,
    /// Whether the kernel reports the time since the first timeout
    is_counted: bool,
    /// Time since the first retransmission
    since: Span,
    /// When the pending timer fires
    fires: Span,
}

/// Deadline while data or a FIN is unacknowledged.
pub(super) fn deadline(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let orphan = facts.socket.is_orphan();
    let mechanism = if orphan { Mechanism::OrphanRetries } else { Mechanism::Retransmission };
    let rto_max = rto_max(facts);
    let info = facts.socket.attributes.info.as_deref();
    let at = info.and_then(|info| Some((info, progress(facts, info, wheel, rto_max)?)));
    // Without the user timeout, any firing may be the last. An orphan keeps its own, and nobody can read it any more.
    let (Some((info, at)), Some(user_timeout)) = (at, facts.keepalive.values.user_timeout_ms.map(Millis::from)) else {
        return Deadline::at_least(next_firing(facts), mechanism);
    };
    let linear = if thin::of(facts, info) == thin::Thin::No { 0 } else { thin::LINEAR_RETRIES };
    let fails = facts.doubt.is_some_and(Doubt::is_present) || !goes_out(info, linear);
    let is_held_back = facts.doubt == Some(Doubt::Backlog);
    if orphan && user_timeout == Millis::ZERO {
        return if fails {
            Deadline::at_least(least_where_sends_fail(facts), mechanism)
        } else {
            orphan_ends(at, facts, wheel, rto_max).at_most(mechanism)
        };
    }
    if info.get(Field::SndWnd) == Some(0) {
        return shrunken_window(facts, info, rto_max, user_timeout);
    }
    if !counts_from_first_timeout(info) && facts.keepalive.is_read() {
        return Deadline::at_least(next_firing(facts), mechanism);
    }
    let is_user_timeout = user_timeout > Millis::ZERO;
    let limit =
        if is_user_timeout { user_timeout } else { model_timeout(facts.tries(Sysctl::Retries2, 15), RTO_MIN, rto_max) };
    let mechanism = if is_user_timeout { Mechanism::UserTimeout } else { mechanism };
    if fails || is_held_back {
        return where_sends_fail(facts, &at, limit, mechanism);
    }
    let mut ends = if is_user_timeout {
        within_user_timeout(info, &at, limit, wheel)
    } else {
        without_user_timeout(at, limit, facts, wheel)
    };
    if facts.doubt == Some(Doubt::OnLink) {
        // Each time the neighbour is not found, the timer fires early (`tcp_ld_RTO_revert`), but not before the limit.
        ends.earliest = ends.earliest.min(at.origin.earliest + (limit - at.since.latest));
    }
    let deadline = match (is_user_timeout, facts.doubt) {
        // The timer that is set when the neighbour is not found is not shortened to what is left of the user timeout.
        (true, Some(Doubt::OnLink)) => Deadline::at_least(ends.earliest, mechanism),
        (true, _) => ends.deadline(mechanism),
        (false, _) => facts.ends(ends, mechanism),
    };
    // While pacing holds back data, each send restarts the timer.
    match deadline.bound {
        Bound::Exact if at.retransmits == 0 && sends_more(facts.socket, info) => {
            Deadline::at_least(at.origin.earliest + limit, mechanism)
        }
        _ => deadline,
    }
}

/// When an orphan without user timeout ends at the latest. The kernel also ends orphans earlier, if memory runs out or
/// there are too many of them.
fn orphan_ends(at: Progress, facts: &Facts<'_>, wheel: Wheel, rto_max: Millis) -> Span {
    if facts.doubt != Some(Doubt::OnLink) {
        return simulate(at, &Limit::Orphan, facts, wheel, rto_max);
    }
    // Each time the neighbour is not found, the doubling is undone, so that the timeout may never reach its maximum, where
    // fewer retries are made.
    let limit = model_timeout(orphan_retries(facts, Millis::ZERO, rto_max), RTO_MIN, rto_max);
    let ends = simulate(at, &Limit::Time(limit), facts, wheel, rto_max);
    Span { latest: ends.latest + RESOLVING, ..ends }
}

/// Lower bound of the next time at which the timer may end the connection. If the neighbour does not answer, ICMP from
/// this host itself makes it fire early (`tcp_ld_RTO_revert`).
fn next_firing(facts: &Facts<'_>) -> Millis {
    let info = facts.socket.attributes.info.as_deref();
    let has_begun = info.and_then(|info| info.get(Field::Retransmits)) != Some(0);
    match facts.doubt {
        Some(Doubt::Neighbour | Doubt::Unknown) => Millis::ZERO,
        Some(Doubt::OnLink) if has_begun => Millis::ZERO,
        _ => facts.socket.timer.left(),
    }
}

/// Whether retransmissions leave the host, as far as tcp_info shows. If they do not, none is counted as in flight, or
/// ICMP from this host itself reverts the doubling of the timeout. The first `linear` of them may not double it.
pub(super) fn goes_out(info: &TcpInfo, linear: u64) -> bool {
    let retransmits = info.get(Field::Retransmits).unwrap_or(0);
    let in_flight = info.get(Field::Retrans).is_none_or(|retrans| retrans > 0) && !may_have_failed(info);
    let doublings = retransmits.saturating_sub(linear);
    retransmits == 0 || (in_flight && info.get(Field::Backoff).is_none_or(|backoff| backoff >= doublings))
}

/// Whether a retransmission may have failed on this host: not as many packets were sent again as the timeouts ask for, or
/// more, which can hide it; after a timeout at least. If it was the first, the limit counts from when the data was first sent
/// (`tcp_retransmit_skb`).
fn may_have_failed(info: &TcpInfo) -> bool {
    let retransmits = info.get(Field::Retransmits).unwrap_or(0);
    // With SACK, a tail-loss probe comes before the first timeout: data that was never sent, or the last data again.
    let probes = u64::from(has_sack(info));
    let had_more = info.get(Field::Notsent).is_some_and(|notsent| notsent > 0);
    let least = if had_more { retransmits } else { retransmits + probes };
    info.get(Field::TotalRetrans).is_some_and(|total| !(least..=retransmits + probes).contains(&total))
}

fn has_sack(info: &TcpInfo) -> bool {
    const OPTION_SACK: u64 = 2;
    info.get(Field::Options).is_some_and(|options| options & OPTION_SACK != 0)
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

/// Lower bound if sends fail: they are retried at other times. If the first retransmission failed, the limit counts from
/// when the data was first sent (`tcp_retransmit_skb`), which no field reports.
fn where_sends_fail(facts: &Facts<'_>, at: &Progress, limit: Millis, mechanism: Mechanism) -> Deadline {
    // The timer was set when the data was sent, again when data before it was acknowledged, and again by a tail-loss
    // probe: each within a timeout of the other.
    const TIMEOUTS: u64 = 3;
    // Where the time since the first timeout is computed from the intervals, they may have been longer.
    let since = if at.is_counted { at.since.latest } else { at.rto.doubled(1).max(REFUSED) * at.retransmits };
    let passed = since + at.base * TIMEOUTS + at.pacing;
    Deadline::at_least((limit - passed).max(least_where_sends_fail(facts)), mechanism)
}

/// Lower bound if sends fail. If the neighbour is given up, ICMP from this host itself can end the connection between
/// two firings.
fn least_where_sends_fail(facts: &Facts<'_>) -> Millis {
    let may_be_given_up = !facts.doubt.is_some_and(|doubt| doubt.refuses() || doubt == Doubt::Backlog);
    if may_be_given_up { Millis::ZERO } else { facts.socket.timer.left() }
}

/// When the limit that `tcp_retries2` sets is found exceeded. If it cannot be seen whether the stream is thin, both ways
/// are possible.
fn without_user_timeout(at: Progress, limit: Millis, facts: &Facts<'_>, wheel: Wheel) -> Span {
    let rto_max = rto_max(facts);
    let thinness = facts.socket.attributes.info.as_deref().map_or(thin::Thin::No, |info| thin::of(facts, info));
    let limit = Limit::Time(limit);
    let by = |is_thin| simulate(Progress { is_thin, ..at }, &limit, facts, wheel, rto_max);
    match thinness {
        thin::Thin::No => by(false),
        thin::Thin::Yes => by(true),
        thin::Thin::Perhaps => {
            let (one, other) = (by(false), by(true));
            Span { earliest: one.earliest.min(other.earliest), latest: one.latest.max(other.latest) }
        }
    }
}

/// Simulates firings until the limit has passed for sure. If lateness decides between two firings, the span covers
/// both.
fn simulate(mut at: Progress, limit: &Limit, facts: &Facts<'_>, wheel: Wheel, rto_max: Millis) -> Span {
    /// Upper bound of the firings before the limit: sysctls allow at most 255 retries.
    const FIRINGS: u32 = 300;
    let mut earliest = None;
    at = at.begun(wheel, rto_max);
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
        at.fire(rto_max);
        at.fires = wheel.after(at.fires, at.rto);
    }
    at.origin.plus(Span { earliest: earliest.unwrap_or(at.fires.earliest), latest: at.fires.latest })
}

/// Reads the progress of the retransmissions from tcp_info.
fn progress(facts: &Facts<'_>, info: &TcpInfo, wheel: Wheel, rto_max: Millis) -> Option<Progress> {
    let socket = facts.socket;
    let expires = socket.timer.left();
    let rto = info.millis(Field::Rto)?.max(Millis::new(1));
    let retransmits = info.get(Field::Retransmits)?;
    let pacing = pacing_delay(socket, info);
    let pending = wheel.pending(expires, rto + pacing);
    let at = Progress {
        origin: Span::at(Millis::ZERO),
        retransmits,
        rto,
        base: base_timeout(info, rto, rto_max),
        pacing,
        is_thin: false,
        is_counted: counted_time(info).is_some(),
        since: Span::at(Millis::ZERO),
        fires: pending,
    };
    if retransmits == 0 {
        let origin = first_timeout(info, pending, wheel.after(Span::at(Millis::ZERO), rto).latest + pacing);
        return Some(Progress { origin, ..at });
    }
    let since = counted_time(info).unwrap_or_else(|| {
        let doubling = since_first(retransmits, expires, rto, wheel, rto_max);
        // The intervals of a thin stream are all as long as the pending one.
        let linear = Span::at(rto - expires).plus(wheel.after(Span::at(Millis::ZERO), rto).times(retransmits - 1));
        match thin::of(facts, info) {
            thin::Thin::No => doubling,
            thin::Thin::Yes | thin::Thin::Perhaps => Span { latest: linear.latest.max(doubling.latest), ..doubling },
        }
    });
    Some(Progress { since, ..at })
}

impl Progress {
    /// Counts one firing that retransmits, and sets the next timeout.
    fn fire(&mut self, rto_max: Millis) {
        self.retransmits = self.retransmits.saturating_add(1);
        let is_linear = self.is_thin && self.retransmits <= thin::LINEAR_RETRIES;
        self.rto = if is_linear { self.base } else { self.rto.doubled(1).min(rto_max) };
    }

    /// The state after the first timeout, if that is still to come.
    fn begun(mut self, wheel: Wheel, rto_max: Millis) -> Self {
        if self.retransmits == 0 {
            self.fire(rto_max);
            self.fires = wheel.after(Span::at(Millis::ZERO), self.rto);
        }
        self
    }
}

/// The timeout before it was doubled.
fn base_timeout(info: &TcpInfo, rto: Millis, rto_max: Millis) -> Millis {
    let undone = rto.halved(info.get(Field::Backoff).unwrap_or(0)).max(Millis::new(1));
    // At its maximum it may have been doubled less often than the back-off counts.
    if rto < rto_max { undone } else { rto }
}

/// When the first timeout fires. Until then, the pending timer may be a tail-loss probe, which restarts the timeout.
fn first_timeout(info: &TcpInfo, pending: Span, restarts_for: Millis) -> Span {
    const CA_OPEN_OR_CWR: [u64; 2] = [0, 2];
    let probes = has_sack(info)
        && info.get(Field::CaState).is_some_and(|state| CA_OPEN_OR_CWR.contains(&state))
        && info.get(Field::Retrans) == Some(0);
    Span { earliest: pending.earliest, latest: if probes { pending.latest + restarts_for } else { pending.latest } }
}

/// Upper bound of the time by which pacing postpones a timer that is set after a send (`tcp_pacing_delay`): the time that
/// the pacing rate allows for the largest segment. The first ten segments of a connection are not paced.
pub(super) fn pacing_delay(socket: &Socket, info: &TcpInfo) -> Millis {
    /// Segments after which pacing begins, a tail-loss probe included
    const UNPACED: u64 = 9;
    /// `tcp_tso_autosize`: the largest segment (`GSO_MAX_SIZE`, with BIG TCP), halved for each 512 µs of round-trip time, but two packets at least, and
    /// some milliseconds at the pacing rate
    const LARGEST: u64 = 512 * 1_024;
    const HALVED_EACH_US: u64 = 512;
    const A_SECOND: u64 = 1_000;
    let rate = info.get(Field::PacingRate).filter(|&rate| rate > 0);
    let (Some(rate), true) = (rate, info.get(Field::DataSegsOut).is_none_or(|segments| segments >= UNPACED)) else {
        return Millis::ZERO;
    };
    let halvings = info.get(Field::MinRtt).unwrap_or(0) / HALVED_EACH_US;
    let by_rtt = LARGEST.checked_shr(u32::try_from(halvings).unwrap_or(u32::MAX)).unwrap_or(0);
    let segment = (rate / 100).saturating_add(by_rtt).max(info.get(Field::SndMss).unwrap_or(LARGEST).saturating_mul(2));
    let queued = match socket.queues {
        Queues::Bytes { send, .. } => send.into(),
        Queues::Accept { .. } | Queues::None => u64::MAX,
    };
    Millis::new(segment.min(queued).saturating_mul(A_SECOND).div_ceil(rate))
}

/// Whether data waits that pacing, not the peer, holds back.
fn sends_more(socket: &Socket, info: &TcpInfo) -> bool {
    let number = |field| info.get(field).unwrap_or(0);
    number(Field::Notsent) > 0
        && pacing_delay(socket, info) > Millis::ZERO
        && number(Field::Unacked) < info.get(Field::SndCwnd).unwrap_or(u64::MAX)
}

/// Time since the first retransmission of this silence, if the kernel reports it (Linux 6.7 or later).
fn counted_time(info: &TcpInfo) -> Option<Span> {
    /// The kernel takes its own stamp and the time of the dump in whole ticks.
    const TICKS: Millis = Millis::new(8);
    let total = info.millis(Field::TotalRtoTime).filter(|_| info.get(Field::TotalRtoRecoveries) == Some(1))?;
    Some(Span { earliest: total - TICKS, latest: total + TICKS })
}

/// Time since the first retransmission of this silence, if the timeout doubled each time: the sum of the intervals so far,
/// backwards from the pending one.
fn since_first(retransmits: u64, expires: Millis, rto: Millis, wheel: Wheel, rto_max: Millis) -> Span {
    let mut span = Span::at(rto - expires);
    for earlier in 1..retransmits {
        let interval = rto.halved(earlier).min(rto_max);
        // Once the timeout is at its maximum, halving underestimates: earlier intervals may have been at the maximum
        // too.
        let longest = if rto >= rto_max { rto_max } else { interval };
        span.earliest += interval;
        span.latest += longest + wheel.lateness(longest);
    }
    span
}

/// When the connection ends with `TCP_USER_TIMEOUT`: the kernel shortens each timeout so that it fires when the user
/// timeout has passed.
fn within_user_timeout(info: &TcpInfo, at: &Progress, user_timeout: Millis, wheel: Wheel) -> Span {
    if info.get(Field::Retransmits) == Some(0) {
        return wheel.after(at.origin, user_timeout);
    }
    let left = |since: Millis| user_timeout - since;
    let (earliest, latest) = (left(at.since.latest), left(at.since.earliest));
    Span { earliest: at.fires.earliest.max(earliest), latest: at.fires.latest.max(latest + wheel.lateness(latest)) }
}

/// Deadline after the receiver shrank its window to zero with data in flight. The retransmissions act as window probes,
/// and end when nothing was heard for twice the maximum timeout (`tcp_rtx_probe0_timed_out`).
fn shrunken_window(facts: &Facts<'_>, info: &TcpInfo, rto_max: Millis, user_timeout: Millis) -> Deadline {
    // The user timeout counts from when the data was first sent, which the kernel does not report.
    if user_timeout > Millis::ZERO {
        return Deadline::at_least(next_firing(facts), Mechanism::UserTimeout);
    }
    let left = rto_max * 2 - info.idle().unwrap_or_default();
    Deadline::at_least(left.max(next_firing(facts)), Mechanism::WindowProbe)
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
