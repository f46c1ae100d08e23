//! The sink: rows become records, in transactions where nothing may come twice.

mod collected;
mod committer;
mod lingering;
mod names;
mod partitioner;
mod records;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use flott_connector::{Committer, CommitterContext, Options, Payload, Sink, SinkContext, SinkWriter};
use flott_kafka::Client;
use flott_plan::{SinkSpec, TableSpec};
use flott_types::{Error, Result};

use crate::columns::Parts;
use crate::config::Connection;
use crate::options::{
    FLUSH_INTERVAL, FLUSH_ROWS, GUARANTEE, Guarantee, PARTITIONER, Partitioning, TOPIC, TOPIC_PATTERN,
    TRANSACTION_PREFIX,
};
use crate::source::list;
use committer::KafkaCommitter;
use records::Encoding;
use writer::KafkaWriter;

/// Where rows are written, and what holds after a failure.
#[derive(Clone, Debug)]
pub(crate) struct SinkConfig {
    table: String,
    connection: Connection,
    topic: String,
    partitioning: Partitioning,
    guarantee: Guarantee,
    /// Of transactional ids.
    prefix: String,
    /// How many keys are collected, and how long.
    collect: Option<(usize, i64)>,
}

/// What the broker's limit is, where it does not say.
const USUAL_MAX_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// How long a transaction may be open, where the broker allows it and nobody says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// The broker's limit.
const MAX_TIMEOUT: &str = "transaction.max.timeout.ms";

impl SinkConfig {
    pub(crate) fn new(spec: &SinkSpec, options: &Options<'_>) -> Result<Self> {
        if options.get(&TOPIC_PATTERN)?.is_some() {
            return Err(Error::invalid(format!(
                "table {}: 'topic-pattern' is for reading; a table that is written to has a 'topic'",
                spec.table.name
            )));
        }
        let partitioning = options.get(&PARTITIONER)?;
        if partitioning == Partitioning::RoundRobin && options.is_set(&crate::options::KEY_FIELDS) {
            return Err(Error::invalid(format!(
                "table {}: 'sink.partitioner' = 'round-robin' would put rows of a key into several partitions; it works \
                 without 'key.fields'",
                spec.table.name
            )));
        }
        SinkConfig::from(spec, options, partitioning, None)
    }

    pub(crate) fn of_upsert(spec: &SinkSpec, options: &Options<'_>) -> Result<Self> {
        let (rows, interval) = (options.get(&FLUSH_ROWS)?, options.get(&FLUSH_INTERVAL)?);
        let collect = match (rows, interval) {
            (0, 0) => None,
            (1.., 1..) => Some((rows as usize, interval)),
            _ => {
                return Err(Error::invalid(format!(
                    "table {}: '{}' and '{}' work together: set both above 0, or none",
                    spec.table.name,
                    FLUSH_ROWS.key(),
                    FLUSH_INTERVAL.key()
                )));
            }
        };
        SinkConfig::from(spec, options, Partitioning::Default, collect)
    }

    fn from(
        spec: &SinkSpec,
        options: &Options<'_>,
        partitioning: Partitioning,
        collect: Option<(usize, i64)>,
    ) -> Result<Self> {
        let table = spec.table.name.clone();
        let connection = Connection::new(&spec.table, options)?;
        let topics = list(&options.get(&TOPIC)?.unwrap_or_default());
        let [topic] = topics.as_slice() else {
            return Err(Error::invalid(format!(
                "table {table}: 'topic' names one topic, to which rows are written"
            )));
        };
        let guarantee = options.get(&GUARANTEE)?;
        let prefix = options.get(&TRANSACTION_PREFIX)?.unwrap_or_default();
        if guarantee == Guarantee::ExactlyOnce {
            if prefix.is_empty() {
                return Err(Error::invalid(format!(
                    "table {table}: 'sink.delivery-guarantee' = 'exactly-once' needs 'sink.transactional-id-prefix', which \
                     no other running job has"
                )));
            }
            if !connection.produce.is_idempotent {
                return Err(Error::invalid(format!(
                    "table {table}: 'exactly-once' needs 'properties.acks' = 'all' and 'properties.enable.idempotence' = 'true'"
                )));
            }
        }
        Ok(SinkConfig { table, connection, topic: topic.clone(), partitioning, guarantee, prefix, collect })
    }

    fn client(&self) -> Client {
        Client::new(self.connection.client.clone(), Arc::default())
    }

    /// How long transactions may be open.
    fn transaction_timeout(&self, client: &mut Client) -> Result<Duration> {
        let most = match client.broker_config(MAX_TIMEOUT) {
            Ok(text) => text.and_then(|text| text.parse().ok()).map(Duration::from_millis),
            // Whoever may not ask is told by the coordinator if it is too long.
            Err(failure) if failure.error_code().is_some() => None,
            Err(failure) => return Err(failure.into()),
        };
        match (self.connection.transaction_timeout, most) {
            (Some(wanted), Some(most)) if wanted > most => Err(Error::invalid(format!(
                "table {}: 'properties.transaction.timeout.ms' is {}, and the broker allows {} ('{MAX_TIMEOUT}')",
                self.table,
                wanted.as_millis(),
                most.as_millis()
            ))),
            (Some(wanted), _) => Ok(wanted),
            (None, most) => Ok(most.unwrap_or(USUAL_MAX_TIMEOUT).min(DEFAULT_TIMEOUT)),
        }
    }
}

/// The sink of a table.
pub(crate) struct KafkaSink {
    config: Arc<SinkConfig>,
    encoding: Arc<Encoding>,
}

impl KafkaSink {
    pub(crate) fn new(config: SinkConfig, parts: Parts, spec: &SinkSpec) -> Result<Self> {
        let encoding = Arc::new(Encoding::new(parts, spec)?);
        // Reports wrong types at planning time.
        encoding.records()?;
        Ok(KafkaSink { config: Arc::new(config), encoding })
    }
}

impl Sink for KafkaSink {
    fn writer(&self, context: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(KafkaWriter::new(self.config.clone(), self.encoding.records()?, context)?))
    }

    fn is_two_phase(&self) -> bool {
        self.config.guarantee == Guarantee::ExactlyOnce
    }

    fn committer(&self, _: CommitterContext) -> Result<Box<dyn Committer>> {
        Ok(Box::new(KafkaCommitter::new(self.config.client())))
    }

    fn check(&self) -> Result<()> {
        let mut client = self.config.client();
        if self.config.guarantee == Guarantee::ExactlyOnce {
            self.config.transaction_timeout(&mut client)?;
        }
        partitions(&mut client, &self.config.topic)
            .map(drop)
            .map_err(|error| error.context(format!("table {}", self.config.table)))
    }
}

/// How many partitions a topic has, which is made if brokers make topics.
fn partitions(client: &mut Client, topic: &str) -> Result<i32> {
    let found = client.topics(Some(&[topic]), true)?;
    let count = found.first().map_or(0, |topic| topic.partitions.len());
    match i32::try_from(count) {
        Ok(1..) => Ok(count as i32),
        _ => Err(Error::external(format!("Kafka: the topic '{topic}' has no partitions"))),
    }
}

/// The table's name, for messages.
fn owner(table: &TableSpec) -> String {
    format!("table {}", table.name)
}
