//! One round: batches on their way, until each is acknowledged.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::error::ParseResponseErrorCode;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use kafka_protocol::protocol::StrBytes;

use super::sender::Sending;
use super::{PreparedTransaction, ProducerConfig, Shared};
use crate::failure::{Failure, Result};
use crate::records::{BatchBuilder, Sequenced};

/// Who writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Identity {
    /// Nobody in particular: what is sent again may be stored twice.
    None,
    Idempotent(i64, i16),
    Transaction(PreparedTransaction),
}

impl Identity {
    pub(super) fn into_transaction(self) -> Option<PreparedTransaction> {
        match self {
            Identity::Transaction(transaction) => Some(transaction),
            Identity::None | Identity::Idempotent(..) => None,
        }
    }

    fn sequenced(&self, sequence: i32) -> Sequenced {
        match self {
            Identity::None => Sequenced::NONE,
            Identity::Idempotent(producer_id, epoch) => {
                Sequenced { producer_id: *producer_id, epoch: *epoch, sequence, is_transactional: false }
            }
            Identity::Transaction(of) => {
                Sequenced { producer_id: of.producer_id, epoch: of.epoch, sequence, is_transactional: true }
            }
        }
    }
}

/// A batch that is not acknowledged.
pub(super) struct InFlight {
    partition: (usize, i32),
    bytes: Bytes,
}

impl InFlight {
    pub(super) fn new(
        partition: (usize, i32),
        batch: BatchBuilder,
        sending: &mut Sending,
        config: &ProducerConfig,
    ) -> Result<Self> {
        let next = sending.sequences.entry(partition).or_default();
        let sequence = *next;
        // Numbers begin again after the largest.
        *next = (i64::from(sequence) + i64::from(batch.count())).rem_euclid(1 << 31) as i32;
        let by = sending.identity.as_ref().map_or(Sequenced::NONE, |identity| identity.sequenced(sequence));
        let bytes = batch
            .finish(config.compression, by)
            .map_err(|error| Failure::connection("a batch cannot be compressed", error))?;
        Ok(InFlight { partition, bytes })
    }
}

impl Sending {
    /// Sends all of them until they are acknowledged.
    pub(super) fn send(&mut self, shared: &Shared, mut round: Vec<InFlight>) -> Result<()> {
        let deadline = self.client.nanos() + shared.config.delivery_timeout.as_nanos() as u64;
        let mut pause = shared.client.backoff;
        self.add_to_transaction(shared, &round)?;
        loop {
            let failure = match self.try_send(shared, &mut round) {
                Ok(()) if round.is_empty() => return Ok(()),
                Ok(()) => None,
                Err(failure) if failure.is_retriable() => Some(failure),
                Err(failure) => return Err(failure),
            };
            if self.client.nanos() >= deadline {
                let what = "rows are not acknowledged within 'delivery.timeout.ms'";
                return Err(failure.map_or_else(|| Failure::last(what), |failure| failure.context(what)));
            }
            self.leaders.clear();
            if self.client.pause(&mut pause) {
                return Err(Failure::stopped());
            }
        }
    }

    fn add_to_transaction(&mut self, shared: &Shared, round: &[InFlight]) -> Result<()> {
        let Some(Identity::Transaction(transaction)) = &self.identity else { return Ok(()) };
        let new: Vec<(usize, i32)> = round
            .iter()
            .map(|one| one.partition)
            .filter(|partition| !self.added.contains(partition))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let topics = shared.state.lock().topics.clone();
        let named: Vec<(&str, i32)> = new
            .iter()
            .filter_map(|(topic, index)| topics.get(*topic).map(|topic| (&**topic, *index)))
            .collect();
        self.client.add_to_transaction(transaction, &named)?;
        self.added.extend(new);
        Ok(())
    }

    /// Sends each to its leader, and keeps those that are to be sent again.
    fn try_send(&mut self, shared: &Shared, round: &mut Vec<InFlight>) -> Result<()> {
        let topics = shared.state.lock().topics.clone();
        self.find_leaders(&topics, round)?;
        let mut brokers: Vec<i32> = Vec::new();
        for one in round.iter() {
            let leader = self.leaders.get(&one.partition).copied();
            brokers.extend(leader.filter(|leader| !brokers.contains(leader)));
        }
        let id = match &self.identity {
            Some(Identity::Transaction(of)) => {
                Some(StrBytes::from_string(of.transactional_id.clone()).into())
            }
            Some(Identity::None | Identity::Idempotent(..)) | None => None,
        };
        let mut sent = Vec::new();
        let mut failed = None;
        for broker in brokers {
            let mut request = ProduceRequest::default()
                .with_transactional_id(id.clone())
                .with_acks(shared.config.acks)
                .with_timeout_ms(
                    i32::try_from(shared.client.request_timeout.as_millis()).unwrap_or(i32::MAX),
                );
            for one in round.iter().filter(|one| self.leaders.get(&one.partition) == Some(&broker)) {
                let (topic, index) = one.partition;
                let Some(name) = topics.get(topic) else { continue };
                let data =
                    PartitionProduceData::default().with_index(index).with_records(Some(one.bytes.clone()));
                match request.topic_data.iter_mut().find(|known| known.name.as_str() == &**name) {
                    Some(known) => known.partition_data.push(data),
                    None => request.topic_data.push(
                        TopicProduceData::default()
                            .with_name(StrBytes::from_string(name.to_string()).into())
                            .with_partition_data(vec![data]),
                    ),
                }
            }
            match self.client.broker(broker).and_then(|connection| connection.send(&request)) {
                Ok(one) => sent.push((broker, one)),
                Err(failure) => {
                    self.client.disconnect(broker);
                    failed = Some(failure);
                }
            }
        }
        for (broker, one) in sent {
            match self.client.broker(broker).and_then(|connection| connection.receive::<ProduceRequest>(one))
            {
                Ok(response) => acknowledged(&topics, &response, round)?,
                Err(failure) => {
                    self.client.disconnect(broker);
                    failed = Some(failure);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn find_leaders(&mut self, topics: &[std::sync::Arc<str>], round: &[InFlight]) -> Result<()> {
        let mut names: Vec<&str> = Vec::new();
        for one in round.iter().filter(|one| !self.leaders.contains_key(&one.partition)) {
            let name = topics.get(one.partition.0).map(|name| &**name);
            names.extend(name.filter(|name| !names.contains(name)));
        }
        if names.is_empty() {
            return Ok(());
        }
        for found in self.client.topics_once(Some(&names), true)? {
            let Some(topic) = topics.iter().position(|name| **name == *found.name) else { continue };
            for partition in &found.partitions {
                if let Some(leader) = partition.leader {
                    self.leaders.insert((topic, partition.index), leader);
                }
            }
        }
        Ok(())
    }
}

/// Removes what is stored. What may be stored later stays.
fn acknowledged(
    topics: &[std::sync::Arc<str>],
    response: &ProduceResponse,
    round: &mut Vec<InFlight>,
) -> Result<()> {
    for topic in &response.responses {
        let Some(number) = topics.iter().position(|name| **name == *topic.name.as_str()) else { continue };
        for partition in &topic.partition_responses {
            let stored = match partition.error_code.err() {
                // It was stored the time before.
                None | Some(ResponseError::DuplicateSequenceNumber) => true,
                Some(error) => {
                    let said =
                        partition.error_message.as_ref().map_or(String::new(), |text| format!(" ({text:?})"));
                    let what = format!("writing to {}-{}{said}", topic.name.as_str(), partition.index);
                    let failure = Failure::code(error, what);
                    if !failure.is_retriable() {
                        return Err(failure);
                    }
                    tracing::debug!("{failure}; it is tried again");
                    false
                }
            };
            if stored {
                round.retain(|one| one.partition != (number, partition.index));
            }
        }
    }
    Ok(())
}
