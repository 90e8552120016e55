//! Counts of the header, and their history over five minutes.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::liveness::Verdict;
use crate::model::state::TcpState;

/// Counts of all sockets of a snapshot, regardless of the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Connections
    pub connections: u64,
    /// In ESTABLISHED
    pub established: u64,
    /// In TIME-WAIT
    pub time_wait: u64,
    /// In CLOSE-WAIT
    pub close_wait: u64,
    /// Peers that leave probes or data unanswered
    pub silent: u64,
    /// Quiet connections on which nothing would notice a dead peer
    pub unguarded: u64,
    /// Listeners
    pub listeners: u64,
}

impl Counts {
    /// Counts one socket.
    pub(crate) fn count(&mut self, state: TcpState, verdict: Option<Verdict>) {
        match state {
            TcpState::Established => self.established += 1,
            TcpState::TimeWait => self.time_wait += 1,
            TcpState::CloseWait => self.close_wait += 1,
            TcpState::Listen => self.listeners += 1,
            _ => {}
        }
        self.connections += u64::from(state.is_connection());
        match verdict {
            Some(verdict) if verdict.is_silent() => self.silent += 1,
            Some(Verdict::Unguarded) => self.unguarded += 1,
            _ => {}
        }
    }
}

/// History of the counts: one sample per five seconds, the last of each.
#[derive(Debug, Default)]
pub(crate) struct History {
    samples: VecDeque<(u64, Counts)>,
}

const STEP_SECONDS: u64 = 5;
/// Number of samples in five minutes.
const STEPS: u64 = 60;

impl History {
    /// Adds the counts of a snapshot; `at` is the time since the dashboard was opened.
    pub(crate) fn push(&mut self, at: Duration, counts: Counts) {
        let step = at.as_secs() / STEP_SECONDS;
        match self.samples.back_mut() {
            Some(last) if last.0 == step => last.1 = counts,
            _ => self.samples.push_back((step, counts)),
        }
        while self.samples.front().is_some_and(|(first, _)| first + STEPS <= step) {
            self.samples.pop_front();
        }
    }

    /// Whether there is no sample yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The last `most` samples of one count, the newest last.
    pub(crate) fn of(&self, pick: fn(&Counts) -> u64, most: usize) -> Vec<u64> {
        let from = self.samples.len().saturating_sub(most);
        self.samples.iter().skip(from).map(|(_, counts)| pick(counts)).collect()
    }
}

/// The values as a line of small bars. The lowest bar is the minimum, or 0 if `is_from_zero`.
pub(crate) fn sparkline(values: &[u64], is_from_zero: bool) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let least = if is_from_zero { 0 } else { values.iter().min().copied().unwrap_or(0) };
    let most = values.iter().max().copied().unwrap_or(0);
    let span = most - least;
    let level = |value: u64| usize::try_from(((value - least) * 7).checked_div(span).unwrap_or(0)).unwrap_or(0);
    values.iter().map(|value| BARS[level(*value)]).collect()
}

#[cfg(test)]
mod tests {
    use super::{Counts, History};
    use std::time::Duration;

    #[test]
    fn what_is_older_than_five_minutes_is_no_last_minute() {
        let mut history = History::default();
        for minute in 0..10 {
            history.push(Duration::from_secs(60 * minute), Counts { connections: minute, ..Counts::default() });
        }
        assert_eq!(history.of(|counts| counts.connections, 60), [5, 6, 7, 8, 9]);
    }
}
