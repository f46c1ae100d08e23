//! Writes a container file.

use std::sync::Arc;

use flott_batch::ChangeBatch;
use flott_connector::format::BulkWriter;
use flott_plan::Schema as TableSchema;
use flott_types::{Error, Result};
use xxhash_rust::xxh3::xxh3_128;

use super::codec::Codec;
use super::container::{CODEC_KEY, MAGIC, SCHEMA_KEY};
use super::derive::to_json;
use super::encode::{BoundRecord, put_long, put_sized};
use super::schema::Record;
use crate::encode::each_row;

/// A block is closed when it has this many bytes before compression, as in Avro's own writer.
const BLOCK: usize = 64_000;

pub(super) struct Writer {
    table: Arc<TableSchema>,
    record: Arc<Record>,
    codec: Codec,
    /// The records of the block in progress.
    block: Vec<u8>,
    count: i64,
    /// The mark between blocks; made with the first one.
    sync: Option<[u8; 16]>,
}

impl Writer {
    pub(super) fn new(table: &TableSchema, record: Record, codec: Codec) -> Self {
        let (table, record) = (Arc::new(table.clone()), Arc::new(record));
        Writer { table, record, codec, block: Vec::new(), count: 0, sync: None }
    }

    fn end_block(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let sync = match self.sync {
            Some(sync) => sync,
            None => *self.sync.insert(begin(out, &self.record, self.codec, &self.block)),
        };
        if self.count > 0 {
            put_long(out, self.count);
            put_sized(out, &self.codec.compress(&self.block)?);
            out.extend_from_slice(&sync);
        }
        self.count = 0;
        self.block.clear();
        Ok(())
    }
}

/// Writes the header. The mark between blocks is made of what the file begins with: other files have others,
/// and the same file always the same.
fn begin(out: &mut Vec<u8>, record: &Record, codec: Codec, block: &[u8]) -> [u8; 16] {
    let schema = to_json(record);
    let sync = xxh3_128(&[schema.as_bytes(), block].concat()).to_le_bytes();
    out.extend_from_slice(MAGIC);
    put_long(out, 2);
    for (key, value) in [(SCHEMA_KEY, schema.as_str()), (CODEC_KEY, codec.name())] {
        put_sized(out, key.as_bytes());
        put_sized(out, value.as_bytes());
    }
    put_long(out, 0);
    out.extend_from_slice(&sync);
    sync
}

impl BulkWriter for Writer {
    fn write(&mut self, batch: ChangeBatch, out: &mut Vec<u8>) -> Result<()> {
        let (record, table) = (self.record.clone(), self.table.clone());
        let bound =
            BoundRecord::new(&record, table.iter(), batch.columns().columns()).map_err(Error::internal)?;
        each_row(&batch, |row| {
            bound.write(row, &mut self.block)?;
            self.count += 1;
            if self.block.len() >= BLOCK { self.end_block(out) } else { Ok(()) }
        })
    }

    fn held(&self) -> usize {
        self.block.len()
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<()> {
        self.end_block(out)
    }
}
