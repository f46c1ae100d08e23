//! A table with a topic of its own.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, pretty};
use flott_connector::{Registry, Sink, Source, TableContext};
use flott_connector_kafka::{KafkaConnector, UpsertKafkaConnector};
use flott_kafka::{
    Client, ClientConfig, Compression, FetchConfig, Fetcher, Isolation, OffsetAt, Producer, ProducerConfig,
    Properties, Record, records,
};
use flott_plan::{Schema, SinkSpec, SourceSpec, TableSpec};
use flott_types::clock::SystemClock;
use flott_types::{Clock, LogicalType, Result, TypeKind, Waker};

pub struct Table {
    pub topic: String,
    pub spec: SourceSpec,
}

pub fn servers() -> String {
    match std::env::var("FLOTT_KAFKA") {
        Ok(servers) => servers,
        Err(_) => panic!("FLOTT_KAFKA names no brokers: run `make test-services`"),
    }
}

fn config() -> Arc<ClientConfig> {
    let properties = BTreeMap::from([("bootstrap.servers".to_owned(), servers())]);
    Arc::new(ClientConfig::new(&Properties::new(properties, "")).unwrap())
}

pub fn client() -> Client {
    Client::new(config(), Arc::default())
}

impl Table {
    /// Of json, or as the options say.
    pub fn new(name: &str, partitions: i32, columns: &[(&str, TypeKind)], options: &[(&str, &str)]) -> Self {
        let topic = format!("{name}-{:016x}", RandomState::new().hash_one(name));
        client().create_topic(&topic, partitions, 3, &[]).unwrap();
        let given = [
            ("connector", "kafka"),
            ("topic", topic.as_str()),
            ("properties.bootstrap.servers", &servers()),
            ("format", "json"),
        ];
        let all = given.iter().chain(options);
        let options: BTreeMap<String, String> =
            all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let schema = Schema::new(columns.iter().map(|(name, kind)| (*name, kind.clone().nullable())));
        let table = TableSpec {
            name: "c.d.t".to_owned(),
            connector: options["connector"].clone(),
            options,
            schema,
            partition_keys: Vec::new(),
            primary_key: Vec::new(),
        };
        let spec = SourceSpec {
            projection: (0..columns.len()).collect(),
            table,
            paths: Vec::new(),
            metadata: Schema::default(),
            limit: None,
            watermark: None,
            errors: false,
        };
        Table { topic, spec }
    }

    pub fn set(&mut self, key: &str, value: &str) {
        self.spec.table.options.insert(key.to_owned(), value.to_owned());
    }

    fn context() -> TableContext {
        TableContext { batch: false, zone: "UTC".to_owned(), configuration: Default::default() }
    }

    pub fn source(&self) -> Result<Arc<dyn Source>> {
        registry().source(&self.spec, &Table::context())
    }

    pub fn sink(&self) -> Result<Arc<dyn Sink>> {
        let spec = SinkSpec {
            table: self.spec.table.clone(),
            metadata: Schema::default(),
            overwrite: false,
            static_partition: BTreeMap::new(),
            drop_update_before: false,
        };
        registry().sink(&spec, &Table::context())
    }

    pub fn types(&self) -> Vec<LogicalType> {
        self.spec.table.schema.iter().map(|(_, ty)| ty.clone()).collect()
    }

    pub fn batch(&self, rows: &str) -> Batch {
        Batch::Changes(pretty::parse(rows, &self.types()).unwrap())
    }

    pub fn partitions(&self) -> i32 {
        client().topics(Some(&[&self.topic]), false).unwrap()[0].partitions.len() as i32
    }

    /// Until everybody knows of it.
    pub fn grow(&self, partitions: i32) {
        client().grow_topic(&self.topic, partitions).unwrap();
        let last = [(self.topic.clone(), partitions - 1)];
        wait("a new partition", || {
            client().offsets(&last, OffsetAt::Latest, Isolation::ReadCommitted).is_ok()
                && self.partitions() == partitions
        });
    }

    /// Writes messages to a partition.
    pub fn put(&self, partition: i32, messages: &[String]) {
        let produce = ProducerConfig {
            acks: -1,
            is_idempotent: true,
            compression: Compression::None,
            max_batch: 1 << 20,
            buffer: 1 << 20,
            delivery_timeout: Duration::from_secs(60),
            transactions: None,
        };
        let producer = Producer::new(config(), produce, None, Waker::default()).unwrap();
        let topic = producer.topic(&self.topic);
        for message in messages {
            let record =
                Record { timestamp: 1_000, key: None, value: Some(message.as_bytes()), headers: &[] };
            producer.write().push(topic, partition, record).unwrap();
        }
        producer.end_segment(None).wait().unwrap();
    }

    /// The values of committed records, once it is to be seen which are.
    pub fn values(&self) -> Vec<String> {
        let is_ours = |id: &str| id.starts_with(&self.topic);
        wait("transactions have ended", || {
            !client().ending_transactions().unwrap().iter().any(|one| is_ours(&one.transactional_id))
        });
        let all: Vec<(String, i32)> =
            (0..self.partitions()).map(|index| (self.topic.clone(), index)).collect();
        let mut ends = client().offsets(&all, OffsetAt::Latest, Isolation::ReadCommitted).unwrap();
        ends.retain(|_, end| end.is_some_and(|end| end > 0));
        let fetch = FetchConfig {
            isolation: Isolation::ReadCommitted,
            max_bytes: 1 << 20,
            max_partition_bytes: 1 << 20,
            min_bytes: 1,
            max_wait_ms: 100,
            check_crcs: true,
            buffer: 1 << 20,
            reset: None,
        };
        let fetcher = Fetcher::new(config(), fetch, Waker::default()).unwrap();
        ends.keys().for_each(|(topic, index)| fetcher.add(topic, *index, 0));
        let mut values = Vec::new();
        wait("records", || {
            if let Some(mut chunk) = fetcher.take().unwrap() {
                let key = (self.topic.clone(), chunk.index);
                let end = ends.get(&key).copied().flatten().unwrap_or(0);
                let take = |_: &records::Batch, message: records::Message<'_>| {
                    values.push(String::from_utf8_lossy(message.value.unwrap_or(b"tombstone")).into_owned());
                    Ok::<bool, flott_types::Error>(true)
                };
                chunk.read(end, take).unwrap();
                if chunk.position() >= end {
                    fetcher.remove(&key.0, key.1);
                    ends.remove(&key);
                }
            }
            ends.is_empty()
        });
        values
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // Left behind, it goes with the brokers.
        let _ = client().delete_topic(&self.topic);
    }
}

fn registry() -> Registry {
    let mut registry = Registry::new(flott_formats::builtin());
    registry.register(Arc::new(KafkaConnector));
    registry.register(Arc::new(UpsertKafkaConnector));
    registry
}

/// Until something is so.
pub fn wait(what: &str, mut is: impl FnMut() -> bool) {
    let clock = SystemClock::new();
    while !is() {
        assert!(clock.nanos() < 60_000_000_000, "not within a minute: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
