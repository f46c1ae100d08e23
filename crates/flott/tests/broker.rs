//! Programs that read and write topics, against real brokers: `make test-services` starts them and says where
//! they are.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flott::kafka::{DeliveryGuarantee, KafkaSink, KafkaSource, Offsets};
use flott::prelude::*;

#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Order {
    id: u64,
    item: String,
}

#[derive(Clone, Serialize, Deserialize, PartialEq, Debug)]
struct Seen {
    id: u64,
    at: i64,
    topic: String,
}

fn servers() -> String {
    std::env::var("FLOTT_KAFKA")
        .unwrap_or_else(|_| panic!("FLOTT_KAFKA names no brokers: run `make test-services`"))
}

fn topic(name: &str) -> String {
    format!("{name}-{:016x}", RandomState::new().hash_one(name))
}

fn orders() -> Vec<Order> {
    (0..300).map(|id| Order { id, item: format!("item {}", id % 7) }).collect()
}

fn read(topic: &str) -> Vec<Order> {
    let source = KafkaSource::new(&servers(), [topic]).bounded(Offsets::Latest).source().unwrap();
    let env = StreamExecutionEnvironment::new();
    let stream = env.from_source(source, WatermarkStrategy::no_watermarks(), "orders");
    let mut read = stream.execute_and_collect("read").unwrap().collect::<Result<Vec<Order>>>().unwrap();
    read.sort();
    read
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn a_program_that_fails_writes_each_record_once() {
    let (first, second) = (topic("first"), topic("second"));
    let env = StreamExecutionEnvironment::new();
    let sink = KafkaSink::<Order>::new(&servers(), &first).key("json", ["id"]);
    env.from_collection(orders()).sink_to(sink.sink().unwrap());
    env.execute("fill").unwrap();
    assert_eq!(read(&first), orders());

    let env = StreamExecutionEnvironment::new();
    env.enable_checkpointing(Duration::from_millis(20));
    env.set("restart-strategy.type", "fixed-delay")
        .set("restart-strategy.fixed-delay.delay", "1 ms")
        .set("table.exec.batch-size", 10);
    let source = KafkaSource::<Order>::new(&servers(), [&first]).bounded(Offsets::Latest);
    let failed = Arc::new(AtomicBool::new(false));
    let sink = KafkaSink::<Order>::new(&servers(), &second)
        .delivery_guarantee(DeliveryGuarantee::ExactlyOnce)
        .transactional_id_prefix(&second);
    env.from_source(source.source().unwrap(), WatermarkStrategy::no_watermarks(), "orders")
        .try_map({
            let failed = failed.clone();
            move |order: Order| match order.id == 290 && !failed.swap(true, Ordering::SeqCst) {
                true => Err(Error::external("a fault of the test")),
                false => Ok(order),
            }
        })
        .sink_to(sink.sink().unwrap());
    env.execute("copy").unwrap();
    assert!(failed.load(Ordering::SeqCst));
    assert_eq!(read(&second), orders());
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn what_is_known_of_a_record_is_in_its_fields() {
    let name = topic("known");
    let env = StreamExecutionEnvironment::new();
    let sink = KafkaSink::<Order>::new(&servers(), &name).sink().unwrap();
    env.from_collection(orders().into_iter().take(3)).sink_to(sink);
    env.execute("fill").unwrap();
    let source = KafkaSource::<Seen>::matching(&servers(), &name)
        .metadata("at", "timestamp")
        .metadata("topic", "topic")
        .bounded(Offsets::Latest);
    let env = StreamExecutionEnvironment::new();
    let times =
        WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|seen: &Seen, _| seen.at);
    let stream = env.from_source(source.source().unwrap(), times, "seen");
    let seen = stream.execute_and_collect("read").unwrap().collect::<Result<Vec<_>>>().unwrap();
    assert_eq!(seen.len(), 3);
    // Written in this century, by whatever the clock says.
    assert!(seen.iter().all(|seen| seen.topic == name && seen.at > 1_600_000_000_000), "{seen:?}");
    let error = source.clone().metadata("id", "colour").source().unwrap_err();
    assert!(error.message().contains("no metadata 'colour'; there are: topic"), "{error}");
    let error = source.metadata("colour", "offset").source().unwrap_err();
    assert!(error.message().contains("'colour' is no field"), "{error}");
}

#[test]
fn wrong_options_are_told() {
    let error = |source: KafkaSource<Order>| source.source().unwrap_err().to_string();
    let source = || KafkaSource::<Order>::new("localhost:9092", ["orders"]);
    assert!(error(source().format("jsn")).contains("json"));
    assert!(error(source().format_option("ignore-errors", true)).contains("no option 'ignore-errors'"));
    assert!(error(source().option("scan.startup.mod", "x")).contains("scan.startup.mode"));
    let sink = KafkaSink::<Order>::new("localhost:9092", "orders");
    let exact = sink.delivery_guarantee(DeliveryGuarantee::ExactlyOnce);
    assert!(exact.sink().unwrap_err().to_string().contains("transactional-id-prefix"));
    let secret = source().property("sasl.jaas.config", "password=\"hush\"");
    assert!(!format!("{secret:?}").contains("hush"), "{secret:?}");
}
