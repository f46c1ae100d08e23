//! Sources that wait for each other: the JobManager's side.
//!
//! Each reader of a group tells now and then how far its event time has come; all are told the least of it,
//! and none reads on while it is further ahead than its strategy allows. A reader that is idle, or has
//! nothing to read, or has ended, does not count. A reader that has splits and no rows yet does: nobody knows
//! what it will find.
//!
//! Announcements are held to one in the group's update interval, so that a thousand readers do not cause a
//! million messages: no more than one to each reader in an interval, and none if nothing changed. What is
//! told is out of date by up to two intervals; that is what a drift is for.

use std::collections::BTreeMap;

use flott_checkpoint::TaskId;
use flott_connector::WatermarkAlignment;
use flott_types::Timestamp;

/// The alignment groups of one attempt of a job.
#[derive(Default, Debug)]
pub(crate) struct AlignmentGroups(BTreeMap<String, Group>);

#[derive(Debug)]
struct Group {
    members: BTreeMap<TaskId, Member>,
    update_interval: i64,
    /// Nothing is sent before this.
    quiet_until: Timestamp,
}

#[derive(Default, Debug)]
struct Member {
    watermark: Option<Timestamp>,
    /// The last message to it, if any.
    told: Option<Option<Timestamp>>,
}

impl Group {
    fn least(&self) -> Option<Timestamp> {
        self.members.values().filter_map(|member| member.watermark).min()
    }

    fn has_news(&self) -> bool {
        let least = self.least();
        self.members.values().any(|member| member.told != Some(least))
    }
}

impl AlignmentGroups {
    /// A reader has told how far it has come; `None` if it holds nobody back.
    pub(crate) fn report(&mut self, task: TaskId, policy: &WatermarkAlignment, watermark: Option<Timestamp>) {
        let new = || Group {
            members: BTreeMap::new(),
            update_interval: policy.update_interval,
            quiet_until: Timestamp::MIN,
        };
        let group = self.0.entry(policy.group.clone()).or_insert_with(new);
        // Members that do not agree get the shortest interval that any of them wants.
        group.update_interval = group.update_interval.min(policy.update_interval);
        group.members.entry(task).or_default().watermark = watermark;
    }

    /// A task's input has ended.
    pub(crate) fn remove(&mut self, task: TaskId) {
        for group in self.0.values_mut() {
            group.members.remove(&task);
        }
        self.0.retain(|_, group| !group.members.is_empty());
    }

    /// Another attempt begins.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// When `due` has something to say.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.0.values().filter(|group| group.has_news()).map(|group| group.quiet_until).min()
    }

    /// Whom to tell what now.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<(TaskId, Option<Timestamp>)> {
        let mut news = Vec::new();
        for group in self.0.values_mut().filter(|group| group.quiet_until <= now && group.has_news()) {
            group.quiet_until = now.saturating_add(group.update_interval);
            let least = group.least();
            for (task, member) in &mut group.members {
                if member.told.replace(least) != Some(least) {
                    news.push((*task, least));
                }
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use flott_types::{SubtaskIndex, VertexId};

    use super::*;

    fn task(vertex: u32) -> TaskId {
        TaskId { vertex: VertexId(vertex), subtask: SubtaskIndex(0) }
    }

    fn policy(group: &str) -> WatermarkAlignment {
        WatermarkAlignment { group: group.to_owned(), max_drift: 10, update_interval: 100 }
    }

    #[test]
    fn all_receive_the_minimum_once_per_interval() {
        let mut all = AlignmentGroups::default();
        all.report(task(1), &policy("a"), Some(500));
        assert_eq!(all.due(0), [(task(1), Some(500))]);
        all.report(task(2), &policy("a"), Some(300));
        assert_eq!(all.due(99), []);
        assert_eq!(all.next_deadline(), Some(100));
        assert_eq!(all.due(100), [(task(1), Some(300)), (task(2), Some(300))]);
        all.report(task(1), &policy("a"), Some(900));
        assert_eq!((all.next_deadline(), all.due(1_000)), (None, Vec::new()));
    }

    #[test]
    fn idle_and_ended_readers_do_not_count() {
        let mut all = AlignmentGroups::default();
        all.report(task(1), &policy("a"), Some(500));
        all.report(task(2), &policy("a"), Some(i64::MIN));
        assert_eq!(all.due(0), [(task(1), Some(i64::MIN)), (task(2), Some(i64::MIN))]);
        all.report(task(2), &policy("a"), None);
        assert_eq!(all.due(100), [(task(1), Some(500)), (task(2), Some(500))]);
        all.report(task(2), &policy("a"), Some(20));
        all.remove(task(2));
        assert_eq!(all.due(200), []);
        all.report(task(1), &policy("a"), None);
        assert_eq!(all.due(300), [(task(1), None)]);
    }

    #[test]
    fn groups_do_not_know_each_other() {
        let mut all = AlignmentGroups::default();
        all.report(task(1), &policy("a"), Some(500));
        all.report(task(2), &policy("b"), Some(300));
        assert_eq!(all.due(0), [(task(1), Some(500)), (task(2), Some(300))]);
    }
}
