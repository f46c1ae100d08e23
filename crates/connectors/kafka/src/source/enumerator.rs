//! Finds partitions, and gives each to the reader that it belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flott_connector::{
    Assignments, Background, Discovery, EnumeratorContext, Payload, Split, SplitEnumerator,
};
use flott_kafka::TopicPartition;
use flott_types::{CheckpointId, Result, SubtaskIndex, Timestamp};
use serde::{Deserialize, Serialize};

use super::SourceConfig;
use super::discovery::look;
use super::split::PartitionSplit;

/// After a look that has failed, the next one is this much later, in milliseconds.
const LOOK_AGAIN: i64 = 10_000;

const VERSION: u32 = 1;

pub(super) struct KafkaEnumerator {
    config: Arc<SourceConfig>,
    context: EnumeratorContext,
    /// Partitions that were found, whoever reads them.
    known: BTreeSet<TopicPartition>,
    /// Those that nobody has.
    waiting: Vec<PartitionSplit>,
    /// Whether the first look is over.
    is_looked: bool,
    registered: BTreeSet<SubtaskIndex>,
    look: Background<Vec<PartitionSplit>>,
    next_look: Option<Timestamp>,
}

/// What is in the checkpoint.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    known: BTreeMap<String, Vec<i32>>,
    waiting: Vec<PartitionSplit>,
    is_looked: bool,
}

impl KafkaEnumerator {
    pub(super) fn new(
        config: Arc<SourceConfig>,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Self> {
        let mut enumerator = KafkaEnumerator {
            look: Background::new("a look for partitions", context.waker.clone()),
            config,
            known: BTreeSet::new(),
            waiting: Vec::new(),
            is_looked: false,
            registered: BTreeSet::new(),
            next_look: None,
            context,
        };
        if let Some(restored) = restored {
            let what = "the partitions of a source of Kafka";
            let Snapshot { known, waiting, is_looked } = restored.from_json(&[VERSION], what)?;
            let of_topic = |(topic, indexes): (String, Vec<i32>)| {
                indexes.into_iter().map(move |index| (topic.clone(), index)).collect::<Vec<_>>()
            };
            enumerator.known = known.into_iter().flat_map(of_topic).collect();
            (enumerator.waiting, enumerator.is_looked) = (waiting, is_looked);
        }
        // A bounded source has looked once and for all.
        if !enumerator.is_looked || enumerator.config.discovery_interval.is_some() {
            enumerator.start_look()?;
        }
        Ok(enumerator)
    }

    fn start_look(&mut self) -> Result<()> {
        let (config, known, is_first) = (self.config.clone(), self.known.clone(), !self.is_looked);
        self.next_look = None;
        self.look.start(move || look(&config, &known, is_first))
    }

    /// The reader of a partition: those of a topic follow one another.
    fn owner(&self, split: &PartitionSplit) -> SubtaskIndex {
        owner(&split.topic, split.partition, self.context.parallelism)
    }

    /// Gives readers that are there what belongs to them.
    fn assign(&mut self, assignments: &mut Assignments) -> Result<()> {
        let mut given: BTreeMap<SubtaskIndex, Vec<Split>> = BTreeMap::new();
        let mut waiting = Vec::new();
        for split in std::mem::take(&mut self.waiting) {
            let owner = self.owner(&split);
            if self.registered.contains(&owner) {
                given.entry(owner).or_default().push(split.to_split()?);
            } else {
                waiting.push(split);
            }
        }
        self.waiting = waiting;
        given.into_iter().for_each(|(reader, splits)| assignments.assign(reader, splits));
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.is_looked && self.config.end.is_some()
    }

    fn found(&mut self, splits: Vec<PartitionSplit>) {
        for split in &splits {
            self.known.insert((split.topic.clone(), split.partition));
        }
        self.waiting.extend(splits);
    }
}

/// The reader of a partition, as in Flink: a job that is restored there and here reads alike.
fn owner(topic: &str, partition: i32, readers: u32) -> SubtaskIndex {
    let hash =
        topic.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    let first = hash.wrapping_mul(31) & i32::MAX;
    let readers = i64::from(readers.max(1));
    SubtaskIndex((i64::from(first) % readers + i64::from(partition)).rem_euclid(readers) as u32)
}

impl SplitEnumerator for KafkaEnumerator {
    fn reader_registered(
        &mut self,
        reader: SubtaskIndex,
        _: &[String],
        assignments: &mut Assignments,
    ) -> Result<()> {
        self.registered.insert(reader);
        self.assign(assignments)?;
        if self.is_complete() {
            assignments.no_more_splits(reader);
        }
        Ok(())
    }

    /// Partitions are not given to whoever asks first.
    fn splits_requested(&mut self, _: SubtaskIndex, _: &mut Assignments) -> Result<()> {
        Ok(())
    }

    fn splits_returned(
        &mut self,
        reader: SubtaskIndex,
        splits: Vec<Split>,
        _: &mut Assignments,
    ) -> Result<()> {
        self.registered.remove(&reader);
        for split in &splits {
            self.waiting.push(PartitionSplit::from_split(split)?);
        }
        Ok(())
    }

    fn work(&mut self, now: Timestamp, assignments: &mut Assignments) -> Result<()> {
        match self.look.take() {
            None => {}
            Some(Ok(splits)) => {
                let is_first = !self.is_looked;
                self.found(splits);
                self.is_looked = true;
                self.assign(assignments)?;
                if is_first && self.is_complete() {
                    self.registered.iter().for_each(|reader| assignments.no_more_splits(*reader));
                }
                self.next_look = self.config.discovery_interval.map(|interval| now.saturating_add(interval));
            }
            Some(Err(error)) if !self.is_looked => return Err(error),
            Some(Err(error)) => {
                tracing::warn!("new partitions cannot be looked for: {error}; the next look is in 10 s");
                self.next_look = Some(now.saturating_add(LOOK_AGAIN));
            }
        }
        if self.next_look.is_some_and(|next| next <= now) && !self.look.is_busy() {
            self.start_look()?;
        }
        Ok(())
    }

    fn next_time(&self) -> Option<Timestamp> {
        self.next_look
    }

    fn discovery(&self) -> Discovery {
        match (self.look.is_busy(), self.is_looked) {
            (true, false) => Discovery::First,
            (true, true) => Discovery::Again,
            (false, _) => Discovery::None,
        }
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Payload> {
        let mut known: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        for (topic, index) in &self.known {
            known.entry(topic.clone()).or_default().push(*index);
        }
        let snapshot = Snapshot { known, waiting: self.waiting.clone(), is_looked: self.is_looked };
        Payload::json(VERSION, &snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_a_topic_are_spread_evenly() {
        for topic in ["orders", "a", "", "\u{1F600}"] {
            let mut count = [0; 4];
            for partition in 0..12 {
                let SubtaskIndex(reader) = owner(topic, partition, 4);
                count[reader as usize] += 1;
            }
            assert_eq!(count, [3; 4], "{topic}");
        }
        // "orders".hashCode() is -1008770331 in Java.
        assert_eq!(
            owner("orders", 0, 7),
            SubtaskIndex(((-1_008_770_331_i32).wrapping_mul(31) & i32::MAX) as u32 % 7)
        );
    }
}
