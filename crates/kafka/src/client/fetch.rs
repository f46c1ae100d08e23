//! One fetch of records.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::error::ParseResponseErrorCode;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{BrokerId, FetchRequest};

use super::{Client, name};
use crate::config::Isolation;
use crate::failure::{Failure, Result};
use crate::fetcher::FetchConfig;

/// From where a partition is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub index: i32,
    /// The next offset.
    pub offset: i64,
}

/// What came of a partition.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub index: i32,
    /// What is wrong with it.
    pub error: Option<ResponseError>,
    /// The next offset that will be written.
    pub high_watermark: i64,
    /// Transactions that were aborted, by where they began.
    pub aborted: Vec<Aborted>,
    /// Batches.
    pub records: Bytes,
}

/// A transaction that was aborted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Aborted {
    /// Its producer.
    pub producer_id: i64,
    /// Its first record.
    pub first_offset: i64,
}

impl Client {
    /// Records of partitions that a broker leads; waits a while if there are none.
    pub(crate) fn fetch(
        &mut self,
        broker: i32,
        positions: &[Position],
        config: &FetchConfig,
    ) -> Result<Vec<Fetched>> {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for position in positions {
            let partition = FetchPartition::default()
                .with_partition(position.index)
                .with_current_leader_epoch(-1)
                .with_fetch_offset(position.offset)
                .with_last_fetched_epoch(-1)
                .with_log_start_offset(-1)
                .with_partition_max_bytes(config.max_partition_bytes);
            match topics.iter_mut().find(|topic| topic.topic.as_str() == position.topic) {
                Some(topic) => topic.partitions.push(partition),
                None => topics.push(
                    FetchTopic::default().with_topic(name(&position.topic)).with_partitions(vec![partition]),
                ),
            }
        }
        let request = FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(config.max_wait_ms)
            .with_min_bytes(config.min_bytes)
            .with_max_bytes(config.max_bytes)
            .with_isolation_level(config.isolation.level())
            .with_session_id(0)
            .with_session_epoch(-1)
            .with_topics(topics);
        let response = self.ask(broker, &request)?;
        Failure::check(response.error_code, || format!("a fetch from broker {broker}"))?;
        let mut fetched = Vec::new();
        for topic in response.responses {
            for partition in topic.partitions {
                let aborted = partition.aborted_transactions.unwrap_or_default();
                let mut aborted: Vec<Aborted> = aborted
                    .iter()
                    .map(|one| Aborted { producer_id: one.producer_id.0, first_offset: one.first_offset })
                    .collect();
                aborted.sort_by_key(|one| one.first_offset);
                if config.isolation == Isolation::ReadUncommitted {
                    aborted.clear();
                }
                fetched.push(Fetched {
                    topic: topic.topic.to_string(),
                    index: partition.partition_index,
                    error: partition.error_code.err(),
                    high_watermark: partition.high_watermark,
                    aborted,
                    records: partition.records.unwrap_or_default(),
                });
            }
        }
        Ok(fetched)
    }
}
