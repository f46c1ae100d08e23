//! Topics, and what is in them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flott_kafka::*;
use flott_types::clock::SystemClock;
use flott_types::{Clock, Waker};

/// A topic with a name of its own, which is deleted in the end.
pub struct Topic {
    pub name: String,
}

impl Topic {
    pub fn new(name: &str, partitions: i32) -> Topic {
        use std::hash::{BuildHasher, RandomState};
        let name = format!("{name}-{:016x}", RandomState::new().hash_one(name));
        client().create_topic(&name, partitions, 3, &[]).unwrap();
        Topic { name }
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        let _ = client().delete_topic(&self.name);
    }
}

pub fn config(more: &[(&str, &str)]) -> flott_types::Result<ClientConfig> {
    let servers = std::env::var("FLOTT_KAFKA").unwrap_or("127.0.0.1:1".to_owned());
    let mut properties = BTreeMap::from([("bootstrap.servers".to_owned(), servers)]);
    properties.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    ClientConfig::new(&Properties::new(properties, "properties."))
}

pub fn client_config() -> Arc<ClientConfig> {
    assert!(std::env::var("FLOTT_KAFKA").is_ok(), "{}", super::NEEDS);
    Arc::new(config(&[]).unwrap())
}

pub fn client() -> Client {
    Client::new(client_config(), Arc::default())
}

pub fn record(value: &[u8]) -> Record<'_> {
    Record { timestamp: 1_700_000_000_000, key: None, value: Some(value), headers: &[] }
}

pub fn producer(compression: Compression, id: Option<&str>) -> Producer {
    let config = ProducerConfig {
        acks: -1,
        is_idempotent: true,
        compression,
        max_batch: 10_000,
        buffer: 1 << 20,
        delivery_timeout: Duration::from_secs(60),
        transactions: id.map(|_| TransactionConfig { timeout: Duration::from_secs(60) }),
    };
    Producer::new(client_config(), config, id.map(str::to_owned), Waker::default()).unwrap()
}

/// Writes rows to partitions in turn, as one segment.
pub fn write(
    topic: &str,
    partitions: i32,
    compression: Compression,
    id: Option<&str>,
    rows: &[String],
) -> Written {
    let producer = producer(compression, id);
    let number = producer.topic(topic);
    for (at, row) in rows.iter().enumerate() {
        producer.write().push(number, at as i32 % partitions, record(row.as_bytes())).unwrap();
    }
    let end = producer.end_segment(id.map(|id| format!("{id}-next")));
    Written { producer, end }
}

pub struct Written {
    producer: Producer,
    end: EndOfSegment,
}

impl Written {
    pub fn wait(self) -> flott_kafka::Result<Option<PreparedTransaction>> {
        let ended = self.end.wait();
        drop(self.producer);
        ended
    }
}

pub fn fetcher(isolation: Isolation, reset: Option<OffsetAt>) -> Fetcher {
    let config = FetchConfig {
        isolation,
        max_bytes: 50 << 20,
        max_partition_bytes: 4_000,
        min_bytes: 1,
        max_wait_ms: 100,
        check_crcs: true,
        buffer: 10_000,
        reset,
    };
    Fetcher::new(client_config(), config, Waker::default()).unwrap()
}

/// The values of all partitions, in order. Of a transaction that is ended, everything is to be seen.
pub fn read(topic: &str, partitions: i32, isolation: Isolation) -> Vec<String> {
    let is_ours = |one: &ListedTransaction| one.transactional_id.starts_with(topic);
    until("transactions have ended", || !client().ending_transactions().unwrap().iter().any(is_ours));
    let all: Vec<(String, i32)> = (0..partitions).map(|index| (topic.to_owned(), index)).collect();
    let ends = client().offsets(&all, OffsetAt::Latest, isolation).unwrap();
    let fetcher = fetcher(isolation, None);
    (0..partitions).for_each(|index| fetcher.add(topic, index, 0));
    let ends: Vec<i64> = ends.into_values().map(Option::unwrap).collect();
    rows_of(&fetcher, &ends)
}

pub fn rows_of(fetcher: &Fetcher, ends: &[i64]) -> Vec<String> {
    let mut rows = Vec::new();
    let mut left: Vec<(i32, i64)> = (0..).zip(ends.iter().copied()).filter(|(_, end)| *end > 0).collect();
    while !left.is_empty() {
        let mut chunk = wait_for("records", || fetcher.take().unwrap());
        let end = ends[chunk.index as usize];
        let read = |_: &records::Batch, message: records::Message<'_>| {
            rows.push(String::from_utf8(message.value.unwrap().to_vec()).unwrap());
            Ok::<bool, flott_types::Error>(true)
        };
        chunk.read(end, read).unwrap();
        left.retain(|(index, end)| *index != chunk.index || chunk.position() < *end);
    }
    rows.sort();
    rows
}

pub fn until(what: &str, mut is: impl FnMut() -> bool) {
    wait_for(what, || is().then_some(()));
}

pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let clock = SystemClock::new();
    while clock.nanos() < 60_000_000_000 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
    panic!("not within a minute: {what}");
}
