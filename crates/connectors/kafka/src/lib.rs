//! The connectors `kafka` and `upsert-kafka`.
//!
//! # Reading
//!
//! A split is a partition, its position the next offset. The enumerator finds partitions and where each
//! begins, and gives a partition to a reader that follows from its topic and number, so that the partitions
//! of a topic are spread evenly. A reader reads its partitions side by side (`flott_kafka::Fetcher`) and
//! decodes straight from the bytes of the broker into columns. Offsets of completed checkpoints are committed
//! to the group, for others to see: a restart takes its positions from the checkpoint.
//!
//! # Writing
//!
//! Rows are encoded straight into batches for partitions (`flott_kafka::Producer`). At a barrier a segment of
//! the producer ends; when all of it is acknowledged the checkpoint may be completed. Exactly once: a segment
//! is a transaction, with an id that nobody uses again. What the checkpoint holds is the transaction's id,
//! producer and epoch, and the committer ends it, after a crash too.
//!
//! Transactions that no checkpoint holds would let consumers that read committed records wait, until the
//! broker aborts them. So a writer that starts looks for open transactions of its prefix, and again some time
//! later. An id says after
//! which checkpoint the transaction was begun. If the job starts from checkpoint 7, transactions that were
//! begun after 7 or a later one are in no checkpoint that counts, and are aborted; those that were begun
//! before are committed by somebody, or were. Transactions of this attempt are left alone: another writer
//! may have begun them.

mod columns;
mod config;
mod connector;
mod offsets;
mod options;
mod sink;
mod source;

pub use connector::{KafkaConnector, UpsertKafkaConnector};
