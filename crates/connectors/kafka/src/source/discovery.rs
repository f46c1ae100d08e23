//! Which partitions there are, and where each begins and ends.

use std::collections::BTreeSet;

use flott_kafka::{Client, TopicPartition};
use flott_types::{Error, Result};

use super::split::PartitionSplit;
use super::{SourceConfig, Topics};
use crate::offsets::Place;

/// Looks for partitions that are not known. Those that are found later are read from the start: everything
/// in them was written after somebody began to read.
pub(super) fn look(
    config: &SourceConfig,
    known: &BTreeSet<TopicPartition>,
    is_first: bool,
) -> Result<Vec<PartitionSplit>> {
    let mut client = Client::new(config.connection.client.clone(), std::sync::Arc::default());
    let topics = match &config.topics {
        Topics::These(names) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let found = client.topics(Some(&names), false)?;
            if let Some(missing) = names.iter().find(|name| found.iter().all(|topic| topic.name != **name)) {
                return Err(Error::external(format!("Kafka: there is no topic '{missing}'")));
            }
            found
        }
        Topics::Matching(pattern) => {
            let mut found = client.topics(None, false)?;
            found.retain(|topic| pattern.is_match(&topic.name));
            found
        }
    };
    let of_topic = |topic: &flott_kafka::Topic| {
        let name = topic.name.clone();
        topic.partitions.iter().map(move |partition| (name.clone(), partition.index)).collect::<Vec<_>>()
    };
    let new: Vec<TopicPartition> =
        topics.iter().flat_map(of_topic).filter(|partition| !known.contains(partition)).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let looking = config.looking();
    let start = if is_first { &config.start } else { &Place::Earliest };
    let starts = looking.start(&mut client, start, &new)?;
    let ends = config.end.as_ref().map(|end| looking.end(&mut client, end, &new)).transpose()?;
    let split = |partition: TopicPartition| {
        let offset = starts.get(&partition).copied();
        let offset = offset.ok_or_else(|| {
            Error::external(format!("Kafka: partition {}-{} has no offsets", partition.0, partition.1))
        })?;
        let end = ends.as_ref().and_then(|ends| ends.get(&partition).copied());
        Ok(PartitionSplit { topic: partition.0, partition: partition.1, offset, end })
    };
    new.into_iter().map(split).collect()
}
