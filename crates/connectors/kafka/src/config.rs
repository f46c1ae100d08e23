//! The options of a table, checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flott_connector::Options;
use flott_kafka::{ClientConfig, Compression, FetchConfig, Isolation, OffsetAt, ProducerConfig, Properties};
use flott_plan::TableSpec;
use flott_types::{Error, Result};

use crate::options::{PROPERTY, SERVERS};

/// What Kafka's properties are prefixed with.
const PREFIX: &str = "properties.";

/// A connection, and what its properties say of reading and writing.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) client: Arc<ClientConfig>,
    pub(crate) group: Option<String>,
    pub(crate) fetch: FetchConfig,
    pub(crate) produce: ProducerConfig,
    /// `transaction.timeout.ms`, if it is set.
    pub(crate) transaction_timeout: Option<Duration>,
    /// Whether offsets are committed to the group.
    pub(crate) commits_offsets: bool,
}

impl Connection {
    pub(crate) fn new(table: &TableSpec, options: &Options<'_>) -> Result<Self> {
        let owner = format!("table {}", table.name);
        options.get(&SERVERS)?;
        let mut values = BTreeMap::new();
        for key in table.options.keys().filter(|key| key.starts_with(PREFIX)) {
            let name = key.strip_prefix(PREFIX).unwrap_or_default();
            values.extend(options.get_at(&PROPERTY, name)?.map(|value| (name.to_owned(), value)));
        }
        let properties = Properties::new(values, PREFIX);
        let connection = Connection::of(&properties).map_err(|error| error.context(&owner))?;
        properties.report_unread(&owner);
        Ok(connection)
    }

    fn of(properties: &Properties) -> Result<Self> {
        let reset =
            [("none", None), ("earliest", Some(OffsetAt::Earliest)), ("latest", Some(OffsetAt::Latest))];
        let isolation =
            [("read_committed", Isolation::ReadCommitted), ("read_uncommitted", Isolation::ReadUncommitted)];
        let compression = [
            ("none", Compression::None),
            ("gzip", Compression::Gzip),
            ("snappy", Compression::Snappy),
            ("lz4", Compression::Lz4),
            ("zstd", Compression::Zstd),
        ];
        let acks = [("all", -1), ("-1", -1), ("1", 1)];
        if properties.text("acks") == Some("0") {
            return Err(Error::unsupported(
                "'properties.acks' = '0' would lose rows without telling; there are: all, 1",
            ));
        }
        let acks = properties.word("acks", &acks, -1)?;
        let size = |name, default: u64| {
            properties.number(name, default).map(|size| i32::try_from(size).unwrap_or(i32::MAX))
        };
        let timeout = properties.text("transaction.timeout.ms").is_some();
        let transaction_timeout = properties.millis("transaction.timeout.ms", 0)?;
        Ok(Connection {
            client: Arc::new(ClientConfig::new(properties)?),
            group: properties.text("group.id").map(str::to_owned),
            fetch: FetchConfig {
                isolation: properties.word("isolation.level", &isolation, Isolation::ReadCommitted)?,
                max_bytes: size("fetch.max.bytes", 50 << 20)?,
                max_partition_bytes: size("max.partition.fetch.bytes", 1 << 20)?,
                min_bytes: size("fetch.min.bytes", 1)?,
                max_wait_ms: size("fetch.max.wait.ms", 500)?,
                check_crcs: properties.flag("check.crcs", true)?,
                buffer: 32 << 20,
                reset: properties.word("auto.offset.reset", &reset, None)?,
            },
            produce: ProducerConfig {
                acks,
                is_idempotent: acks == -1 && properties.flag("enable.idempotence", true)?,
                compression: properties.word("compression.type", &compression, Compression::None)?,
                max_batch: properties.number("max.request.size", 1_000_000)? as usize,
                buffer: properties.number("buffer.memory", 32 << 20)? as usize,
                delivery_timeout: properties.millis("delivery.timeout.ms", 120_000)?,
                transactions: None,
            },
            transaction_timeout: timeout.then_some(transaction_timeout),
            commits_offsets: properties.flag("commit.offsets.on.checkpoint", true)?,
        })
    }
}
