//! Batches as bytes: for a disk, or for another process.
//!
//! Columns are arrow's IPC stream. Its schema is written only when it changes, which on a channel it never
//! does; so an [`Encoder`] belongs to one stream of batches, and one [`Decoder`] reads what it wrote in the
//! same order. The columns are preceded by the kinds of the rows, a byte each, unless all are insertions.
//! Rows that are not selected are not sent.
//!
//! Records are MessagePack ([`crate::copy`]). Their type is not in the bytes: the reader knows it, as a
//! [`RecordsReader`].
//!
//! ```text
//! flags | columns: [count of kinds, u32 | kinds] arrow IPC | 0
//!       | records: MessagePack of (values, timestamps, routes)
//! ```

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use flott_types::{Error, Result};

use crate::{AnyRecords, Batch, ChangeBatch, Record, Records, RowKind, RowKinds};

/// The batch holds records.
const RECORDS: u8 = 1;
/// There are kinds.
const KINDS: u8 = 2;
/// A stream of columns begins, with its schema.
const BEGINS: u8 = 4;

/// What arrow writes besides the columns' own bytes, about.
const ROOM: usize = 1_024;

/// Reads records of one type.
#[derive(Clone, Copy, Debug)]
pub struct RecordsReader {
    read: fn(&[u8]) -> Result<Box<dyn AnyRecords>>,
    type_name: &'static str,
}

impl RecordsReader {
    /// Of values of this type.
    pub fn of<T: Record>() -> Self {
        let of = Records::<T>::default();
        RecordsReader { read: of.reader(), type_name: of.type_name() }
    }

    /// Of the type that these have.
    pub fn like(records: &dyn AnyRecords) -> Self {
        RecordsReader { read: records.reader(), type_name: records.type_name() }
    }

    /// The name of the values' type, for messages.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The records that were written by [`AnyRecords::to_bytes`].
    ///
    /// # Errors
    /// If they are of another type.
    pub fn read(&self, bytes: &[u8]) -> Result<Box<dyn AnyRecords>> {
        (self.read)(bytes)
    }
}

/// Writes the batches of one stream.
#[derive(Default)]
pub struct Encoder {
    columns: Option<StreamWriter<Vec<u8>>>,
    schema: Option<SchemaRef>,
}

/// Reads them again, in order.
#[derive(Default)]
pub struct Decoder {
    columns: StreamDecoder,
    records: Option<RecordsReader>,
}

impl Encoder {
    /// One batch.
    ///
    /// # Errors
    /// If a user's type cannot be serialised, or arrow cannot write the columns.
    pub fn encode(&mut self, batch: Batch) -> Result<Vec<u8>> {
        self.encode_behind(Vec::new(), batch)
    }

    /// One batch, behind what is already in the bytes. Written in place, so that a header costs no copy.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_behind(&mut self, mut header: Vec<u8>, batch: Batch) -> Result<Vec<u8>> {
        match batch {
            Batch::Records(records) => {
                header.push(RECORDS);
                header.append(&mut records.to_bytes()?);
                Ok(header)
            }
            Batch::Changes(changes) => self.encode_columns(header, &changes.compact()?),
        }
    }

    fn encode_columns(&mut self, mut bytes: Vec<u8>, changes: &ChangeBatch) -> Result<Vec<u8>> {
        let failed = |error| Error::internal("columns cannot be written as bytes").with_source(error);
        let columns = changes.columns();
        let schema = columns.schema();
        let going_on = self.columns.take().filter(|_| self.schema.as_ref() == Some(&schema));
        let kinds = changes.kinds().map(RowKinds::as_bytes);
        let flags = if going_on.is_some() { 0 } else { BEGINS } | if kinds.is_some() { KINDS } else { 0 };
        bytes.reserve(ROOM + kinds.map_or(0, <[u8]>::len) + changes.bytes());
        bytes.push(flags);
        if let Some(kinds) = kinds {
            let count = u32::try_from(kinds.len())
                .map_err(|_| Error::internal("a batch has more rows than can be counted"))?;
            bytes.extend_from_slice(&count.to_le_bytes());
            bytes.extend_from_slice(kinds);
        }
        let writer = match going_on {
            Some(mut writer) => {
                *writer.get_mut() = bytes;
                writer
            }
            None => {
                self.schema = Some(schema.clone());
                StreamWriter::try_new(bytes, &schema).map_err(failed)?
            }
        };
        let writer = self.columns.insert(writer);
        writer.write(columns).map_err(failed)?;
        let mut bytes = std::mem::take(writer.get_mut());
        // Arrow's reader only processes a message without a body (no rows, or no columns) when something
        // follows.
        bytes.push(0);
        Ok(bytes)
    }
}

impl Decoder {
    /// For a stream whose records are of this type, if it has any.
    pub fn new(records: Option<RecordsReader>) -> Self {
        Decoder { columns: StreamDecoder::new(), records }
    }

    /// The next batch.
    ///
    /// # Errors
    /// If the bytes are not what the encoder of the same stream wrote.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Batch> {
        let Some((flags, rest)) = bytes.split_first() else { return Err(damaged("it is empty")) };
        if flags & RECORDS != 0 {
            let Some(records) = &self.records else {
                return Err(Error::internal("records arrived, but their type is not known"));
            };
            return Ok(Batch::Records(records.read(rest)?));
        }
        let (kinds, ipc) = match flags & KINDS {
            0 => (None, rest),
            _ => {
                let (kinds, ipc) = split_kinds(rest).ok_or_else(|| damaged("its kinds are truncated"))?;
                (Some(kinds), ipc)
            }
        };
        if flags & BEGINS != 0 {
            self.columns = StreamDecoder::new();
        }
        let columns = self.columns(ipc)?;
        if kinds.is_some_and(|kinds| kinds.len() != columns.num_rows()) {
            return Err(damaged("it does not have a kind for each row"));
        }
        let kinds = kinds.map(|kinds| RowKinds::from(Buffer::from_slice_ref(kinds)));
        Ok(ChangeBatch::new(columns, kinds).into())
    }

    fn columns(&mut self, ipc: &[u8]) -> Result<RecordBatch> {
        let mut buffer = Buffer::from_slice_ref(ipc);
        let unread = |error| damaged("arrow cannot read its columns").with_source(error);
        // Dictionaries come before the columns that use them.
        while !buffer.is_empty() {
            if let Some(columns) = self.columns.decode(&mut buffer).map_err(unread)? {
                return if buffer.as_slice() == [0] { Ok(columns) } else { Err(damaged("more follows")) };
            }
        }
        Err(damaged("its columns are truncated"))
    }
}

fn split_kinds(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
    let (kinds, ipc) = rest.split_at_checked(count)?;
    let known = |kind: &u8| RowKind::from_u8(*kind) as u8 == *kind;
    kinds.iter().all(known).then_some((kinds, ipc))
}

fn damaged(why: &str) -> Error {
    Error::internal(format!("a batch cannot be read from its bytes: {why}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BooleanArray, DictionaryArray, Int64Array, ListArray, RecordBatchOptions, StringArray,
        StructArray,
    };
    use arrow::buffer::BooleanBuffer;
    use arrow::datatypes::{DataType, Field, Int32Type};
    use serde::{Deserialize, Serialize};

    use super::*;

    /// Numbers that differ and repeat (SplitMix64).
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (z ^ (z >> 27)) % sides
        }
    }

    fn columns(dice: &mut Dice) -> RecordBatch {
        let rows = dice.roll(20) as usize;
        let ids: ArrayRef = Arc::new(Int64Array::from_iter((0..rows).map(|_| match dice.roll(4) {
            0 => None,
            _ => Some(dice.roll(1_000) as i64),
        })));
        let texts: ArrayRef =
            Arc::new(StringArray::from_iter_values((0..rows).map(|_| "ü".repeat(dice.roll(5) as usize))));
        let flags: ArrayRef = Arc::new(BooleanArray::from_iter((0..rows).map(|_| Some(dice.roll(2) == 0))));
        let words = ["a", "b", "c"];
        let words: DictionaryArray<Int32Type> =
            (0..rows).map(|_| words.get(dice.roll(4) as usize).copied()).collect();
        let lists = (0..rows).map(|_| match dice.roll(3) {
            0 => None,
            n => Some((0..n).map(|at| Some(at as i32)).collect::<Vec<_>>()),
        });
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists));
        let field = Arc::new(Field::new("flag", DataType::Boolean, true));
        let nested: ArrayRef = Arc::new(StructArray::from(vec![(field, flags.clone())]));
        RecordBatch::try_from_iter_with_nullable([
            ("id", ids, true),
            ("s", texts, false),
            ("f", flags, true),
            ("w", Arc::new(words), true),
            ("l", lists, true),
            ("r", nested, true),
        ])
        .unwrap()
    }

    fn changes(dice: &mut Dice) -> ChangeBatch {
        let columns = columns(dice);
        let rows = columns.num_rows();
        let kinds = (dice.roll(2) == 0)
            .then(|| (0..rows).map(|_| RowKind::from_u8(dice.roll(4) as u8)).collect::<RowKinds>());
        let batch = ChangeBatch::new(columns, kinds);
        match dice.roll(3) {
            0 => batch.select(&BooleanBuffer::from_iter((0..rows).map(|_| dice.roll(3) > 0))),
            _ => batch,
        }
    }

    #[test]
    fn columns_come_back_as_they_were() {
        for seed in 0..200 {
            let (mut dice, mut encoder, mut decoder) = (Dice(seed), Encoder::default(), Decoder::default());
            for at in 0..10 {
                let there = changes(&mut dice);
                let bytes = encoder.encode(there.clone().into()).unwrap();
                assert_eq!(bytes[0] & BEGINS != 0, at == 0, "the schema travels once");
                let Batch::Changes(back) = decoder.decode(&bytes).unwrap() else {
                    panic!("columns were sent")
                };
                assert_eq!(back, there.compact().unwrap(), "seed {seed}");
            }
        }
    }

    #[test]
    fn another_schema_begins_another_stream_and_rows_without_columns_are_counted() {
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        let options = RecordBatchOptions::new().with_row_count(Some(3));
        let none = RecordBatch::try_new_with_options(
            Arc::new(arrow::datatypes::Schema::empty()),
            Vec::new(),
            &options,
        );
        let none = ChangeBatch::insert_only(none.unwrap());
        for there in [changes(&mut Dice(1)), none, changes(&mut Dice(2))] {
            let bytes = encoder.encode(there.clone().into()).unwrap();
            let Batch::Changes(back) = decoder.decode(&bytes).unwrap() else { panic!("columns were sent") };
            assert_eq!(back, there.compact().unwrap());
        }
    }

    #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
    enum Value {
        Nothing,
        Text(String),
        Pair { left: Option<i64>, right: BTreeMap<String, u8> },
    }

    #[test]
    fn records_come_back_as_they_were() {
        let mut dice = Dice(7);
        for _ in 0..200 {
            let count = dice.roll(10);
            let values = (0..count).map(|_| match dice.roll(3) {
                0 => Value::Nothing,
                1 => Value::Text("x".repeat(dice.roll(9) as usize)),
                _ => Value::Pair {
                    left: (dice.roll(2) == 0).then(|| dice.roll(99) as i64),
                    right: [("k".to_owned(), dice.roll(9) as u8)].into(),
                },
            });
            let mut there = Records::new(values.collect::<Vec<_>>());
            if dice.roll(2) == 0 {
                there.timestamps = Some((0..count).map(|_| dice.roll(99) as i64).collect());
            }
            if dice.roll(2) == 0 {
                there.routes = Some((0..count).map(|_| dice.roll(u64::MAX)).collect());
            }
            let bytes = Encoder::default().encode(there.clone().into()).unwrap();
            let mut decoder = Decoder::new(Some(RecordsReader::of::<Value>()));
            assert_eq!(decoder.decode(&bytes).unwrap().into_records::<Value>().unwrap(), there);
            let another = Decoder::new(Some(RecordsReader::of::<Vec<u8>>())).decode(&bytes);
            assert!(count == 0 || another.is_err(), "of another type");
            assert!(Decoder::default().decode(&bytes).is_err(), "of no type");
        }
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let whole = Encoder::default().encode(changes(&mut Dice(3)).into()).unwrap();
        for len in 0..whole.len() / 2 {
            assert!(Decoder::default().decode(&whole[..len]).is_err(), "{len} of {}", whole.len());
        }
    }
}
