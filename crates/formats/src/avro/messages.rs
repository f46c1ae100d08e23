//! Bare records as messages: nothing tells what wrote them, so it is the schema of the table.

use std::sync::Arc;

use flott_batch::ChangeBatch;
use flott_connector::format::{Decoder, MessageDecoder, MessageEncoder};
use flott_plan::Schema as TableSchema;
use flott_types::{Error, Result};

use super::bytes::Bytes;
use super::encode::BoundRecord;
use super::resolve::{self, Fields};
use super::schema::{Names, Record};
use crate::encode::each_row;
use crate::rows::{Rows, projected};

pub(super) struct BareDecoder {
    fields: Fields,
    /// There is no type within itself in the schema of a table.
    names: Names,
    rows: Rows,
}

impl BareDecoder {
    pub(super) fn new(record: &Record, table: &TableSchema, projection: &[usize]) -> Result<Self> {
        let columns = projected(table, projection)?;
        let named = columns.iter().map(|column| (column.name.as_str(), &column.ty));
        let fields = resolve::fields(record, named).map_err(Error::internal)?;
        Ok(BareDecoder { fields, names: Names::default(), rows: Rows::new(&columns) })
    }
}

impl MessageDecoder for BareDecoder {
    fn decode(&mut self, message: &[u8]) -> Result<()> {
        // Bytes behind the record are not looked at, as in Flink: the writer may have added columns.
        match self.fields.read(&mut Bytes::new(message), &mut self.rows.columns, &self.names) {
            Ok(()) => {
                self.rows.commit();
                Ok(())
            }
            Err(bad) => {
                self.rows.abandon(self.rows.len());
                Err(Error::data(format!("a message is no Avro record of the table's schema: {bad}")))
            }
        }
    }
}

impl Decoder for BareDecoder {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn finish(&mut self) -> Result<Option<ChangeBatch>> {
        self.rows.finish()
    }

    fn take_skipped(&mut self) -> u64 {
        0
    }
}

pub(super) struct BareEncoder {
    table: TableSchema,
    record: Arc<Record>,
    message: Vec<u8>,
}

impl BareEncoder {
    pub(super) fn new(table: &TableSchema, record: Record) -> Self {
        BareEncoder { table: table.clone(), record: Arc::new(record), message: Vec::new() }
    }
}

impl MessageEncoder for BareEncoder {
    fn encode(
        &mut self,
        batch: &ChangeBatch,
        message: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let bound = BoundRecord::new(&self.record, self.table.iter(), batch.columns().columns());
        let bound = bound.map_err(Error::internal)?;
        each_row(batch, |row| {
            self.message.clear();
            bound.write(row, &mut self.message)?;
            message(row, &self.message)
        })
    }
}
