//! From records to rows: columns of values, of keys and of metadata side by side.
//!
//! Values and keys are decoded into columns of their own. As long as each record has one row of each, which
//! is nearly always so, these are the columns of the batch; else rows are picked by number.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use flott_batch::{ChangeBatch, RowKind, RowKinds, arrow_type};
use flott_connector::format::MessageDecoder;
use flott_connector::{BadRecord, Place, Rejected};
use flott_kafka::records::{Batch, Message};
use flott_plan::SourceSpec;
use flott_types::{Error, Result};

use super::metadata::{self, Metadata, Values};
use crate::columns::Parts;

/// Where each column of the output comes from.
pub(crate) struct Layout {
    parts: Parts,
    schema: SchemaRef,
    origins: Vec<Origin>,
    /// The columns that are decoded of keys and of values.
    of_key: Vec<usize>,
    of_value: Vec<usize>,
    metadata: Vec<Metadata>,
    is_upsert: bool,
    spec: SourceSpec,
}

#[derive(Clone, Copy)]
enum Origin {
    Key(usize),
    Value(usize),
    Metadata(usize),
}

type Decoders = (Option<Box<dyn MessageDecoder>>, Box<dyn MessageDecoder>);

impl Layout {
    pub(super) fn new(parts: Parts, spec: &SourceSpec, is_upsert: bool) -> Result<Self> {
        let (mut origins, mut columns) = (Vec::new(), Vec::new());
        let (mut of_key, mut of_value, mut metadata) = (Vec::new(), Vec::new(), Vec::new());
        for index in &spec.projection {
            let column = spec.table.schema.columns.get(*index);
            columns.push(column.ok_or_else(|| Error::internal(format!("there is no column {index}")))?);
            let in_key = parts.key.as_ref().is_some_and(|key| key.columns.contains(index));
            // The value counts, but a record without one has its key.
            origins.push(if in_key && (is_upsert || !parts.value.columns.contains(index)) {
                of_key.push(*index);
                Origin::Key(of_key.len() - 1)
            } else {
                of_value.push(*index);
                Origin::Value(of_value.len() - 1)
            });
        }
        for column in &spec.metadata.columns {
            columns.push(column);
            metadata.push(Metadata::of(column, &spec.table)?);
            origins.push(Origin::Metadata(metadata.len() - 1));
        }
        let schema = arrow_type::schema(columns.into_iter().map(|column| (column.name.as_str(), &column.ty)));
        Ok(Layout { parts, schema, origins, of_key, of_value, metadata, is_upsert, spec: spec.clone() })
    }

    /// What decodes keys, if anything of them is wanted, and values.
    pub(super) fn decoders(&self) -> Result<Decoders> {
        let key = match &self.parts.key {
            Some(key) if !self.of_key.is_empty() => Some(key.decoder(&self.of_key)?),
            Some(_) | None => None,
        };
        Ok((key, self.parts.value.decoder(&self.of_value)?))
    }

    pub(super) fn rows(self: &Arc<Self>) -> Result<Rows> {
        let (key, value) = self.decoders()?;
        Ok(Rows {
            layout: self.clone(),
            key: key.map(|decoder| Picked { decoder, picks: Vec::new(), decoded: 0, is_plain: true }),
            value: Picked { decoder: value, picks: Vec::new(), decoded: 0, is_plain: true },
            metadata: self.metadata.iter().map(|metadata| Values::new(*metadata)).collect(),
            kinds: Vec::new(),
            rows: 0,
            rejected: Rejected::wanted(&self.spec),
        })
    }
}

/// Rows of one decoder, and which of them are the batch's.
struct Picked {
    decoder: Box<dyn MessageDecoder>,
    picks: Vec<Option<u32>>,
    /// How many the decoder has.
    decoded: u32,
    /// Each once, in order.
    is_plain: bool,
}

impl Picked {
    /// Decodes one record, and answers how many rows it has.
    fn decode(&mut self, bytes: &[u8]) -> Result<u32> {
        self.decoder.decode(bytes)?;
        let rows = self.decoder.rows() as u32;
        let new = rows - self.decoded;
        self.decoded = rows;
        Ok(new)
    }

    fn pick(&mut self, row: Option<u32>) {
        self.is_plain &= row == Some(self.picks.len() as u32);
        self.picks.push(row);
    }

    fn finish(&mut self) -> Result<(Option<ChangeBatch>, Option<UInt32Array>)> {
        let decoded = self.decoder.finish()?;
        let picks = std::mem::take(&mut self.picks);
        let is_plain = self.is_plain && picks.len() == self.decoded as usize;
        (self.decoded, self.is_plain) = (0, true);
        Ok((decoded, (!is_plain).then(|| picks.into_iter().collect())))
    }
}

/// Collects rows of one partition.
pub(super) struct Rows {
    layout: Arc<Layout>,
    key: Option<Picked>,
    value: Picked,
    metadata: Vec<Values>,
    /// Of tables of upserts.
    kinds: Vec<RowKind>,
    rows: usize,
    /// Records that cannot be read, where they do not fail the job.
    rejected: Option<Rejected>,
}

/// What came of records.
pub(super) struct Read {
    pub(super) rows: Option<ChangeBatch>,
    /// The records that cannot be read, for ERRORS INTO.
    pub(super) rejected: Option<ChangeBatch>,
    /// How many records were left out because they could not be read.
    pub(super) skipped: u64,
}

impl Rows {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// How many records were taken that could not be read.
    pub(super) fn rejected(&self) -> usize {
        self.rejected.as_ref().map_or(0, Rejected::len)
    }

    /// Takes a record of a topic's partition.
    pub(super) fn push(
        &mut self,
        (topic, partition): (&str, i32),
        batch: &Batch,
        message: &Message<'_>,
    ) -> Result<()> {
        let Err(error) = self.read(batch, message) else { return Ok(()) };
        let Some(rejected) = &mut self.rejected else { return Err(error) };
        let place = Place::Partition { topic, partition, offset: message.offset };
        let headers = metadata::headers(message).ok();
        let record = BadRecord {
            bytes: message.value,
            key: message.key,
            place,
            timestamp: (message.timestamp >= 0).then_some(message.timestamp),
            headers: headers.as_deref(),
        };
        rejected.push(record, error)
    }

    /// Reads a record. One that cannot be read leaves no rows, though perhaps a key that none of them has.
    fn read(&mut self, batch: &Batch, message: &Message<'_>) -> Result<()> {
        if self.rejected.is_some() && self.layout.metadata.iter().any(Metadata::is_in_record) {
            message.headers.iter().try_for_each(|header| header.map(drop)).map_err(Error::data)?;
        }
        let key = match (&mut self.key, message.key) {
            (Some(key), Some(bytes)) => {
                let rows = key.decode(bytes)?;
                if rows > 1 {
                    return Err(Error::data("a key holds more than one record"));
                }
                if rows == 0 && self.layout.is_upsert {
                    // The decoder has skipped it: nobody knows which row it changes.
                    return Ok(());
                }
                (rows == 1).then(|| key.decoded - 1)
            }
            (Some(_), None) if self.layout.is_upsert => {
                return Err(Error::data("a record of a table with a primary key has no key"));
            }
            (Some(_) | None, None) | (None, Some(_)) => None,
        };
        let first = self.value.decoded;
        let rows = match message.value {
            Some(bytes) => self.value.decode(bytes)?,
            // A tombstone says something of a key, to who asks for keys.
            None if self.layout.is_upsert => {
                self.value.pick(None);
                return self.add(batch, message, key, 1, RowKind::Delete);
            }
            None => return Ok(()),
        };
        (first..first + rows).for_each(|row| self.value.pick(Some(row)));
        self.add(batch, message, key, rows as usize, RowKind::Insert)
    }

    fn add(
        &mut self,
        batch: &Batch,
        message: &Message<'_>,
        key: Option<u32>,
        rows: usize,
        kind: RowKind,
    ) -> Result<()> {
        if let Some(keys) = &mut self.key {
            (0..rows).for_each(|_| keys.pick(key));
        }
        if self.layout.is_upsert {
            self.kinds.extend(std::iter::repeat_n(kind, rows));
        }
        self.metadata.iter_mut().try_for_each(|values| values.push(batch, message, rows))?;
        self.rows += rows;
        Ok(())
    }

    /// What came of the records since the last call.
    pub(super) fn finish(&mut self, topic: &str, partition: i32) -> Result<Read> {
        let rejected = self.rejected.as_mut().map_or(Ok(None), Rejected::finish)?;
        let rows = std::mem::take(&mut self.rows);
        let skipped =
            self.value.decoder.take_skipped() + self.key.as_mut().map_or(0, |key| key.decoder.take_skipped());
        let (values, of_values) = self.value.finish()?;
        let (keys, of_keys) = self.key.as_mut().map_or(Ok((None, None)), Picked::finish)?;
        let metadata: Vec<ArrayRef> =
            self.metadata.iter_mut().map(|values| values.finish(topic, partition, rows)).collect();
        if rows == 0 {
            return Ok(Read { rows: None, rejected, skipped });
        }
        let column = |origin: (usize, &Origin)| match origin.1 {
            Origin::Key(at) => self.picked(origin.0, keys.as_ref(), *at, of_keys.as_ref(), rows),
            Origin::Value(at) => self.picked(origin.0, values.as_ref(), *at, of_values.as_ref(), rows),
            Origin::Metadata(at) => {
                metadata.get(*at).cloned().ok_or_else(|| Error::internal("a metadata column is missing"))
            }
        };
        let columns = self.layout.origins.iter().enumerate().map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.layout.schema.clone(), columns, &options)
            .map_err(|error| Error::internal("columns of records").with_source(error))?;
        let kinds = match self.layout.is_upsert {
            true => Some(RowKinds::from(std::mem::take(&mut self.kinds))),
            // Of a format with changes each record has rows of its own, and nothing is picked.
            false => values.and_then(|values| values.kinds().cloned()),
        };
        Ok(Read { rows: Some(ChangeBatch::new(batch, kinds)), rejected, skipped })
    }

    /// A column of a decoder, of the rows that were picked.
    fn picked(
        &self,
        column: usize,
        decoded: Option<&ChangeBatch>,
        at: usize,
        picks: Option<&UInt32Array>,
        rows: usize,
    ) -> Result<ArrayRef> {
        match (decoded, picks) {
            (Some(decoded), None) => Ok(decoded.column(at).clone()),
            (Some(decoded), Some(picks)) => take(decoded.column(at), picks, None)
                .map_err(|error| Error::internal("columns of records").with_source(error)),
            // Nothing was decoded: all are NULL.
            (None, _) => Ok(arrow::array::new_null_array(self.layout.schema.field(column).data_type(), rows)),
        }
    }
}
