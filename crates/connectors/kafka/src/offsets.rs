//! Where reading begins and ends.

use std::collections::BTreeMap;

use flott_kafka::{Client, Isolation, OffsetAt, TopicPartition};
use flott_types::{Error, Result};

/// A kind of place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Offsets {
    Earliest,
    Latest,
    Group,
    Timestamp,
    Specific,
}

/// Offsets by partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Specific(BTreeMap<i32, i64>);

impl Specific {
    /// `partition:0,offset:42;partition:1,offset:300`
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let pair = |text: &str| {
            let (partition, offset) = text.split_once(',')?;
            let number = |text: &str, name: &str| {
                let (key, value) = text.split_once(':')?;
                (key.trim() == name).then(|| value.trim().to_owned())
            };
            let partition = number(partition, "partition")?.parse::<i32>().ok()?;
            let offset = number(offset, "offset")?.parse::<i64>().ok()?;
            (partition >= 0 && offset >= 0).then_some((partition, offset))
        };
        let pairs = text.trim().trim_end_matches(';').split(';').map(pair).collect::<Option<Vec<_>>>()?;
        let count = pairs.len();
        let offsets: BTreeMap<i32, i64> = pairs.into_iter().collect();
        (offsets.len() == count).then_some(Specific(offsets))
    }
}

/// A place, with what belongs to its kind.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Place {
    Earliest,
    Latest,
    Group,
    Timestamp(i64),
    Specific(Specific),
}

/// What is needed to find it.
#[derive(Clone, Debug)]
pub(crate) struct Looking {
    pub(crate) group: Option<String>,
    pub(crate) isolation: Isolation,
    /// `auto.offset.reset`
    pub(crate) reset: Option<OffsetAt>,
}

type Found = BTreeMap<TopicPartition, i64>;

impl Looking {
    /// The first offset of each partition that is read.
    pub(crate) fn start(
        &self,
        client: &mut Client,
        place: &Place,
        partitions: &[TopicPartition],
    ) -> Result<Found> {
        match place {
            Place::Earliest => self.at(client, OffsetAt::Earliest, partitions),
            Place::Latest => self.at(client, OffsetAt::Latest, partitions),
            Place::Timestamp(timestamp) => self.at_or_end(client, *timestamp, partitions),
            Place::Specific(Specific(offsets)) => {
                let mut found = self.at(client, OffsetAt::Earliest, partitions)?;
                for ((_, index), offset) in &mut found {
                    *offset = offsets.get(index).copied().unwrap_or(*offset);
                }
                Ok(found)
            }
            Place::Group => self.of_group(client, partitions),
        }
    }

    /// The first offset of each partition that is not read.
    pub(crate) fn end(
        &self,
        client: &mut Client,
        place: &Place,
        partitions: &[TopicPartition],
    ) -> Result<Found> {
        match place {
            Place::Earliest => self.at(client, OffsetAt::Earliest, partitions),
            Place::Latest => self.at(client, OffsetAt::Latest, partitions),
            Place::Timestamp(timestamp) => self.at_or_end(client, *timestamp, partitions),
            Place::Specific(Specific(offsets)) => {
                let of = |(topic, index): &TopicPartition| {
                    let offset = offsets.get(index).copied().ok_or_else(|| {
                        Error::invalid(format!(
                            "'scan.bounded.specific-offsets' has no offset of partition {index} of topic {topic}"
                        ))
                    });
                    offset.map(|offset| ((topic.clone(), *index), offset))
                };
                partitions.iter().map(of).collect()
            }
            Place::Group => self.of_group(client, partitions),
        }
    }

    fn at(&self, client: &mut Client, at: OffsetAt, partitions: &[TopicPartition]) -> Result<Found> {
        let offsets = client.offsets(partitions, at, self.isolation)?;
        Ok(offsets.into_iter().filter_map(|(partition, offset)| Some((partition, offset?))).collect())
    }

    fn at_or_end(&self, client: &mut Client, timestamp: i64, partitions: &[TopicPartition]) -> Result<Found> {
        let mut ends = self.at(client, OffsetAt::Latest, partitions)?;
        ends.extend(self.at(client, OffsetAt::Timestamp(timestamp), partitions)?);
        Ok(ends)
    }

    fn of_group(&self, client: &mut Client, partitions: &[TopicPartition]) -> Result<Found> {
        let Some(group) = &self.group else {
            return Err(Error::invalid("'group-offsets' needs 'properties.group.id'"));
        };
        let committed = client.committed(group, partitions)?;
        let without: Vec<TopicPartition> = partitions
            .iter()
            .filter(|one| committed.get(*one).copied().flatten().is_none())
            .cloned()
            .collect();
        let mut found: Found =
            committed.into_iter().filter_map(|(partition, offset)| Some((partition, offset?))).collect();
        match (without.first(), self.reset) {
            (None, _) => {}
            (Some(_), Some(reset)) => found.extend(self.at(client, reset, &without)?),
            (Some((topic, index)), None) => {
                return Err(Error::invalid(format!(
                    "the group '{group}' has committed no offset of partition {topic}-{index}, and there is no other \
                     place: set 'scan.startup.mode' to another one, or 'properties.auto.offset.reset' to 'earliest' or \
                     'latest'"
                )));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specific_offsets_are_read() {
        let read = |text: &str| {
            Specific::parse(text).map(|Specific(offsets)| offsets.into_iter().collect::<Vec<_>>())
        };
        assert_eq!(read("partition:0,offset:42;partition:1,offset:300"), Some(vec![(0, 42), (1, 300)]));
        assert_eq!(read(" partition: 3 , offset: 0 ;"), Some(vec![(3, 0)]));
        for wrong in
            ["", "0:42", "partition:0", "partition:0,offset:-1", "partition:0,offset:1;partition:0,offset:2"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
