//! Offsets: where partitions begin and end, and what groups have committed.

use std::collections::BTreeMap;

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{
    BrokerId, GroupId, ListOffsetsRequest, OffsetCommitRequest, OffsetFetchRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::{Client, CoordinatorOf, TopicPartition, name};
use crate::config::Isolation;
use crate::failure::{Failure, Result};

/// Which offset of a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OffsetAt {
    /// The first that there is.
    Earliest,
    /// The next that will be written; read committed, that after which transactions are open.
    Latest,
    /// The first whose timestamp is not before this one.
    Timestamp(i64),
}

/// Partitions by topic.
fn by_topic<'a, T>(partitions: impl IntoIterator<Item = (&'a str, T)>) -> BTreeMap<&'a str, Vec<T>> {
    let mut topics: BTreeMap<&str, Vec<T>> = BTreeMap::new();
    for (topic, partition) in partitions {
        topics.entry(topic).or_default().push(partition);
    }
    topics
}

fn group_id(group: &str) -> GroupId {
    StrBytes::from_string(group.to_owned()).into()
}

impl Client {
    /// An offset of each of these partitions; none where no record is so late.
    ///
    /// # Errors
    /// If their leaders do not say.
    pub fn offsets(
        &mut self,
        partitions: &[TopicPartition],
        at: OffsetAt,
        isolation: Isolation,
    ) -> Result<BTreeMap<TopicPartition, Option<i64>>> {
        self.retry("offsets of partitions", |client| client.offsets_once(partitions, at, isolation))
    }

    fn offsets_once(
        &mut self,
        partitions: &[TopicPartition],
        at: OffsetAt,
        isolation: Isolation,
    ) -> Result<BTreeMap<TopicPartition, Option<i64>>> {
        let timestamp = match at {
            OffsetAt::Earliest => -2,
            OffsetAt::Latest => -1,
            OffsetAt::Timestamp(timestamp) => timestamp,
        };
        let mut offsets = BTreeMap::new();
        for (leader, partitions) in self.leaders(partitions)? {
            let asked = |index: i32| {
                ListOffsetsPartition::default()
                    .with_partition_index(index)
                    .with_current_leader_epoch(-1)
                    .with_timestamp(timestamp)
            };
            let topics = by_topic(partitions.iter().map(|(topic, index)| (topic.as_str(), asked(*index))));
            let topics = topics
                .into_iter()
                .map(|(topic, of)| ListOffsetsTopic::default().with_name(name(topic)).with_partitions(of));
            let request = ListOffsetsRequest::default()
                .with_replica_id(BrokerId(-1))
                .with_isolation_level(isolation.level())
                .with_topics(topics.collect());
            let response = self.ask(leader, &request)?;
            for topic in response.topics {
                for partition in topic.partitions {
                    let (topic, index) = (topic.name.to_string(), partition.partition_index);
                    Failure::check(partition.error_code, || format!("partition {topic}-{index}"))?;
                    offsets.insert((topic, index), Some(partition.offset).filter(|offset| *offset >= 0));
                }
            }
        }
        Ok(offsets)
    }

    /// What a group has committed of these partitions; none where it has not.
    ///
    /// # Errors
    /// If the group's coordinator does not say.
    pub fn committed(
        &mut self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, Option<i64>>> {
        let topics = by_topic(partitions.iter().map(|(topic, index)| (topic.as_str(), *index)));
        let topics = topics.into_iter().map(|(topic, of)| {
            OffsetFetchRequestTopic::default().with_name(name(topic)).with_partition_indexes(of)
        });
        let request =
            OffsetFetchRequest::default().with_group_id(group_id(group)).with_topics(Some(topics.collect()));
        self.retry(&format!("offsets of the group '{group}'"), |client| {
            let response = client.ask_coordinator(CoordinatorOf::Group, group, &request)?;
            Failure::check(response.error_code, || format!("group '{group}'"))?;
            let mut offsets = BTreeMap::new();
            for topic in response.topics {
                for partition in topic.partitions {
                    let (topic, index) = (topic.name.to_string(), partition.partition_index);
                    Failure::check(partition.error_code, || format!("partition {topic}-{index}"))?;
                    let offset = Some(partition.committed_offset).filter(|offset| *offset >= 0);
                    offsets.insert((topic, index), offset);
                }
            }
            Ok(offsets)
        })
    }

    /// Commits offsets of a group that has no members.
    ///
    /// # Errors
    /// If the group's coordinator does not take them.
    pub fn commit_offsets(&mut self, group: &str, offsets: &[(String, i32, i64)]) -> Result<()> {
        let partition = |(topic, index, offset): &'_ (String, i32, i64)| {
            let partition = OffsetCommitRequestPartition::default()
                .with_partition_index(*index)
                .with_committed_offset(*offset)
                .with_committed_leader_epoch(-1)
                .with_committed_metadata(Some(StrBytes::default()));
            (topic.clone(), partition)
        };
        let all: Vec<(String, OffsetCommitRequestPartition)> = offsets.iter().map(partition).collect();
        let topics = by_topic(all.iter().map(|(topic, partition)| (topic.as_str(), partition.clone())));
        let topics = topics.into_iter().map(|(topic, of)| {
            OffsetCommitRequestTopic::default().with_name(name(topic)).with_partitions(of)
        });
        let request = OffsetCommitRequest::default()
            .with_group_id(group_id(group))
            .with_generation_id_or_member_epoch(-1)
            .with_topics(topics.collect());
        self.retry(&format!("committing offsets of the group '{group}'"), |client| {
            let response = client.ask_coordinator(CoordinatorOf::Group, group, &request)?;
            for topic in response.topics {
                for partition in topic.partitions {
                    let (topic, index): (&TopicName, i32) = (&topic.name, partition.partition_index);
                    Failure::check(partition.error_code, || format!("partition {}-{index}", topic.as_str()))?;
                }
            }
            Ok(())
        })
    }
}
