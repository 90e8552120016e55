//! Events of a connection until the kernel gives up: when the peer was last heard, when timers fire, when it ends.

use crate::model::liveness::{Bound, Mechanism};
use crate::model::row::Row;
use crate::model::time::Millis;
use crate::model::timer::TimerKind;

/// Kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MarkKind {
    /// The peer was last heard
    Heard,
    /// Time of the snapshot
    Now,
    /// The pending timer fires
    Timer(TimerKind),
    /// A keepalive probe is sent
    Probe,
    /// The kernel gives up
    End,
}

/// Events of a connection, in order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// Milliseconds from now, negative for the past
    pub moments: Vec<(i64, MarkKind)>,
    /// How exact the time of its end is
    pub bound: Bound,
    /// Kernel mechanism that ends it
    pub mechanism: Mechanism,
}

/// Maximum number of probes drawn: more do not fit into a line.
const MOST_PROBES: u64 = 64;

impl Timeline {
    /// Timeline of a row, if nothing more comes from the peer.
    pub(crate) fn of(row: &Row<'_>) -> Self {
        let socket = row.socket;
        let ms = |time: Millis| i64::try_from(time.get()).unwrap_or(i64::MAX);
        let mut moments = vec![(0, MarkKind::Now)];
        moments.extend(socket.idle().map(|idle| (-ms(idle), MarkKind::Heard)));
        let deadline = row.judged.map(|judged| judged.liveness.deadline);
        let end = deadline.and_then(|deadline| deadline.after);
        if let Some(expires) = socket.timer.expires() {
            if socket.timer.kind == TimerKind::Keepalive {
                let keepalive = row.judged.map(|judged| judged.keepalive).unwrap_or_default();
                let left = u64::from(keepalive.values.probes.unwrap_or(1))
                    .saturating_sub(socket.probes_out())
                    .clamp(1, MOST_PROBES);
                let interval = Millis::from_secs(keepalive.values.interval_s.unwrap_or(0));
                let count = if interval == Millis::ZERO { 1 } else { left };
                let probes = (0..count).map(|probe| expires + interval * probe);
                let probes = probes.filter(|at| end.is_none_or(|end| *at < end));
                moments.extend(probes.map(|at| (ms(at), MarkKind::Probe)));
            } else if end.is_none_or(|end| expires < end) {
                moments.push((ms(expires), MarkKind::Timer(socket.timer.kind)));
            }
        }
        moments.extend(end.map(|end| (ms(end), MarkKind::End)));
        moments.sort_by_key(|(at, what)| (*at, *what == MarkKind::End));
        Self {
            moments,
            bound: deadline.map_or(Bound::NotApplicable, |deadline| deadline.bound),
            mechanism: deadline.map_or(Mechanism::None, |deadline| deadline.mechanism),
        }
    }
}
