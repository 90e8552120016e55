//! Numbers of CLOSE-WAITs that groups of connections had in the last five minutes.

use std::collections::VecDeque;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::group::{GroupBy, GroupIdentity};
use crate::model::address::NetnsId;

/// Past of a group: numbers of CLOSE-WAITs by time.
type Past = VecDeque<(Duration, u64)>;

/// What groups are made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct GroupedBy {
    pub(super) netns: Option<NetnsId>,
    pub(super) by: GroupBy,
    /// The filter, as typed
    pub(super) typed: String,
}

/// The past of each group.
#[derive(Debug, Default)]
pub struct GroupHistory {
    groups: FxHashMap<GroupIdentity, Past>,
    /// What the groups are made by; if it changes, the past is dropped
    grouped_by: GroupedBy,
}

impl GroupHistory {
    /// Number of CLOSE-WAITs that a group had up to five minutes before `at`. Also records its current number, `now`.
    pub(super) fn close_wait_before(&mut self, group: &GroupIdentity, now: u64, at: Duration) -> Option<u64> {
        const SPAN: Duration = Duration::from_secs(300);
        const STEP: Duration = Duration::from_secs(5);
        let past = self.groups.entry(group.clone()).or_default();
        if past.back().is_none_or(|(last, _)| at.saturating_sub(*last) >= STEP) {
            past.push_back((at, now));
        }
        while past.len() > 1 && at.saturating_sub(past[0].0) > SPAN {
            past.pop_front();
        }
        past.front().filter(|(since, _)| at > *since).map(|(_, before)| *before)
    }

    /// Sets what the groups are made by. If it has changed, the past of all groups is dropped.
    pub(super) fn group_by(&mut self, by: GroupedBy) {
        if by != self.grouped_by {
            self.groups.clear();
            self.grouped_by = by;
        }
    }

    /// Drops the past of groups that are not in the snapshot.
    pub(super) fn keep(&mut self, is_there: impl Fn(&GroupIdentity) -> bool) {
        self.groups.retain(|group, _| is_there(group));
    }
}

#[cfg(test)]
mod tests {
    use super::{GroupBy, GroupHistory, GroupIdentity, GroupedBy};
    use std::time::Duration;

    #[test]
    fn growth_is_measured_against_five_minutes_ago_at_most() {
        let mut history = GroupHistory::default();
        let nginx = GroupIdentity::Command("nginx".to_owned());
        let before: Vec<_> =
            (0..=70).map(|step| history.close_wait_before(&nginx, step, Duration::from_secs(10 * step))).collect();
        assert_eq!(before[0], None, "nothing is known of the past yet");
        assert_eq!(before[30], Some(0));
        assert_eq!(before[70], Some(40), "300 s before");
    }

    #[test]
    fn groups_made_otherwise_have_no_past() {
        let mut history = GroupHistory::default();
        let group = GroupIdentity::Without("nginx".to_owned());
        for (by, before) in [(GroupBy::Process, None), (GroupBy::Process, Some(1)), (GroupBy::Unit, None)] {
            history.group_by(GroupedBy { by, ..GroupedBy::default() });
            let at = Duration::from_secs(if before.is_some() { 10 } else { 0 });
            assert_eq!(history.close_wait_before(&group, 1, at), before, "{by:?}");
        }
    }
}
