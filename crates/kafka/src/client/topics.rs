//! Topics, their partitions, and who leads them.

use kafka_protocol::ResponseError;
use kafka_protocol::error::ParseResponseErrorCode;
use kafka_protocol::messages::MetadataRequest;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;

use super::{Client, name};
use crate::failure::{Failure, Result};

/// A topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its partitions, by number.
    pub partitions: Vec<Partition>,
}

/// A partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Partition {
    /// Its number.
    pub index: i32,
    /// The broker that leads it; none during an election.
    pub leader: Option<i32>,
}

/// A partition by its topic and number.
pub type TopicPartition = (String, i32);

/// A broker, and the partitions that it leads.
type Led = (i32, Vec<TopicPartition>);

impl Client {
    /// These topics, or all but Kafka's own. A topic that there is not is left out, and made, where `make`
    /// says so and brokers do (`auto.create.topics.enable`).
    ///
    /// # Errors
    /// If the brokers do not answer, or the user may not see them.
    pub fn topics(&mut self, topics: Option<&[&str]>, make: bool) -> Result<Vec<Topic>> {
        self.retry("the list of topics", |client| client.topics_once(topics, make))
    }

    pub(crate) fn topics_once(&mut self, topics: Option<&[&str]>, make: bool) -> Result<Vec<Topic>> {
        let wanted = |topics: &[&str]| {
            topics.iter().map(|topic| MetadataRequestTopic::default().with_name(Some(name(topic)))).collect()
        };
        let request =
            MetadataRequest::default().with_topics(topics.map(wanted)).with_allow_auto_topic_creation(make);
        let response = self.ask_any(&request)?;
        // Who is not in the list is down, and leads and coordinates nothing.
        self.brokers.retain(|id, _| response.brokers.iter().any(|broker| broker.node_id.0 == *id));
        for broker in &response.brokers {
            self.learn(broker.node_id.0, &broker.host, broker.port);
        }
        let controller = response.controller_id.0;
        self.controller = self.brokers.contains_key(&controller).then_some(controller);
        let mut found = Vec::new();
        for topic in response.topics {
            let text = topic.name.map(|name| name.to_string()).unwrap_or_default();
            if topics.is_none() && topic.is_internal {
                continue;
            }
            match topic.error_code.err() {
                None => {}
                Some(ResponseError::UnknownTopicOrPartition) if !make => continue,
                Some(error) => return Err(Failure::code(error, format!("topic {text}"))),
            }
            let mut partitions: Vec<Partition> = topic
                .partitions
                .iter()
                .map(|partition| Partition {
                    index: partition.partition_index,
                    leader: (partition.leader_id.0 >= 0).then_some(partition.leader_id.0),
                })
                .collect();
            partitions.sort_by_key(|partition| partition.index);
            found.push(Topic { name: text, partitions });
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// The leaders of partitions of these topics, for who asks each of them something.
    pub(super) fn leaders(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Led>> {
        let mut names: Vec<&str> = partitions.iter().map(|(topic, _)| topic.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let topics = self.topics_once(Some(&names), false)?;
        let mut leaders: Vec<Led> = Vec::new();
        for (topic, index) in partitions {
            let found = topics.iter().find(|found| found.name == *topic);
            let found = found.and_then(|topic| topic.partitions.iter().find(|found| found.index == *index));
            let what = || format!("partition {topic}-{index}");
            let leader = match found.map(|partition| partition.leader) {
                None => return Err(Failure::code(ResponseError::UnknownTopicOrPartition, what())),
                Some(None) => return Err(Failure::code(ResponseError::LeaderNotAvailable, what())),
                Some(Some(leader)) => leader,
            };
            let entry = (topic.clone(), *index);
            match leaders.iter_mut().find(|(known, _)| *known == leader) {
                Some((_, of)) => of.push(entry),
                None => leaders.push((leader, vec![entry])),
            }
        }
        Ok(leaders)
    }
}
