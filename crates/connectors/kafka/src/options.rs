//! The options of tables.

use flott_connector::options::{SCAN_PARALLELISM, SINK_PARALLELISM};
use flott_connector::{AnyOption, Manual, Required, TableOption, WithDefault};
use regex::Regex;

use crate::offsets::{Offsets, Specific};

pub(crate) const SERVERS: TableOption<String, Required> = TableOption::text(
    "properties.bootstrap.servers",
    "brokers to ask first: `host:port`, and more with commas between",
)
.required();
pub(crate) const GROUP: TableOption<String> = TableOption::text(
    "properties.group.id",
    "the group under which offsets are committed, and from which `group-offsets` starts",
);
pub(crate) const PROPERTY: TableOption<String> = TableOption::text(
    "properties.#",
    "any property of Kafka's clients, as it is called there; one that has no effect here is warned of",
);
pub(crate) const TOPIC: TableOption<String> =
    TableOption::text("topic", "the topic; a source may read several, with `;` between");
pub(crate) const TOPIC_PATTERN: TableOption<Regex> = TableOption::parsed(
    "topic-pattern",
    "regular expression",
    "a regular expression",
    |pattern| Regex::new(&format!("^(?:{pattern})$")).ok(),
    "topics whose whole name matches are read, also those that are made later; instead of `topic`",
);

pub(crate) const FORMAT: TableOption<String, Required> =
    TableOption::text("format", "the format of values; its own options are prefixed with its name")
        .required();
pub(crate) const VALUE_FORMAT: TableOption<String, Required> = TableOption::text(
    "value.format",
    "another name of `format`; the format's options are prefixed with `value.` and its name",
)
.required();
pub(crate) const KEY_FORMAT: TableOption<String, Required> = TableOption::text(
    "key.format",
    "the format of keys; its options are prefixed with `key.` and its name. Without it keys are neither read nor written",
)
.required();
pub(crate) const KEY_FIELDS: TableOption<String> =
    TableOption::text("key.fields", "the columns that are in the key, with `;` between");
pub(crate) const KEY_PREFIX: TableOption<String> = TableOption::text(
    "key.fields-prefix",
    "what the names of the key's columns begin with in the table and not in the key",
);
/// Whether those of the key are in the value too.
pub(crate) const VALUE_INCLUDE: TableOption<bool, WithDefault> = TableOption::word(
    "value.fields-include",
    &[("ALL", true), ("EXCEPT_KEY", false)],
    "whether the value has the key's columns too",
)
.in_any_case()
.or("ALL");

pub(crate) const STARTUP_MODE: TableOption<Offsets, WithDefault> = TableOption::word(
    "scan.startup.mode",
    &[
        ("earliest-offset", Offsets::Earliest),
        ("latest-offset", Offsets::Latest),
        ("group-offsets", Offsets::Group),
        ("timestamp", Offsets::Timestamp),
        ("specific-offsets", Offsets::Specific),
    ],
    "where reading begins when the job starts without a checkpoint",
)
.or("group-offsets");
pub(crate) const STARTUP_OFFSETS: TableOption<Specific> = TableOption::parsed(
    "scan.startup.specific-offsets",
    "offsets",
    "partition:0,offset:42;partition:1,offset:300",
    Specific::parse,
    "for `specific-offsets`: `partition:0,offset:42;partition:1,offset:300`; other partitions are read from the start",
);
pub(crate) const STARTUP_TIMESTAMP: TableOption<u64> = TableOption::number(
    "scan.startup.timestamp-millis",
    0,
    i64::MAX as u64,
    "for `timestamp`: milliseconds since the epoch; a partition without a record as late is read from its end",
);
pub(crate) const BOUNDED_MODE: TableOption<Option<Offsets>, WithDefault> = TableOption::word(
    "scan.bounded.mode",
    &[
        ("unbounded", None),
        ("latest-offset", Some(Offsets::Latest)),
        ("group-offsets", Some(Offsets::Group)),
        ("timestamp", Some(Offsets::Timestamp)),
        ("specific-offsets", Some(Offsets::Specific)),
    ],
    "where reading ends, as of the start of the job",
)
.or("unbounded");
pub(crate) const BOUNDED_OFFSETS: TableOption<Specific> = TableOption::parsed(
    "scan.bounded.specific-offsets",
    "offsets",
    "partition:0,offset:42;partition:1,offset:300",
    Specific::parse,
    "for `specific-offsets`: the first offset of each partition that is not read",
);
pub(crate) const BOUNDED_TIMESTAMP: TableOption<u64> = TableOption::number(
    "scan.bounded.timestamp-millis",
    0,
    i64::MAX as u64,
    "for `timestamp`: reading ends at the first record that is as late, in milliseconds since the epoch",
);
pub(crate) const DISCOVERY_INTERVAL: TableOption<i64, WithDefault> = TableOption::duration(
    "scan.topic-partition-discovery.interval",
    "how often to look for new partitions and topics, which are read from the start; 0 never",
)
.or("5 min");

pub(crate) const GUARANTEE: TableOption<Guarantee, WithDefault> = TableOption::word(
    "sink.delivery-guarantee",
    &[
        ("at-least-once", Guarantee::AtLeastOnce),
        ("exactly-once", Guarantee::ExactlyOnce),
        ("none", Guarantee::None),
    ],
    "what holds after a failure; `exactly-once` writes in transactions that are committed with checkpoints",
)
.or("at-least-once");
pub(crate) const TRANSACTION_PREFIX: TableOption<String> = TableOption::text(
    "sink.transactional-id-prefix",
    "what transactional ids begin with; required for `exactly-once`, and no other running job may have it",
);
const NAMING: TableOption<(), WithDefault> = TableOption::word(
    "sink.transaction-naming-strategy",
    &[("DEFAULT", ()), ("INCREMENTING", ()), ("POOLING", ())],
    "how transactional ids are made",
)
.in_any_case()
.or("DEFAULT")
.without_effect("each transaction has an id of its own, and open ones are asked for");
pub(crate) const PARTITIONER: TableOption<Partitioning, WithDefault> = TableOption::word(
    "sink.partitioner",
    &[
        ("default", Partitioning::Default),
        ("fixed", Partitioning::Fixed),
        ("round-robin", Partitioning::RoundRobin),
    ],
    "which partition a row goes to: `default` by the hash of the key as Kafka's own producer does, and without a key to one after the other; `fixed` to one for each writer; `round-robin` to one after the other",
)
.or("default");
pub(crate) const FLUSH_ROWS: TableOption<u32, WithDefault> = TableOption::number32(
    "sink.buffer-flush.max-rows",
    0,
    u32::MAX,
    "how many keys are collected, of each of which the last row is written; 0 writes every row. Works together with `sink.buffer-flush.interval`",
)
.or("0");
pub(crate) const FLUSH_INTERVAL: TableOption<i64, WithDefault> = TableOption::duration(
    "sink.buffer-flush.interval",
    "how long they are collected at most; 0 writes every row",
)
.or("0 s");

/// What holds after a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Guarantee {
    /// Rows may be lost and may come twice.
    None,
    /// Rows may come twice.
    AtLeastOnce,
    /// Neither.
    ExactlyOnce,
}

/// Which partition a row goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Partitioning {
    /// By the hash of the key; without a key, to one after the other.
    Default,
    /// To one for each writer.
    Fixed,
    /// To one after the other.
    RoundRobin,
}

static OPTIONS: &[&dyn AnyOption] = &[
    &SERVERS,
    &GROUP,
    &TOPIC,
    &TOPIC_PATTERN,
    &FORMAT,
    &VALUE_FORMAT,
    &KEY_FORMAT,
    &KEY_FIELDS,
    &KEY_PREFIX,
    &VALUE_INCLUDE,
    &STARTUP_MODE,
    &STARTUP_OFFSETS,
    &STARTUP_TIMESTAMP,
    &BOUNDED_MODE,
    &BOUNDED_OFFSETS,
    &BOUNDED_TIMESTAMP,
    &DISCOVERY_INTERVAL,
    &SCAN_PARALLELISM,
    &GUARANTEE,
    &TRANSACTION_PREFIX,
    &NAMING,
    &PARTITIONER,
    &SINK_PARALLELISM,
    &PROPERTY,
];

static UPSERT_OPTIONS: &[&dyn AnyOption] = &[
    &SERVERS,
    &GROUP,
    &TOPIC,
    &KEY_FORMAT,
    &VALUE_FORMAT,
    &KEY_PREFIX,
    &VALUE_INCLUDE,
    &BOUNDED_MODE,
    &BOUNDED_OFFSETS,
    &BOUNDED_TIMESTAMP,
    &DISCOVERY_INTERVAL,
    &SCAN_PARALLELISM,
    &GUARANTEE,
    &TRANSACTION_PREFIX,
    &NAMING,
    &FLUSH_ROWS,
    &FLUSH_INTERVAL,
    &SINK_PARALLELISM,
    &PROPERTY,
];

pub(crate) fn manual() -> Manual {
    Manual {
        summary: "Topics of Apache Kafka, read and written exactly once.",
        details: "\
A source and a sink.
The client is Flott's own and needs no library; brokers from version 2.1 on are understood, and from 3.0 on with `exactly-once`.

Reading: each partition is read by one reader, from where `scan.startup.mode` says or, after a restart, from where the checkpoint says.
Watermarks are made for each partition.
With `properties.group.id`, offsets are committed to the group when a checkpoint is complete; they are for others to see, and nothing is restored from them.
Only records of committed transactions are read, unless `properties.isolation.level` is `read_uncommitted`.
If records are deleted before they are read, the job fails and says which; with `properties.auto.offset.reset` = `earliest` or `latest` it goes on without them and a warning says how many are missing.
A topic that is deleted fails the job too.
Records that cannot be read fail the job, or become rows of another table: [`ERRORS INTO`](../sql/queries.md#errors-into).

Writing: `at-least-once` waits for all acknowledgements before a checkpoint; rows may come twice after a failure.
`exactly-once` writes in transactions, which are committed when their checkpoint is complete: consumers that read committed records (`isolation.level` = `read_committed`) see each row once, and see it that late.
A transaction that is not committed within `properties.transaction.timeout.ms` (one hour, or what the broker allows if that is less) is aborted by the broker: a job that is down for longer cannot continue from its checkpoint, and says so.
When a job starts, open transactions under its prefix that belong to no checkpoint are aborted.

Metrics, as Flink names them: `pendingRecords`, and in the group `KafkaSourceReader` `commitsSucceeded`, `commitsFailed`, and for each partition `topic.T.partition.N.currentOffset` and `committedOffset`.

Metadata columns of a source: `topic` STRING, `partition` INT, `offset` BIGINT, `timestamp` TIMESTAMP_LTZ(3), `timestamp-type` STRING, `leader-epoch` INT, `headers` MAP<STRING, BYTES>; a sink takes `timestamp` and `headers`.

Security: `properties.security.protocol` = `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`, and then these, each behind `properties.`:

| property | what it says |
|---|---|
| `sasl.mechanism` | `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER` |
| `sasl.jaas.config` | the user, as `... required username=\"...\" password=\"...\";`, or `clientId`, `clientSecret` and `scope` for a service that issues tokens |
| `sasl.oauthbearer.token.endpoint.url` | the service that issues tokens (`https://...`), or a file with a token (`file:///...`) |
| `ssl.truststore.type`, `ssl.truststore.location` | `PEM`, and a file with the certificates that are trusted; without them, those that browsers trust |
| `ssl.keystore.type`, `ssl.keystore.location` | `PEM`, and a file with the client's certificates and its private key |
| `ssl.truststore.certificates`, `ssl.keystore.certificate.chain`, `ssl.keystore.key` | the same as text instead of files |
| `ssl.enabled.protocols` | `TLSv1.2`, `TLSv1.3`, or both |
| `ssl.endpoint.identification.algorithm` | `https`, or nothing to accept a broker under any name |

Java's key stores (JKS, PKCS12) are refused: `openssl pkcs12 -in store.p12 -nodes -out store.pem` turns one into PEM.
Kerberos is refused.

Differences from Flink: lost records fail the job unless a policy is set; rows are read committed unless set otherwise; transactions are as long as the broker allows, where Flink's default of an hour is an error with most brokers.",
        example: "CREATE TABLE orders (
  id BIGINT,
  item STRING,
  amount DECIMAL(10, 2),
  ts TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'properties.group.id' = 'shop',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'shop'
);",
        options: OPTIONS,
    }
}

pub(crate) fn upsert_manual() -> Manual {
    Manual {
        summary: "Topics of Apache Kafka in which the last record of a key counts.",
        details: "\
A source and a sink of updates.
The table has a PRIMARY KEY, which is the key of records; a record without a value (a tombstone) deletes the row.

Reading begins at the start of the topic, which may be compacted.
Writing: a row that is inserted or updated is a record, and one that is deleted is a tombstone.
With `sink.buffer-flush.max-rows` and `sink.buffer-flush.interval` only the last row of each key that is collected is written.

Metadata columns, security, guarantees and what happens to lost records are those of [kafka](kafka.md).",
        example: "CREATE TABLE totals (
  customer BIGINT,
  total DECIMAL(10, 2),
  PRIMARY KEY (customer) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'totals',
  'properties.bootstrap.servers' = 'localhost:9092',
  'key.format' = 'json',
  'value.format' = 'json'
);",
        options: UPSERT_OPTIONS,
    }
}
