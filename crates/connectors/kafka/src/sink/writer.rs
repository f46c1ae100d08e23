//! Writes rows of one subtask.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use flott_batch::Batch;
use flott_connector::{Committable, Prepared, SinkContext, SinkWriter};
use flott_kafka::{Producer, ProducerConfig, Record, TransactionConfig};
use flott_types::{CheckpointId, Error, Result, Timestamp};

use super::collected::Collected;
use super::committer::to_committable;
use super::lingering::{Lingering, LooksAgain};
use super::names::{Run, TransactionName};
use super::partitioner::Partitioner;
use super::records::Records;
use super::{SinkConfig, partitions};
use crate::options::Guarantee;

pub(super) struct KafkaWriter {
    config: Arc<SinkConfig>,
    context: SinkContext,
    records: Records,
    producer: Producer,
    topic: usize,
    partitioner: Partitioner,
    /// The name of the transaction at hand.
    name: TransactionName,
    collected: Collected,
    /// When what is collected is written.
    collected_until: Option<Timestamp>,
    _looks_again: Option<LooksAgain>,
}

impl KafkaWriter {
    pub(super) fn new(config: Arc<SinkConfig>, records: Records, context: SinkContext) -> Result<Self> {
        let mut client = config.client();
        let run = Run { job: context.job, attempt: context.attempt };
        let name = TransactionName {
            prefix: config.prefix.clone(),
            subtask: context.subtask.0,
            run,
            // Each `RandomState` has a key of its own.
            writer: RandomState::new().hash_one(context.subtask.0),
            after: context.restored.unwrap_or(CheckpointId(0)),
        };
        let is_exact = config.guarantee == Guarantee::ExactlyOnce;
        let (transactions, looks_again) = match is_exact {
            true => {
                let lingering = Lingering::new(&config.prefix, run, &context);
                lingering.abort(&mut client)?;
                let timeout = config.transaction_timeout(&mut client)?;
                let looks_again = lingering.look_again(config.connection.client.clone())?;
                (Some(TransactionConfig { timeout }), Some(looks_again))
            }
            false => (None, None),
        };
        let count = partitions(&mut client, &config.topic)?;
        let produce = ProducerConfig { transactions, ..config.connection.produce.clone() };
        let id = is_exact.then(|| name.id());
        let producer = Producer::new(config.connection.client.clone(), produce, id, context.waker.clone())?;
        Ok(KafkaWriter {
            topic: producer.topic(&config.topic),
            partitioner: Partitioner::new(config.partitioning, context.subtask.0, count),
            config,
            context,
            records,
            producer,
            name,
            collected: Collected::default(),
            collected_until: None,
            _looks_again: looks_again,
        })
    }

    /// Writes what is collected.
    fn write_collected(&mut self) -> Result<()> {
        self.collected_until = None;
        if self.collected.len() == 0 {
            return Ok(());
        }
        let (partitioner, topic) = (&mut self.partitioner, self.topic);
        let mut writing = self.producer.write();
        self.collected.drain(&mut |record| push(&mut writing, partitioner, topic, record))
    }
}

fn push(
    writing: &mut flott_kafka::Writing<'_>,
    partitioner: &mut Partitioner,
    topic: usize,
    record: Record<'_>,
) -> Result<()> {
    let partition = partitioner.choose(record.key, record.value.map_or(0, <[u8]>::len));
    Ok(writing.push(topic, partition, record)?)
}

impl SinkWriter for KafkaWriter {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else {
            return Err(Error::internal("the sink kafka got values instead of columns"));
        };
        let now = self.context.clock.now();
        let Some((most, interval)) = self.config.collect else {
            let (partitioner, topic) = (&mut self.partitioner, self.topic);
            let mut writing = self.producer.write();
            return self
                .records
                .encode(&batch, now, &mut |record| push(&mut writing, partitioner, topic, record));
        };
        let collected = &mut self.collected;
        self.records.encode(&batch, now, &mut |record| {
            collected.insert(record);
            Ok(())
        })?;
        self.collected_until.get_or_insert(now.saturating_add(interval));
        if self.collected.len() >= most { self.write_collected() } else { Ok(()) }
    }

    fn is_full(&self) -> bool {
        self.producer.is_full()
    }

    fn woken(&mut self) -> Result<()> {
        Ok(self.producer.check()?)
    }

    fn flush(&mut self) -> Result<()> {
        self.producer.flush();
        Ok(self.producer.check()?)
    }

    fn prepare_commit(&mut self, checkpoint: CheckpointId, is_end: bool) -> Result<Prepared> {
        self.write_collected()?;
        self.producer.check()?;
        let next = match self.config.guarantee {
            // At the end nothing comes after it that would show that a record is lost.
            Guarantee::None if is_end => None,
            Guarantee::None => {
                self.producer.flush();
                return Ok(Prepared::default());
            }
            Guarantee::AtLeastOnce => None,
            Guarantee::ExactlyOnce => {
                self.name.after = checkpoint;
                Some(self.name.id())
            }
        };
        let ended = self.producer.end_segment(next);
        Ok(Prepared::Later(Box::new(move || {
            let transaction = ended.wait()?;
            transaction
                .map(to_committable)
                .transpose()
                .map(|handed: Option<Committable>| handed.into_iter().collect())
        })))
    }

    fn next_time(&self) -> Option<Timestamp> {
        self.collected_until
    }

    fn on_time(&mut self, now: Timestamp) -> Result<()> {
        if self.collected_until.is_some_and(|until| until <= now) {
            self.write_collected()?;
            self.producer.flush();
        }
        Ok(())
    }
}
