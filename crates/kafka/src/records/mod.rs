//! Batches of records, in the format that Kafka has had since 0.11.
//!
//! A batch is read as slices of the bytes that came from the broker: a record costs no allocation. It is
//! written in place, record by record, and its head is filled in at the end.

mod compression;
mod murmur2;
mod read;
mod varint;
mod write;

pub use compression::Compression;
pub use murmur2::murmur2;
pub use read::{Batch, Header, Headers, Message, Messages, batches};
pub use write::BatchBuilder;
pub(crate) use write::Sequenced;

/// The bytes before the first record.
const HEAD: usize = 61;

/// Where in the head the checksum is, which covers what follows it.
const CHECKSUM: std::ops::Range<usize> = 17..21;

/// Bits of the attributes.
const COMPRESSION: i16 = 0x07;
const LOG_APPEND_TIME: i16 = 0x08;
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;
