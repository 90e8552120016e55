//! Keepalive values inferred from successive snapshots: from a timer that was seen to fire and to be set again.

use super::idle::{IdleBounds, idle_bounds};
use super::retransmission::REFUSED;
use super::wheel::Wheel;
use crate::model::sequence::Sequence;
use crate::model::socket::Socket;
use crate::model::sysctl::{Sysctl, Sysctls};
use crate::model::time::Millis;
use crate::model::timer::TimerKind;

/// Tolerance for the clock of the reader, which is read a moment after the kernel wrote the row.
const CLOCKS: Millis = Millis::new(500);

/// The values of sockets that set none, by the namespace's sysctls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Defaults {
    /// `tcp_keepalive_time`
    pub idle_s: Option<u32>,
    interval_s: Option<u32>,
}

impl Defaults {
    pub(super) fn of(sysctls: &Sysctls) -> Self {
        let number = |sysctl| sysctls.number(sysctl).and_then(|seconds| u32::try_from(seconds).ok());
        Self { idle_s: number(Sysctl::KeepaliveTime), interval_s: number(Sysctl::KeepaliveIntvl) }
    }
}

/// Keepalive values of one socket, inferred from the snapshots so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remembered {
    /// Whether keepalive was on in the last snapshot whose timer showed it
    pub enabled: Option<bool>,
    /// Range of its idle time
    pub idle: IdleBounds,
    /// Its interval, once two probes were seen to be sent
    pub interval_s: Option<u32>,
    /// The sysctls since the timer was seen to fire and to be set again for the idle time; `None` before that
    pub(super) fired_under: Option<Defaults>,
    /// The sysctls in the last snapshot
    defaults: Defaults,
    last: Sighting,
}

/// One reading of the keepalive timer, in the clock of the reader.
#[derive(Debug, Clone, Copy)]
struct Sighting {
    fires: Millis,
    /// How long the peer will have been silent when the timer fires. Both parts are of one instant, so the reader's
    /// clock adds no error
    silent_then_ms: Option<u32>,
    /// The most time that was ever left of the timer while a probe was out
    longest_left_ms: u32,
    unanswered: u8,
}

/// Sockets of the last snapshots. Empty, and without cost, until the first one is added.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    sockets: Sequence<Option<Remembered>>,
}

impl Sightings {
    /// Begins a snapshot: drops the sockets that the last one did not contain.
    pub(crate) fn begin(&mut self) {
        self.sockets.end(|_, _| ());
        self.sockets.begin();
    }

    /// What is known of a socket, without adding a reading.
    pub(crate) fn known(&mut self, socket: &Socket) -> Option<&Remembered> {
        self.sockets.get_mut(socket.id)?.as_ref()
    }

    /// Adds a row read at `now`, by any monotonic clock, and returns what is known of its socket.
    pub(crate) fn take(
        &mut self,
        socket: &Socket,
        now: Millis,
        wheel: Wheel,
        sysctls: &Sysctls,
    ) -> Option<&Remembered> {
        let defaults = Defaults::of(sysctls);
        let (slot, _) = self.sockets.meet(socket.id, || None)?;
        if !matches!(socket.timer.kind, TimerKind::Keepalive | TimerKind::Off | TimerKind::DelayedAck) {
            return slot.as_ref();
        }
        let is_on = socket.timer.kind == TimerKind::Keepalive;
        let sight = sight(socket, now);
        let holds =
            |earlier: &Remembered| is_on && earlier.enabled == Some(true) && !is_set_anew(&earlier.last, &sight, now);
        let remembered = match slot.filter(holds) {
            None => Remembered {
                enabled: Some(is_on),
                idle: if is_on { idle_bounds(socket) } else { IdleBounds::from_times(Millis::ZERO, None) },
                interval_s: None,
                fired_under: None,
                defaults,
                last: sight,
            },
            Some(earlier) => {
                // What was seen under other sysctls may have been theirs.
                let is_same = earlier.defaults == defaults;
                let followed = follow(&earlier, socket, sight, now, wheel);
                Remembered {
                    interval_s: followed.interval_s.filter(|_| is_same),
                    fired_under: followed.fired_under.filter(|_| is_same),
                    defaults,
                    ..followed
                }
            }
        };
        Some(slot.insert(remembered))
    }
}

fn sight(socket: &Socket, now: Millis) -> Sighting {
    let unanswered = u8::try_from(socket.probes_out()).unwrap_or(u8::MAX);
    let expires = socket.timer.expires_ms;
    Sighting {
        fires: now + socket.timer.left(),
        unanswered,
        silent_then_ms: socket.idle().and_then(|idle| u32::try_from((idle + socket.timer.left()).get()).ok()),
        longest_left_ms: if unanswered > 0 { expires } else { 0 },
    }
}

/// Whether the expiry of the timer moved although it has not fired: the program has set it anew, so values inferred
/// from the old setting no longer hold.
fn is_set_anew(before: &Sighting, after: &Sighting, now: Millis) -> bool {
    now + CLOCKS < before.fires && after.fires.abs_diff(before.fires) > CLOCKS
}

/// Combines two successive readings.
fn follow(earlier: &Remembered, socket: &Socket, mut sight: Sighting, now: Millis, wheel: Wheel) -> Remembered {
    let mut idle = idle_bounds(socket).narrowed(earlier.idle);
    let mut fired_under = earlier.fired_under;
    if let Some(refired) = socket.idle().and_then(|silent| refired(&earlier.last, &sight, silent, now)) {
        idle = IdleBounds::from_times(refired, Some(refired));
        fired_under = Some(earlier.defaults);
    }
    sight.longest_left_ms = sight.longest_left_ms.max(earlier.last.longest_left_ms);
    let interval_s = interval(&earlier.last, &sight, wheel).or(earlier.interval_s);
    Remembered { idle, interval_s, fired_under, last: sight, ..*earlier }
}

/// The interval, once a probe was seen to follow another: the time between the two firings is one interval plus the
/// lateness of a timer. `None` unless exactly one whole number of seconds fits.
fn interval(before: &Sighting, after: &Sighting, wheel: Wheel) -> Option<u32> {
    if before.unanswered == 0 || before.unanswered.checked_add(1) != Some(after.unanswered) {
        return None;
    }
    let between = Millis::from(after.silent_then_ms?.checked_sub(before.silent_then_ms?)?);
    let least = (between - wheel.lateness(between)).max(after.longest_left_ms.into());
    IdleBounds::from_times(least, Some(between)).exact()
}

/// The exact idle time, if the timer fired since the last reading, was set again for the remaining time, and nothing
/// came since.
fn refired(before: &Sighting, after: &Sighting, silent: Millis, now: Millis) -> Option<Millis> {
    if now < before.fires {
        return None;
    }
    let fired_ago = now - before.fires;
    // A timer with nothing left is late, not set again. A probe that a full queue of this host refused is tried again after
    // half a second, so a short time may be that, not what is left of the idle time.
    let is_refused = after.fires <= now + REFUSED && now >= before.fires + REFUSED;
    let is_set_again = after.fires > before.fires + CLOCKS && after.fires > now && !is_refused;
    let is_untouched_since = silent > fired_ago + CLOCKS;
    let idle_time = silent + (after.fires - now);
    let is_whole = IdleBounds::from_times(idle_time, Some(idle_time)).exact().is_some();
    (before.unanswered == 0 && after.unanswered == 0 && is_set_again && is_untouched_since && is_whole)
        .then_some(idle_time)
}
