//! From columns to files.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use flott_batch::{ChangeBatch, arrow_type};
use flott_connector::format::BulkWriter;
use flott_plan::Schema;
use flott_types::{Error, Result};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::bytes::Out;

pub(super) struct Writer {
    schema: SchemaRef,
    rows: ArrowWriter<Out>,
    out: Out,
    block_size: usize,
}

impl Writer {
    pub(super) fn new(schema: &Schema, compression: Compression, block_size: usize) -> Result<Self> {
        let properties = WriterProperties::builder().set_compression(compression).build();
        let out = Out::default();
        let schema = arrow_type::schema(schema.iter());
        let rows = ArrowWriter::try_new(out.clone(), schema.clone(), Some(properties));
        Ok(Writer { schema, rows: rows.map_err(unwritable)?, out, block_size })
    }

    fn take(&self, out: &mut Vec<u8>) {
        out.append(&mut self.out.0.lock());
    }
}

fn unwritable(error: ParquetError) -> Error {
    Error::data("a parquet file cannot be written").with_source(error)
}

impl BulkWriter for Writer {
    fn write(&mut self, batch: ChangeBatch, out: &mut Vec<u8>) -> Result<()> {
        // With the names of the table.
        let columns = batch.compact()?.columns().columns().to_vec();
        let rows = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|error| Error::internal("columns of a parquet file").with_source(error))?;
        self.rows.write(&rows).map_err(unwritable)?;
        if self.rows.in_progress_size() >= self.block_size {
            self.rows.flush().map_err(unwritable)?;
        }
        self.take(out);
        Ok(())
    }

    fn held(&self) -> usize {
        self.rows.in_progress_size()
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<()> {
        self.rows.finish().map_err(unwritable)?;
        self.take(out);
        Ok(())
    }
}
