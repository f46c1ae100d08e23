//! What is told of a reader while it reads, under Flink's names.
//!
//! | metric | what it is |
//! |---|---|
//! | `pendingRecords` | records behind those that were read, as of the last fetch of each partition |
//! | `KafkaSourceReader.commitsSucceeded`, `commitsFailed` | commits of offsets to the group |
//! | `KafkaSourceReader.topic.T.partition.N.currentOffset` | the offset of the last record that was read |
//! | `KafkaSourceReader.topic.T.partition.N.committedOffset` | the last offset that was committed to the group |

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_connector::{Counter, Gauge, MetricGroup};

type Key = (Arc<str>, i32);

/// Of all partitions of a reader.
pub(super) struct Progress {
    group: MetricGroup,
    partitions: BTreeMap<Key, PartitionProgress>,
    pending: Gauge,
}

struct PartitionProgress {
    current: Gauge,
    /// Records that are there and not read.
    pending: i64,
}

/// Of commits to the group.
#[derive(Clone)]
pub(super) struct Commits {
    group: MetricGroup,
    pub(super) succeeded: Counter,
    pub(super) failed: Counter,
}

impl Progress {
    pub(super) fn new(metrics: &MetricGroup) -> Self {
        Progress {
            group: metrics.group("KafkaSourceReader"),
            partitions: BTreeMap::new(),
            pending: metrics.gauge("pendingRecords"),
        }
    }

    /// A partition was read up to a position, and its log ends there as far as is known.
    pub(super) fn read(&mut self, key: &Key, position: i64, end: i64) {
        let group = &self.group;
        let partition = self.partitions.entry(key.clone()).or_insert_with(|| PartitionProgress {
            current: of_partition(group, &key.0, key.1).gauge("currentOffset"),
            pending: 0,
        });
        partition.current.set(position - 1);
        let pending = end.saturating_sub(position).max(0);
        self.pending.set(self.pending.get() + pending - partition.pending);
        partition.pending = pending;
    }

    /// A partition is not read any more.
    pub(super) fn ended(&mut self, key: &Key) {
        if let Some(partition) = self.partitions.get_mut(key) {
            self.pending.set(self.pending.get() - partition.pending);
            partition.pending = 0;
        }
    }

    pub(super) fn commits(&self) -> Commits {
        let group = self.group.clone();
        Commits {
            succeeded: group.counter("commitsSucceeded"),
            failed: group.counter("commitsFailed"),
            group,
        }
    }
}

impl Commits {
    /// Offsets that the group has now.
    pub(super) fn committed(&self, offsets: &[(String, i32, i64)]) {
        self.succeeded.add(1);
        for (topic, index, offset) in offsets {
            // The one that is there, if there is.
            of_partition(&self.group, topic, *index).gauge("committedOffset").set(*offset);
        }
    }
}

fn of_partition(group: &MetricGroup, topic: &str, index: i32) -> MetricGroup {
    group.group("topic").group(topic).group("partition").group(&index.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_records_are_those_of_all_partitions() {
        let metrics = MetricGroup::default();
        let mut progress = Progress::new(&metrics);
        let (one, other): (Key, Key) = (("t".into(), 0), ("t".into(), 1));
        let pending = metrics.gauge("pendingRecords");
        progress.read(&one, 10, 30);
        progress.read(&other, 0, 5);
        assert_eq!(pending.get(), 25);
        progress.read(&one, 30, 30);
        assert_eq!(pending.get(), 5);
        progress.ended(&other);
        assert_eq!(pending.get(), 0);
        let commits = progress.commits();
        commits.committed(&[("t".to_owned(), 0, 30)]);
        let named =
            |name: &str| metrics.gauge(&format!("KafkaSourceReader.topic.t.partition.0.{name}")).get();
        assert_eq!([named("currentOffset"), named("committedOffset")], [29, 30]);
    }
}
