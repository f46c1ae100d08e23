//! A Kafka client that blocks: for threads of connectors, which have nothing else to do.
//!
//! | part | what it does |
//! |---|---|
//! | [`ClientConfig`] | Kafka's client properties: servers, security, timeouts |
//! | [`Client`] | requests to brokers and coordinators: topics, offsets, transactions, administration |
//! | [`Fetcher`] | reads partitions side by side, on a thread for each leader, up to a bound |
//! | [`Producer`] | batches, sends and retries records, in transactions or without |
//! | [`records`] | Kafka's record batches: read without a copy, written in place |
//!
//! The wire format of requests is that of the crate `kafka-protocol`; batches of records, where the time goes,
//! are read and written here. Requests are of versions from before topics had ids and before the second
//! protocol of transactions, and an `EndTxn` may be repeated. All brokers from 2.1 on understand them, but for
//! the list of transactions, which exactly-once sinks ask for: it is there from 3.0 on.
//!
//! There is no consumer group: partitions are assigned by whoever uses this, and a group is only a place
//! where offsets are stored.
//!
//! A client belongs to one thread. It retries what Kafka says can be retried until a deadline, and gives up
//! at once when its [`Stop`] is set.

mod api;
mod client;
mod config;
mod connection;
mod failure;
mod fetcher;
mod producer;
pub mod records;
mod sasl;
mod stop;
mod stream;
mod tls;

pub use client::{
    Aborted, Client, Fetched, ListedTransaction, OffsetAt, Partition, Position, Topic, TopicPartition,
    TransactionEnd,
};
pub use config::{ClientConfig, Isolation, Properties};
pub use failure::{Failure, Result};
pub use fetcher::{Chunk, Damaged, FetchConfig, Fetcher, Lost};
pub use producer::{
    EndOfSegment, PreparedTransaction, Producer, ProducerConfig, Record, TransactionConfig, Writing,
};
pub use records::Compression;
pub use stop::Stop;
