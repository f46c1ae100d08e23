//! The files of keyed state: Parquet, readable by other tools.
//!
//! Version 1: columns `__key_group` (UInt16) and `__deleted` (Boolean), then the table's own under their
//! names and types; compressed or not; statistics only on `__key_group`, so that a reader of some key groups
//! decodes only the row groups that contain them. The footer's metadata contains `flott.state.version`. Later
//! versions must read this one.
//!
//! Rows ascend by key group within runs of [`BATCH_BYTES`], which have many row groups each: a run is what an
//! operator hands over at a time, in this order, and is written as it lies. Sorting all rows of a table would mean
//! to gather each of them once more from all over the memory.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, UInt16Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{filter_record_batch, interleave_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, UInt16Type};
use bytes::Bytes;
use flott_batch::bytes::{BATCH_BYTES, RowBytes, runs};
use flott_batch::hash::hash_columns;
use flott_types::{Error, FastSet, KeyGroup, KeyGroupRange, Result};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::{KeyValue, RowGroupMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnPath;

use crate::KeyedDelta;
use crate::group_order::ascending;

/// The key group of a row.
pub(crate) const KEY_GROUP: &str = "__key_group";
/// Whether the row marks its key as deleted.
pub(crate) const DELETED: &str = "__deleted";
/// How many columns come before the table's own.
pub(crate) const OWN: usize = 2;

const VERSION_KEY: &str = "flott.state.version";
const VERSION: &str = "1";
/// Rows whose average size is above this many bytes are wide.
const WIDE: usize = 1 << 10;
/// The size of a page is checked each time about this many bytes have been written.
const PAGE_BYTES: usize = 1 << 20;
/// A row group has at most this many rows and about this many bytes: who reads a key group reads at least one of
/// each run.
const ROWS_PER_GROUP: usize = 64 << 10;
const BYTES_PER_GROUP: usize = 4 << 20;

/// So many rows tell whether the values of a column repeat.
const SAMPLE: usize = 1 << 10;

/// The rows of a delta as they are stored, in the delta's order.
pub(crate) fn stored(delta: &KeyedDelta) -> Result<RecordBatch> {
    let rows = delta.rows.num_rows();
    let table = delta.rows.schema();
    if let Some(field) =
        table.fields().iter().find(|field| [KEY_GROUP, DELETED].contains(&field.name().as_str()))
    {
        return Err(Error::unsupported(format!(
            "state '{}' has a column '{}'; this name is taken in snapshots, rename the column",
            delta.name,
            field.name()
        )));
    }
    let deleted = delta.deleted.clone().unwrap_or_else(|| BooleanBuffer::new_unset(rows));
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(UInt16Array::from(delta.key_groups.clone())),
        Arc::new(BooleanArray::new(deleted, None)),
    ];
    columns.extend(delta.rows.columns().iter().cloned());
    RecordBatch::try_new(stored_schema(&table), columns)
        .map_err(|e| Error::internal("rows of state").with_source(e))
}

fn stored_schema(table: &SchemaRef) -> SchemaRef {
    let mut fields = vec![
        Arc::new(Field::new(KEY_GROUP, DataType::UInt16, false)),
        Arc::new(Field::new(DELETED, DataType::Boolean, false)),
    ];
    fields.extend(table.fields().iter().cloned());
    Arc::new(Schema::new(fields))
}

/// The key groups of stored rows.
pub(crate) fn key_groups(stored: &RecordBatch) -> &[u16] {
    stored.column(0).as_primitive::<UInt16Type>().values()
}

/// Which of the stored rows mark their key as deleted.
pub(crate) fn deleted(stored: &RecordBatch) -> &BooleanBuffer {
    stored.column(1).as_boolean().values()
}

/// How rows are laid out in a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Whether pages are compressed.
    pub compressed: bool,
    /// The bytes of a run and of a row group, about.
    run: usize,
    group: usize,
}

impl Layout {
    pub(crate) fn new(compressed: bool) -> Self {
        Layout { compressed, run: BATCH_BYTES, group: BYTES_PER_GROUP }
    }
}

/// Writes stored rows, in any order and any number of batches of one schema, as a file. `ready` is called
/// whenever a part has been written, so that the file is never in memory as a whole. Returns how many bytes the
/// rows have in memory.
pub(crate) async fn encode<W: Write + Send>(
    parts: &[RecordBatch],
    layout: Layout,
    file: &mut W,
    mut ready: impl AsyncFnMut(&mut W) -> Result<()>,
) -> Result<u64> {
    let failed = |e: parquet::errors::ParquetError| {
        Error::unsupported("state that cannot be written as Parquet").with_source(e)
    };
    let Some(first) = parts.first() else {
        return Err(Error::internal("a state file without rows"));
    };
    let compression = match layout.compressed {
        true => Compression::ZSTD(ZstdLevel::try_new(1).map_err(failed)?),
        false => Compression::UNCOMPRESSED,
    };
    let bytes: Vec<RowBytes> = parts.iter().map(|part| RowBytes::new(part.columns())).collect();
    let of_part = |at: usize| bytes[at].of_range(0, parts[at].num_rows());
    let rows: usize = parts.iter().map(RecordBatch::num_rows).sum();
    let all: usize = (0..parts.len()).map(of_part).sum();
    // The writer checks the size of a page and of a dictionary only once per this many rows. Wide values
    // seldom repeat.
    let at_once = (PAGE_BYTES * rows.max(1) / all.max(1)).clamp(1, 1 << 10);
    let mut properties = WriterProperties::builder();
    for field in seldom_repeated(parts) {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(field.as_str()), false);
    }
    let properties = properties
        .set_write_batch_size(at_once)
        .set_dictionary_enabled(all < WIDE * rows.max(1))
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from(KEY_GROUP), EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_offset_index_disabled(true)
        .set_created_by(concat!("flott ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(VERSION_KEY.to_owned(), VERSION.to_owned())]))
        .build();
    let mut writer = ArrowWriter::try_new(&mut *file, first.schema(), Some(properties)).map_err(failed)?;
    for run in runs(parts.len(), layout.run, of_part) {
        let run = Run::new(&parts[run.clone()], &bytes[run]);
        for group in run.row_groups(layout.group) {
            writer.write(&run.rows(group)?).map_err(failed)?;
            writer.flush().map_err(failed)?;
            ready(writer.inner_mut()).await?;
        }
    }
    writer.close().map(|_| all as u64).map_err(failed)
}

/// Parts of a file that are sorted together.
struct Run<'a> {
    parts: Vec<&'a RecordBatch>,
    bytes: &'a [RowBytes],
    /// Part and row of each row in the order of key groups; `None` if they lie in it.
    order: Option<Vec<(usize, usize)>>,
}

impl<'a> Run<'a> {
    fn new(parts: &'a [RecordBatch], bytes: &'a [RowBytes]) -> Self {
        let groups: Vec<u16> = parts.iter().flat_map(|part| key_groups(part).iter().copied()).collect();
        let lie = || {
            let places = |(at, part): (usize, &RecordBatch)| (0..part.num_rows()).map(move |row| (at, row));
            parts.iter().enumerate().flat_map(places).collect::<Vec<_>>()
        };
        let order = match ascending(&groups) {
            Some(order) => {
                let lie = lie();
                Some(order.into_iter().map(|row| lie[row as usize]).collect())
            }
            None => (parts.len() > 1).then(lie),
        };
        Run { parts: parts.iter().collect(), bytes, order }
    }

    /// Cuts the rows into groups of about so many bytes.
    fn row_groups(&self, limit: usize) -> Vec<Range<usize>> {
        let rows: usize = self.parts.iter().map(|part| part.num_rows()).sum();
        let mut groups = Vec::new();
        let Some(order) = &self.order else {
            let mut first = 0;
            while first < rows {
                let end = fitting(&self.bytes[0], first, rows.min(first + ROWS_PER_GROUP), limit);
                groups.push(first..end);
                first = end;
            }
            return groups;
        };
        for first in (0..rows).step_by(ROWS_PER_GROUP) {
            let of = |at: usize| self.bytes[order[first + at].0].of(order[first + at].1);
            let cut = runs(ROWS_PER_GROUP.min(rows - first), limit, of);
            groups.extend(cut.into_iter().map(|rows| first + rows.start..first + rows.end));
        }
        groups
    }

    /// Some of the rows. They are copied only if they are not in order.
    fn rows(&self, rows: Range<usize>) -> Result<RecordBatch> {
        match (&self.order, self.parts.as_slice()) {
            (None, [only]) => Ok(only.slice(rows.start, rows.len())),
            (Some(order), parts) => interleave_record_batch(parts, &order[rows])
                .map_err(|e| Error::internal("rows of state").with_source(e)),
            (None, _) => Err(Error::internal("several parts of state without an order")),
        }
    }
}

/// Where rows end of which as many as fit have about so many bytes; one row always fits.
fn fitting(bytes: &RowBytes, first: usize, most: usize, limit: usize) -> usize {
    let (mut fits, mut too_many) = (first + 1, most + 1);
    while fits + 1 < too_many {
        let end = usize::midpoint(fits, too_many);
        match bytes.of_range(first, end) <= limit {
            true => fits = end,
            false => too_many = end,
        }
    }
    fits
}

/// The columns whose values seldom repeat, by a sample of rows: a dictionary of them is work for nothing, and larger than
/// the values.
fn seldom_repeated(parts: &[RecordBatch]) -> Vec<String> {
    let Some(part) = parts.iter().max_by_key(|part| part.num_rows()) else { return Vec::new() };
    let first = (part.num_rows() / 2).saturating_sub(SAMPLE / 2);
    let sample = part.slice(first, SAMPLE.min(part.num_rows() - first));
    let mut hashes = Vec::new();
    let mut differs = |column: &ArrayRef| {
        let plain = matches!(
            column.data_type(),
            DataType::Int64
                | DataType::Float64
                | DataType::Decimal128(..)
                | DataType::Timestamp(TimeUnit::Microsecond, _)
                | DataType::Utf8
                | DataType::Binary
        );
        if !plain || sample.num_rows() < SAMPLE {
            return false;
        }
        hash_columns(std::slice::from_ref(column), SAMPLE, &mut hashes);
        let different: FastSet<u64> = hashes.iter().copied().collect();
        different.len() * 4 > SAMPLE * 3
    };
    let columns = sample.schema_ref().fields().iter().zip(sample.columns());
    let found = columns.filter(|(_, column)| differs(column));
    found.map(|(field, _)| field.name().clone()).collect()
}

/// The stored rows of some key groups of a file.
pub(crate) fn decode(file: Bytes, wanted: KeyGroupRange) -> Result<Vec<RecordBatch>> {
    let failed =
        |e: parquet::errors::ParquetError| Error::state("this is not a file of state").with_source(e);
    let wrong = |what: String| Error::state(format!("this is not a file of state: {what}"));
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).map_err(failed)?;
    let builder = |group: usize| {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata.clone());
        builder.with_row_groups(vec![group])
    };
    let entries = metadata.metadata().file_metadata().key_value_metadata();
    let version = entries.into_iter().flatten().find(|entry| entry.key == VERSION_KEY);
    match version.and_then(|entry| entry.value.as_deref()) {
        Some(VERSION) => {}
        Some(other) => {
            return Err(Error::state(format!(
                "the file has version {other}; this build of Flott ({}) reads version {VERSION}",
                env!("CARGO_PKG_VERSION")
            )));
        }
        None => return Err(wrong(format!("it has no '{VERSION_KEY}'"))),
    }
    let fields = metadata.schema().fields();
    let column = |at: usize, name: &str, data_type: DataType| {
        fields.get(at).is_some_and(|field| field.name() == name && *field.data_type() == data_type)
    };
    if !column(0, KEY_GROUP, DataType::UInt16) || !column(1, DELETED, DataType::Boolean) {
        return Err(wrong(format!("it does not begin with '{KEY_GROUP}' and '{DELETED}'")));
    }
    let row_groups = metadata.metadata().row_groups().iter().enumerate();
    let mut readers = Vec::new();
    // Each row group is its own batch: what was written as one fits in one, but several together may not.
    for (at, _) in row_groups.filter(|(_, group)| may_hold(group, wanted)) {
        readers.push(builder(at).with_batch_size(ROWS_PER_GROUP).build().map_err(failed)?);
    }
    let mut batches = Vec::new();
    for batch in readers.into_iter().flatten() {
        let failed = |e| Error::state("this is not a file of state").with_source(e);
        let batch = batch.map_err(failed)?;
        let groups = key_groups(&batch);
        let inside = |group: &u16| wanted.contains(KeyGroup(*group));
        let batch = if groups.iter().all(inside) {
            batch
        } else {
            let mask = BooleanBuffer::collect_bool(groups.len(), |row| inside(&groups[row]));
            filter_record_batch(&batch, &BooleanArray::new(mask, None)).map_err(failed)?
        };
        if batch.num_rows() > 0 {
            batches.push(batch);
        }
    }
    Ok(batches)
}

/// Whether a row group may hold rows of these key groups, according to its statistics.
fn may_hold(group: &RowGroupMetaData, wanted: KeyGroupRange) -> bool {
    match group.column(0).statistics() {
        Some(Statistics::Int32(statistics)) => {
            let below = statistics.max_opt().is_some_and(|max| *max < i32::from(wanted.first));
            let above = statistics.min_opt().is_some_and(|min| *min > i32::from(wanted.last));
            !below && !above
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};

    use super::*;

    fn delta(count: i64) -> KeyedDelta {
        let number = Field::new("number", DataType::Int64, true);
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..count));
        KeyedDelta {
            name: "t".to_owned(),
            rows: RecordBatch::try_new(Arc::new(Schema::new(vec![number])), vec![numbers]).unwrap(),
            key_columns: 1,
            partition_columns: 1,
            key_groups: Vec::new(),
            deleted: None,
            full: true,
        }
    }

    fn rows(groups: impl Iterator<Item = u16>) -> RecordBatch {
        let key_groups: Vec<u16> = groups.collect();
        stored(&KeyedDelta { key_groups: key_groups.clone(), ..delta(key_groups.len() as i64) }).unwrap()
    }

    fn encoded(parts: &[RecordBatch], layout: Layout) -> Vec<u8> {
        let mut file = Vec::new();
        flott_storage::block_on(encode(parts, layout, &mut file, async |_| Ok(()))).unwrap();
        file
    }

    const COMPRESSED: Layout = Layout { compressed: true, run: BATCH_BYTES, group: BATCH_BYTES };

    #[test]
    fn rows_are_sorted_by_key_group_and_read_by_range() {
        let parts = [rows([7, 3, 3, 65_535, 0].into_iter()), rows([3, 1].into_iter())];
        let file = Bytes::from(encoded(&parts, Layout::new(false)));
        let all = decode(file.clone(), KeyGroupRange { first: 0, last: u16::MAX }).unwrap();
        assert_eq!(key_groups(&all[0]), [0, 1, 3, 3, 3, 7, 65_535]);
        let some = decode(file.clone(), KeyGroupRange { first: 2, last: 6 }).unwrap();
        assert_eq!(key_groups(&some[0]), [3, 3, 3]);
        assert!(decode(file, KeyGroupRange { first: 8, last: 9 }).unwrap().is_empty());
    }

    #[test]
    fn parts_that_are_a_run_each_are_sorted_by_themselves() {
        let parts = [rows([2, 2, 5].into_iter()), rows([4, 0].into_iter()), rows([1].into_iter())];
        let one = RowBytes::new(parts[1].columns()).of_range(0, 2);
        let of = |layout: Layout, wanted: KeyGroupRange| -> Vec<Vec<u16>> {
            let read = decode(Bytes::from(encoded(&parts, layout)), wanted).unwrap();
            read.iter().map(|rows| key_groups(rows).to_vec()).collect()
        };
        let all = KeyGroupRange { first: 0, last: 9 };
        let layout = Layout { run: one, ..Layout::new(false) };
        assert_eq!(of(layout, all), [vec![2, 2, 5], vec![0, 4], vec![1]]);
        assert_eq!(of(Layout { compressed: true, ..layout }, all), of(layout, all));
        assert_eq!(of(layout, KeyGroupRange { first: 4, last: 9 }), [vec![5], vec![4]]);
        assert_eq!(of(Layout::new(false), all), [vec![0, 1, 2, 2, 4, 5]]);
    }

    #[test]
    fn row_groups_outside_the_range_are_not_touched() {
        let count = ROWS_PER_GROUP as u64 * 4;
        let mut file = encoded(&[rows((0..count).map(|row| (row * 64 / count) as u16))], COMPRESSED);
        // Corrupts the first row groups; only the last one is needed.
        let half = file.len() / 2;
        file[4..half].fill(0xaa);
        let file = Bytes::from(file);
        let last = decode(file.clone(), KeyGroupRange { first: 50, last: 63 }).unwrap();
        assert_eq!(last.iter().map(RecordBatch::num_rows).sum::<usize>(), 14 * ROWS_PER_GROUP / 16);
        assert!(decode(file, KeyGroupRange { first: 0, last: 63 }).is_err());
    }

    #[test]
    fn values_that_seldom_repeat_have_no_dictionary() {
        let file = Bytes::from(encoded(&[rows((0..5000).map(|row| row / 100))], COMPRESSED));
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).unwrap();
        let group = metadata.metadata().row_group(0);
        assert!(group.column(0).dictionary_page_offset().is_some());
        assert!(group.column(OWN).dictionary_page_offset().is_none());
        let read = decode(file, KeyGroupRange { first: 0, last: u16::MAX }).unwrap();
        assert_eq!(read.iter().map(RecordBatch::num_rows).sum::<usize>(), 5000);
    }

    #[test]
    fn wide_rows_are_read_back_in_the_batches_that_were_written() {
        let texts = ["a".repeat(90), "b".repeat(30), "c".repeat(30), "d".repeat(500), "e".to_owned()];
        let text = Field::new("text", DataType::Utf8, true);
        let part = |texts: &[String], groups: Vec<u16>| {
            let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
            let rows = RecordBatch::try_new(Arc::new(Schema::new(vec![text.clone()])), vec![texts]).unwrap();
            let delta = KeyedDelta { rows, key_groups: groups, ..delta(0) };
            stored(&delta).unwrap()
        };
        let parts = [part(&texts[..2], vec![1, 2]), part(&texts[2..], vec![2, 3, 4])];
        let file = Bytes::from(encoded(&parts, Layout { group: 120, ..COMPRESSED }));
        let read = decode(file, KeyGroupRange { first: 2, last: 9 }).unwrap();
        let read: Vec<Vec<&str>> =
            read.iter().map(|rows| rows.column(OWN).as_string::<i32>().iter().flatten().collect()).collect();
        assert_eq!(read, [vec![&texts[1], &texts[2]], vec![&texts[3]], vec![&texts[4]]]);
    }

    #[test]
    fn other_files_are_refused() {
        let all = KeyGroupRange { first: 0, last: 9 };
        let error = decode(Bytes::from_static(b"PAR1"), all).unwrap_err().to_string();
        assert!(error.starts_with("this is not a file of state: "), "{error}");
        let mut foreign = ArrowWriter::try_new(Vec::new(), rows([1].into_iter()).schema(), None).unwrap();
        foreign.write(&rows([1].into_iter())).unwrap();
        let error = decode(Bytes::from(foreign.into_inner().unwrap()), all).unwrap_err().to_string();
        assert_eq!(error, "this is not a file of state: it has no 'flott.state.version'");
    }
}
