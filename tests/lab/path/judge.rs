//! Holds a prediction against what the kernel did. Knows times only: no sockets, no clock.

use std::time::Duration;

/// Accuracy of "exact": 300 ms and 2 %.
const EXACT: (Duration, u32) = (Duration::from_millis(300), 2);
/// The kernel reports times in ticks of 4 ms at 250 Hz, rounded down, and two of them are added up.
const TICKS: Duration = Duration::from_millis(10);

/// The earliest and the latest time at which something was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Between {
    pub(crate) earliest: Duration,
    pub(crate) latest: Duration,
}

impl Between {
    fn middle(self) -> Duration {
        (self.earliest + self.latest) / 2
    }

    pub(crate) fn width(self) -> Duration {
        self.latest.saturating_sub(self.earliest)
    }

    fn later_by(self, time: Duration) -> Self {
        Self { earliest: self.earliest + time, latest: self.latest + time }
    }

    /// How far this lies from the other, in milliseconds: negative if it came before, 0 if both may be the same time.
    fn off(self, other: Self) -> i64 {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap();
        if self.latest < other.earliest {
            -millis(other.earliest.saturating_sub(self.latest))
        } else {
            millis(self.earliest.saturating_sub(other.latest))
        }
    }
}

/// What the kernel did with the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was ended after the one time and before the other
    Ended(Between),
    /// It was still there at this time
    Lived(Duration),
}

/// What a look said: the bound, the time, and when the row was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) bound: String,
    pub(crate) after: Option<Duration>,
    pub(crate) read: Between,
}

/// Result of a prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ruling {
    /// It is true. The number is how far an exact time was off in milliseconds, or what part of the shorter time is of
    /// the longer one for a bound.
    Exact(i64),
    AtLeast(f64),
    AtMost(f64),
    /// It is true, and nothing ended that could tell how near it was
    True,
    /// The socket was not watched for long enough to tell
    Open,
    /// It is false, by this many milliseconds
    Lie(Option<i64>),
}

impl Said {
    /// Holds the prediction against the end.
    pub(crate) fn against(&self, fate: Fate) -> Ruling {
        match (self.bound.as_str(), self.after, fate) {
            ("never" | "not_applicable", None, Fate::Lived(_)) | ("at_least", Some(_), Fate::Lived(_)) => Ruling::True,
            ("at_least", Some(after), Fate::Ended(end)) => {
                let off = end.off(self.read.later_by(after.saturating_sub(TICKS)));
                if off < 0 { Ruling::Lie(Some(off)) } else { Ruling::AtLeast(part(after, self.came(end))) }
            }
            ("at_most", Some(after), Fate::Ended(end)) => {
                let off = end.off(self.read.later_by(after + TICKS));
                if off > 0 { Ruling::Lie(Some(off)) } else { Ruling::AtMost(part(self.came(end), after)) }
            }
            ("exact", Some(after), Fate::Ended(end)) => {
                let off = end.off(self.read.later_by(after));
                if u128::from(off.unsigned_abs()) > tolerance(after).as_millis() {
                    return Ruling::Lie(Some(off));
                }
                Ruling::Exact(off)
            }
            ("exact" | "at_most", Some(after), Fate::Lived(until)) => {
                let slack = if self.bound == "exact" { tolerance(after) } else { TICKS };
                if until > self.read.latest + after + slack { Ruling::Lie(None) } else { Ruling::Open }
            }
            _ => Ruling::Lie(None),
        }
    }

    /// Time from the look to the end.
    pub(crate) fn came(&self, end: Between) -> Duration {
        end.middle().saturating_sub(self.read.middle())
    }

    /// The same prediction, false by so much that it has to be noticed: by the width of what is known of both times,
    /// and 50 ms more than the promise allows. `None` if no time could be that false.
    pub(crate) fn distorted(&self, end: Between) -> Vec<Self> {
        const MORE: Duration = Duration::from_millis(50);
        let blur = end.width() + self.read.width() + MORE;
        let with = |bound: &str, after: Option<Duration>| Self { bound: bound.to_owned(), after, read: self.read };
        let came = self.came(end);
        let late = came + blur + tolerance(came + blur) * 2;
        let mut all = vec![with("never", None), with("at_least", Some(came + blur)), with("exact", Some(late))];
        // What comes soon cannot have been said to come much sooner.
        all.extend(came.checked_sub(blur).map(|after| with("at_most", Some(after))));
        let early = came.checked_sub(blur + tolerance(came));
        all.extend(early.map(|after| with("exact", Some(after))));
        all
    }
}

fn tolerance(after: Duration) -> Duration {
    EXACT.0 + after * EXACT.1 / 100
}

/// What part the first time is of the second.
fn part(one: Duration, of: Duration) -> f64 {
    if of.is_zero() { 1.0 } else { one.as_secs_f64() / of.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::{Between, Fate, Ruling, Said};
    use std::time::Duration;

    fn between(earliest: u64, latest: u64) -> Between {
        Between { earliest: Duration::from_millis(earliest), latest: Duration::from_millis(latest) }
    }

    fn said(bound: &str, after: Option<u64>) -> Said {
        Said { bound: bound.to_owned(), after: after.map(Duration::from_millis), read: between(1_000, 1_020) }
    }

    fn is_lie(ruling: Ruling) -> bool {
        matches!(ruling, Ruling::Lie(_))
    }

    #[test]
    fn a_false_prediction_is_a_lie_and_a_true_one_is_not() {
        // The look was at 1 s, and the end came at 11 s: it had 10 s left. "Exact" may be off by 0.5 s.
        let end = Fate::Ended(between(11_000, 11_010));
        let ruling = |bound, after| said(bound, after).against(end);
        assert_eq!(ruling("exact", Some(10_000)), Ruling::Exact(0));
        assert_eq!(ruling("exact", Some(9_600)), Ruling::Exact(380));
        assert_eq!(ruling("exact", Some(10_400)), Ruling::Exact(-390));
        assert_eq!(ruling("exact", Some(9_400)), Ruling::Lie(Some(580)));
        assert_eq!(ruling("exact", Some(10_600)), Ruling::Lie(Some(-590)));
        assert!(matches!(ruling("at_least", Some(10_000)), Ruling::AtLeast(_)));
        assert!(matches!(ruling("at_least", Some(0)), Ruling::AtLeast(_)));
        assert_eq!(ruling("at_least", Some(10_040)), Ruling::Lie(Some(-20)));
        assert!(matches!(ruling("at_most", Some(10_000)), Ruling::AtMost(_)));
        assert_eq!(ruling("at_most", Some(9_900)), Ruling::Lie(Some(70)));
        assert!(is_lie(ruling("never", None)) && is_lie(ruling("not_applicable", None)));
        assert!(is_lie(ruling("exact", None)) && is_lie(ruling("soon", Some(10_000))));
    }

    #[test]
    fn a_socket_that_lives_on_refutes_what_should_have_ended_it() {
        let ruling = |bound, after| said(bound, after).against(Fate::Lived(Duration::from_secs(11)));
        assert!(is_lie(ruling("exact", Some(5_000))) && is_lie(ruling("at_most", Some(5_000))));
        assert_eq!([ruling("exact", Some(30_000)), ruling("at_most", Some(30_000))], [Ruling::Open; 2]);
        assert_eq!([ruling("never", None), ruling("at_least", Some(1))], [Ruling::True; 2]);
    }

    #[test]
    fn each_distortion_is_noticed() {
        for (earliest, latest) in [(1_030, 1_060), (2_000, 2_010), (11_000, 11_300), (131_000, 131_050)] {
            let end = between(earliest, latest);
            for wrong in said("exact", Some(1)).distorted(end) {
                assert!(is_lie(wrong.against(Fate::Ended(end))), "{wrong:?} {end:?}");
            }
        }
    }
}
