//! Topics of Apache Kafka as sources and sinks of a program.
//!
//! It is the connector of SQL's tables: the same options, guarantees and formats, with fields of the program's
//! type as columns. Options that have no method here are those of `docs/connectors/kafka.md`.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use flott_connector::Registry;
use flott_connector_kafka::KafkaConnector;
use flott_datastream::Record;
use flott_datastream::table::{TableConnector, TypedSink, TypedSource};
use flott_types::Result;

/// Where reading begins or ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Offsets {
    /// The first record that there is.
    Earliest,
    /// Behind the last record, as of the start of the job.
    Latest,
    /// Where the group is. If it is nowhere the job fails, unless the property `auto.offset.reset` says
    /// `earliest` or `latest`.
    Committed,
    /// The first record as late, in milliseconds since the epoch.
    Timestamp(i64),
    /// Offsets of partitions.
    Specific(Vec<(i32, i64)>),
}

impl Offsets {
    /// Sets the options `scan.{which}.*`.
    fn set<T: Record>(&self, table: TableConnector<T>, which: &str) -> TableConnector<T> {
        let mode = match self {
            Offsets::Earliest => "earliest-offset",
            Offsets::Latest => "latest-offset",
            Offsets::Committed => "group-offsets",
            Offsets::Timestamp(_) => "timestamp",
            Offsets::Specific(_) => "specific-offsets",
        };
        let table = table.option(&format!("scan.{which}.mode"), mode);
        match self {
            Offsets::Timestamp(millis) => table.option(&format!("scan.{which}.timestamp-millis"), millis),
            Offsets::Specific(offsets) => {
                let pair =
                    |(partition, offset): &(i32, i64)| format!("partition:{partition},offset:{offset}");
                let pairs: Vec<String> = offsets.iter().map(pair).collect();
                table.option(&format!("scan.{which}.specific-offsets"), pairs.join(";"))
            }
            Offsets::Earliest | Offsets::Latest | Offsets::Committed => table,
        }
    }
}

/// What holds of a sink after a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryGuarantee {
    /// Records may be lost and may come twice.
    None,
    /// Records may come twice.
    AtLeastOnce,
    /// Neither, for consumers that read committed records: they see them when a checkpoint is complete.
    ExactlyOnce,
}

/// A connector with the properties of Kafka's clients.
struct Topic<T> {
    table: TableConnector<T>,
    format: String,
}

impl<T: Record> Topic<T> {
    fn new() -> Self {
        let mut registry = Registry::new(flott_formats::builtin());
        registry.register(Arc::new(KafkaConnector));
        let topic =
            Topic { table: TableConnector::new("kafka").of_registry(registry), format: String::new() };
        topic.format("json")
    }

    fn option(self, key: &str, value: impl Display) -> Self {
        Topic { table: self.table.option(key, value), ..self }
    }

    fn format(self, name: &str) -> Self {
        Topic { format: name.to_owned(), ..self.option("format", name) }
    }

    fn format_option(self, key: &str, value: impl Display) -> Self {
        let key = format!("{}.{key}", self.format);
        self.option(&key, value)
    }

    fn key<S: AsRef<str>>(self, format: &str, fields: impl IntoIterator<Item = S>) -> Self {
        let fields: Vec<String> = fields.into_iter().map(|field| field.as_ref().to_owned()).collect();
        self.option("key.format", format).option("key.fields", fields.join(";"))
    }

    fn property(self, key: &str, value: impl Display) -> Self {
        self.option(&format!("properties.{key}"), value)
    }
}

impl<T> Clone for Topic<T> {
    fn clone(&self) -> Self {
        Topic { table: self.table.clone(), format: self.format.clone() }
    }
}

/// Reads topics. A record is a value of the type; a record without a value is none.
///
/// ```no_run
/// use flott::kafka::{KafkaSource, Offsets};
/// use flott::prelude::*;
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Order {
///     id: u64,
///     item: String,
///     /// When the record was written, in milliseconds since the epoch.
///     at: i64,
/// }
///
/// # fn main() -> Result<()> {
/// let env = StreamExecutionEnvironment::new();
/// let orders = KafkaSource::<Order>::new("localhost:9092", ["orders"])
///     .group_id("shop")
///     .starting_offsets(Offsets::Earliest)
///     .metadata("at", "timestamp")
///     .source()?;
/// let times = WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|order: &Order, _| order.at);
/// let orders = env.from_source(orders, times, "orders");
/// # drop(orders);
/// # Ok(())
/// # }
/// ```
pub struct KafkaSource<T>(Topic<T>);

impl<T> Clone for KafkaSource<T> {
    fn clone(&self) -> Self {
        KafkaSource(self.0.clone())
    }
}

impl<T> fmt::Debug for KafkaSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KafkaSource({:?})", self.0.table)
    }
}

impl<T: Record> KafkaSource<T> {
    /// Of these topics. `servers` are brokers to ask first: `host:port`, and more with commas between. The
    /// format is json, and reading begins with the first record, unless said otherwise.
    pub fn new<S: AsRef<str>>(servers: &str, topics: impl IntoIterator<Item = S>) -> Self {
        let topics: Vec<String> = topics.into_iter().map(|topic| topic.as_ref().to_owned()).collect();
        KafkaSource::of(servers, "topic", &topics.join(";"))
    }

    /// Of all topics whose whole name matches the regular expression, also those that are made later.
    pub fn matching(servers: &str, pattern: &str) -> Self {
        KafkaSource::of(servers, "topic-pattern", pattern)
    }

    fn of(servers: &str, key: &str, topics: &str) -> Self {
        let topic = Topic::new().property("bootstrap.servers", servers).option(key, topics);
        KafkaSource(topic).starting_offsets(Offsets::Earliest)
    }

    /// The format of values: `json`, `csv`, `raw` (text or bytes as they are).
    #[must_use]
    pub fn format(self, name: &str) -> Self {
        KafkaSource(self.0.format(name))
    }

    /// An option of the format: `ignore-parse-errors`.
    #[must_use]
    pub fn format_option(self, key: &str, value: impl Display) -> Self {
        KafkaSource(self.0.format_option(key, value))
    }

    /// These fields are read from the key. Fields of the value have other names, unless
    /// `value.fields-include` is set to `ALL`.
    #[must_use]
    pub fn key<S: AsRef<str>>(self, format: &str, fields: impl IntoIterator<Item = S>) -> Self {
        KafkaSource(self.0.key(format, fields).option("value.fields-include", "EXCEPT_KEY"))
    }

    /// A field that is read from what is known of a record: `topic`, `partition`, `offset`, `timestamp`
    /// (milliseconds since the epoch), `timestamp-type`, `leader-epoch`, `headers`.
    #[must_use]
    pub fn metadata(self, field: &str, key: &str) -> Self {
        KafkaSource(Topic { table: self.0.table.metadata(field, key), ..self.0 })
    }

    /// The group under which offsets are committed with checkpoints.
    #[must_use]
    pub fn group_id(self, group: &str) -> Self {
        self.property("group.id", group)
    }

    /// Where reading begins, if there is no checkpoint.
    #[must_use]
    pub fn starting_offsets(self, offsets: Offsets) -> Self {
        KafkaSource(Topic { table: offsets.set(self.0.table, "startup"), ..self.0 })
    }

    /// Where reading ends. Otherwise it never does.
    #[must_use]
    pub fn bounded(self, offsets: Offsets) -> Self {
        KafkaSource(Topic { table: offsets.set(self.0.table, "bounded"), ..self.0 })
    }

    /// How often to look for new partitions and topics; by default every 5 minutes.
    #[must_use]
    pub fn discovery_interval(self, interval: Duration) -> Self {
        let text = format!("{} ms", interval.as_millis());
        KafkaSource(self.0.option("scan.topic-partition-discovery.interval", text))
    }

    /// A property of Kafka's clients.
    #[must_use]
    pub fn property(self, key: &str, value: impl Display) -> Self {
        KafkaSource(self.0.property(key, value))
    }

    /// Any other option of the connector.
    #[must_use]
    pub fn option(self, key: &str, value: impl Display) -> Self {
        KafkaSource(self.0.option(key, value))
    }

    /// The source, for
    /// [`from_source`](flott_datastream::StreamExecutionEnvironment::from_source).
    ///
    /// # Errors
    /// What is wrong with the options, or with the type. Brokers are asked when the job starts.
    pub fn source(&self) -> Result<TypedSource<T>> {
        self.0.table.source()
    }
}

/// Writes a topic.
///
/// ```no_run
/// use flott::kafka::{DeliveryGuarantee, KafkaSink};
/// use flott::prelude::*;
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Total {
///     customer: u64,
///     cents: i64,
/// }
///
/// # fn main() -> Result<()> {
/// # let env = StreamExecutionEnvironment::new();
/// # let totals = env.from_collection([Total { customer: 1, cents: 100 }]);
/// env.enable_checkpointing(Duration::from_secs(10));
/// let sink = KafkaSink::<Total>::new("localhost:9092", "totals")
///     .key("json", ["customer"])
///     .delivery_guarantee(DeliveryGuarantee::ExactlyOnce)
///     .transactional_id_prefix("totals-of-the-shop");
/// totals.sink_to(sink.sink()?);
/// # Ok(())
/// # }
/// ```
pub struct KafkaSink<T>(Topic<T>);

impl<T> Clone for KafkaSink<T> {
    fn clone(&self) -> Self {
        KafkaSink(self.0.clone())
    }
}

impl<T> fmt::Debug for KafkaSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KafkaSink({:?})", self.0.table)
    }
}

impl<T: Record> KafkaSink<T> {
    /// To this topic, as json, at least once.
    pub fn new(servers: &str, topic: &str) -> Self {
        KafkaSink(Topic::new().property("bootstrap.servers", servers).option("topic", topic))
    }

    /// The format of values: `json`, `csv`, `raw` (text or bytes as they are).
    #[must_use]
    pub fn format(self, name: &str) -> Self {
        KafkaSink(self.0.format(name))
    }

    /// An option of the format.
    #[must_use]
    pub fn format_option(self, key: &str, value: impl Display) -> Self {
        KafkaSink(self.0.format_option(key, value))
    }

    /// These fields are the key, and are in the value too unless `value.fields-include` is set to
    /// `EXCEPT_KEY`. Records of a key are in one partition.
    #[must_use]
    pub fn key<S: AsRef<str>>(self, format: &str, fields: impl IntoIterator<Item = S>) -> Self {
        KafkaSink(self.0.key(format, fields))
    }

    /// What holds after a failure.
    #[must_use]
    pub fn delivery_guarantee(self, guarantee: DeliveryGuarantee) -> Self {
        let word = match guarantee {
            DeliveryGuarantee::None => "none",
            DeliveryGuarantee::AtLeastOnce => "at-least-once",
            DeliveryGuarantee::ExactlyOnce => "exactly-once",
        };
        KafkaSink(self.0.option("sink.delivery-guarantee", word))
    }

    /// What transactional ids begin with: required for `ExactlyOnce`, and no other running job may have it.
    #[must_use]
    pub fn transactional_id_prefix(self, prefix: &str) -> Self {
        KafkaSink(self.0.option("sink.transactional-id-prefix", prefix))
    }

    /// A property of Kafka's clients.
    #[must_use]
    pub fn property(self, key: &str, value: impl Display) -> Self {
        KafkaSink(self.0.property(key, value))
    }

    /// Any other option of the connector.
    #[must_use]
    pub fn option(self, key: &str, value: impl Display) -> Self {
        KafkaSink(self.0.option(key, value))
    }

    /// The sink, for [`sink_to`](flott_datastream::DataStream::sink_to).
    ///
    /// # Errors
    /// What is wrong with the options, or with the type. Brokers are asked when the job starts.
    pub fn sink(&self) -> Result<TypedSink<T>> {
        self.0.table.sink()
    }
}
