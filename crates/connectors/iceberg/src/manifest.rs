//! Manifests: the files of data that a commit has added; and the list of the manifests of a snapshot. Both are Avro.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Int32Type, Int64Type};
use flott_connector::format::FileFormat;
use flott_connector::options::FORMAT;
use flott_connector::{AnyOption, Manual, Options};
use flott_files::{FileSplit, WholeFile};
use flott_plan::{Column, Schema};
use flott_storage::{Location, files};
use flott_types::{Error, LogicalType, Result, RowField, TypeKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::avro::{Encoder, container};
use crate::partition::{PartitionSpec, Value};

/// A status of an entry: it was added, or is still there. Others were deleted.
const DELETED: i32 = 2;
const ADDED: i64 = 1;

/// Rows that are read at once.
const ROWS: usize = 1_024;

/// A file of data that was written.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct DataFile {
    pub(crate) path: String,
    pub(crate) partition: Vec<Value>,
    pub(crate) spec: i32,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// What is known of columns, by their ids.
    pub(crate) columns: BTreeMap<i32, ColumnStatistics>,
}

/// What is known of a column of a file.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct ColumnStatistics {
    pub(crate) bytes: u64,
    pub(crate) values: u64,
    pub(crate) nulls: Option<u64>,
    /// In Iceberg's form of single values.
    pub(crate) lower: Option<Vec<u8>>,
    pub(crate) upper: Option<Vec<u8>>,
}

/// A file of data that is to be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FoundFile {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// The commit that is at work has added it.
    pub(crate) is_new: bool,
}

/// An entry of a list of manifests.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct ManifestFile {
    pub(crate) path: String,
    pub(crate) length: i64,
    pub(crate) spec: i32,
    /// Whether it lists deletes.
    pub(crate) is_of_deletes: bool,
    pub(crate) sequence: i64,
    pub(crate) least_sequence: i64,
    pub(crate) snapshot: i64,
    /// Added, existing and deleted; in lists of version 1 they may be unknown, which is not 0.
    pub(crate) files: [Option<i32>; 3],
    pub(crate) rows: [Option<i64>; 3],
    partitions: Vec<Summary>,
}

/// What is known of a field of the partitions in a manifest.
#[derive(Clone, PartialEq, Debug)]
struct Summary {
    contains_null: bool,
    contains_nan: Option<bool>,
    lower: Option<Vec<u8>>,
    upper: Option<Vec<u8>>,
}

fn in_record(name: &str, ty: LogicalType) -> RowField {
    RowField { name: name.to_owned(), ty, comment: None }
}

/// The bytes of a manifest of new files.
pub(crate) fn manifest(
    files: &[DataFile],
    spec: &PartitionSpec,
    (schema_id, schema): (i32, &Json),
    snapshot: i64,
) -> Result<Vec<u8>> {
    let mut out = Encoder::default();
    for file in files {
        out.long(ADDED);
        out.option(Some(snapshot), |out, id| _ = out.long(id));
        // Their sequence number is that of the commit, from which they have it.
        out.option(None::<i64>, |_, _| {}).option(None::<i64>, |_, _| {});
        encode(file, &mut out);
    }
    let schema_json = json!({
        "type": "record", "name": "manifest_entry", "fields": [
            field("status", json!("int"), 0),
            optional("snapshot_id", json!("long"), 1),
            optional("sequence_number", json!("long"), 3),
            optional("file_sequence_number", json!("long"), 4),
            field("data_file", data_file_schema(spec)?, 2),
        ],
    });
    let fields = spec.to_json().to_string();
    let (schema, schema_id, spec_id) = (schema.to_string(), schema_id.to_string(), spec.id.to_string());
    let notes = [
        ("schema", schema.as_str()),
        ("schema-id", &schema_id),
        ("partition-spec", &fields),
        ("partition-spec-id", &spec_id),
        ("format-version", "2"),
        ("content", "data"),
    ];
    Ok(container(&schema_json.to_string(), &notes, files.len(), out))
}

fn field(name: &str, ty: Json, id: i32) -> Json {
    json!({"name": name, "type": ty, "field-id": id})
}

fn optional(name: &str, ty: Json, id: i32) -> Json {
    json!({"name": name, "type": ["null", ty], "default": null, "field-id": id})
}

/// A map whose keys are ids of columns.
fn by_column(name: &str, id: i32, (key, value): (i32, i32), ty: &str) -> Json {
    let record = json!({
        "type": "record", "name": format!("k{key}_v{value}"),
        "fields": [field("key", json!("int"), key), field("value", json!(ty), value)],
    });
    optional(name, json!({"type": "array", "items": record, "logicalType": "map"}), id)
}

fn data_file_schema(spec: &PartitionSpec) -> Result<Json> {
    Ok(json!({"type": "record", "name": "r2", "fields": [
        field("content", json!("int"), 134),
        field("file_path", json!("string"), 100),
        field("file_format", json!("string"), 101),
        field("partition", spec.avro_schema()?, 102),
        field("record_count", json!("long"), 103),
        field("file_size_in_bytes", json!("long"), 104),
        by_column("column_sizes", 108, (117, 118), "long"),
        by_column("value_counts", 109, (119, 120), "long"),
        by_column("null_value_counts", 110, (121, 122), "long"),
        by_column("lower_bounds", 125, (126, 127), "bytes"),
        by_column("upper_bounds", 128, (129, 130), "bytes"),
    ]}))
}

fn encode(file: &DataFile, out: &mut Encoder) {
    out.long(0).bytes(&file.path).bytes("PARQUET");
    PartitionSpec::encode(&file.partition, out);
    out.long(file.rows as i64).long(file.bytes as i64);
    let counts = |out: &mut Encoder, of: &dyn Fn(&ColumnStatistics) -> Option<u64>| {
        let all: Vec<(i32, u64)> =
            file.columns.iter().filter_map(|(id, column)| Some((*id, of(column)?))).collect();
        out.option(Some(all), |out, all| {
            out.array(all.into_iter(), |out, (id, count)| _ = out.long(i64::from(id)).long(count as i64));
        });
    };
    counts(out, &|column| Some(column.bytes));
    counts(out, &|column| Some(column.values));
    counts(out, &|column| column.nulls);
    let bounds = |out: &mut Encoder, of: &dyn Fn(&ColumnStatistics) -> Option<Vec<u8>>| {
        let all: Vec<(i32, Vec<u8>)> =
            file.columns.iter().filter_map(|(id, column)| Some((*id, of(column)?))).collect();
        out.option(Some(all), |out, all| {
            out.array(all.into_iter(), |out, (id, bound)| _ = out.long(i64::from(id)).bytes(bound));
        });
    };
    bounds(out, &|column| column.lower.clone());
    bounds(out, &|column| column.upper.clone());
}

impl ManifestFile {
    /// Of files that a commit adds.
    pub(crate) fn new(
        path: &str,
        bytes: usize,
        files: &[DataFile],
        spec: i32,
        (snapshot, sequence): (i64, i64),
    ) -> Self {
        let rows: u64 = files.iter().map(|file| file.rows).sum();
        ManifestFile {
            path: path.to_owned(),
            length: bytes as i64,
            spec,
            is_of_deletes: false,
            sequence,
            least_sequence: sequence,
            snapshot,
            files: [files.len() as i32, 0, 0].map(Some),
            rows: [rows as i64, 0, 0].map(Some),
            partitions: Vec::new(),
        }
    }
}

/// The bytes of a list of manifests.
///
/// # Errors
/// If a count is not known: other engines pass over manifests whose counts are 0.
pub(crate) fn manifest_list(
    manifests: &[ManifestFile],
    snapshot: i64,
    parent: Option<i64>,
    sequence: i64,
) -> Result<Vec<u8>> {
    let summary = json!({"type": "record", "name": "r508", "fields": [
        field("contains_null", json!("boolean"), 509),
        optional("contains_nan", json!("boolean"), 518),
        optional("lower_bound", json!("bytes"), 510),
        optional("upper_bound", json!("bytes"), 511),
    ]});
    let schema = json!({"type": "record", "name": "manifest_file", "fields": [
        field("manifest_path", json!("string"), 500),
        field("manifest_length", json!("long"), 501),
        field("partition_spec_id", json!("int"), 502),
        field("content", json!("int"), 517),
        field("sequence_number", json!("long"), 515),
        field("min_sequence_number", json!("long"), 516),
        field("added_snapshot_id", json!("long"), 503),
        field("added_files_count", json!("int"), 504),
        field("existing_files_count", json!("int"), 505),
        field("deleted_files_count", json!("int"), 506),
        field("added_rows_count", json!("long"), 512),
        field("existing_rows_count", json!("long"), 513),
        field("deleted_rows_count", json!("long"), 514),
        optional("partitions", json!({"type": "array", "items": summary, "element-id": 508}), 507),
    ]});
    let mut out = Encoder::default();
    for one in manifests {
        out.bytes(&one.path).long(one.length).long(i64::from(one.spec)).long(i64::from(one.is_of_deletes));
        out.long(one.sequence).long(one.least_sequence).long(one.snapshot);
        for count in one.files.iter().map(|count| count.map(i64::from)).chain(one.rows) {
            let count = count.ok_or_else(|| {
                Error::unsupported(format!(
                    "how many files and rows are in the manifest {} is not known: let another engine rewrite the table's \
                     manifests (rewrite_manifests)",
                    one.path
                ))
            })?;
            out.long(count);
        }
        out.option((!one.partitions.is_empty()).then_some(&one.partitions), |out, all| {
            out.array(all.iter(), |out, summary| {
                out.boolean(summary.contains_null);
                out.option(summary.contains_nan, |out, nan| _ = out.boolean(nan));
                out.option(summary.lower.as_ref(), |out, bound| _ = out.bytes(bound));
                out.option(summary.upper.as_ref(), |out, bound| _ = out.bytes(bound));
            });
        });
    }
    let (snapshot, sequence) = (snapshot.to_string(), sequence.to_string());
    let parent = parent.map_or_else(|| "null".to_owned(), |id| id.to_string());
    let notes = [
        ("snapshot-id", snapshot.as_str()),
        ("parent-snapshot-id", &parent),
        ("sequence-number", &sequence),
        ("format-version", "2"),
    ];
    Ok(container(&schema.to_string(), &notes, manifests.len(), out))
}

/// The manifests of a snapshot.
pub(crate) fn read_list(path: &str) -> Result<Vec<ManifestFile>> {
    let (int, long) = (TypeKind::Int.nullable(), TypeKind::BigInt.nullable());
    let bytes = TypeKind::BYTES.nullable();
    let summary = TypeKind::Row(vec![
        in_record("contains_null", TypeKind::Boolean.nullable()),
        in_record("contains_nan", TypeKind::Boolean.nullable()),
        in_record("lower_bound", bytes.clone()),
        in_record("upper_bound", bytes),
    ]);
    let columns = [
        ("manifest_path", TypeKind::STRING.nullable()),
        ("manifest_length", long.clone()),
        ("partition_spec_id", int.clone()),
        ("content", int.clone()),
        ("sequence_number", long.clone()),
        ("min_sequence_number", long.clone()),
        ("added_snapshot_id", long.clone()),
        ("added_files_count", int.clone()),
        ("existing_files_count", int.clone()),
        ("deleted_files_count", int.clone()),
        ("added_rows_count", long.clone()),
        ("existing_rows_count", long.clone()),
        ("deleted_rows_count", long),
        ("partitions", TypeKind::Array(Box::new(summary.nullable())).nullable()),
        // Fields are known by their ids; these are the names that Iceberg's library for Java gives to 504 to 506.
        ("added_data_files_count", int.clone()),
        ("existing_data_files_count", int.clone()),
        ("deleted_data_files_count", int),
    ];
    let mut found = Vec::new();
    read(path, &columns, &mut |batch, row| {
        let int = |at: usize| integer(&batch[at], row).unwrap_or(0);
        let long = |at: usize| long_at(&batch[at], row).unwrap_or(0);
        let count =
            |at: usize, other: usize| integer(&batch[at], row).or_else(|| integer(&batch[other], row));
        found.push(ManifestFile {
            path: string(&batch[0], row)?,
            length: long(1),
            spec: int(2),
            is_of_deletes: int(3) == 1,
            sequence: long(4),
            least_sequence: long(5),
            snapshot: long(6),
            files: [count(7, 14), count(8, 15), count(9, 16)],
            rows: [10, 11, 12].map(|at: usize| long_at(&batch[at], row)),
            partitions: summaries(&batch[13], row),
        });
        Ok(())
    })?;
    Ok(found)
}

fn summaries(column: &ArrayRef, row: usize) -> Vec<Summary> {
    if column.is_null(row) {
        return Vec::new();
    }
    let all = column.as_list::<i32>().value(row);
    let all = all.as_struct();
    let boolean = |at: usize, row: usize| {
        let column = all.column(at).as_boolean();
        column.is_valid(row).then(|| column.value(row))
    };
    let bytes = |at: usize, row: usize| {
        let column = all.column(at).as_binary::<i32>();
        column.is_valid(row).then(|| column.value(row).to_vec())
    };
    let summary = |row| Summary {
        contains_null: boolean(0, row).unwrap_or(true),
        contains_nan: boolean(1, row),
        lower: bytes(2, row),
        upper: bytes(3, row),
    };
    (0..all.len()).map(summary).collect()
}

/// The files of data that a manifest lists and that are there; of a snapshot, for telling which are new.
pub(crate) fn read_manifest(path: &str) -> Result<Vec<FoundFile>> {
    let file = TypeKind::Row(vec![
        in_record("content", TypeKind::Int.nullable()),
        in_record("file_path", TypeKind::STRING.nullable()),
        in_record("file_format", TypeKind::STRING.nullable()),
        in_record("file_size_in_bytes", TypeKind::BigInt.nullable()),
    ]);
    let columns = [("status", TypeKind::Int.nullable()), ("data_file", file.nullable())];
    let mut found = Vec::new();
    read(path, &columns, &mut |batch, row| {
        let status = integer(&batch[0], row).unwrap_or(0);
        if status == DELETED {
            return Ok(());
        }
        let file = batch[1].as_struct();
        let (path, format) = (string(file.column(1), row)?, string(file.column(2), row)?);
        if !format.eq_ignore_ascii_case("parquet") {
            return Err(Error::unsupported(format!(
                "the file {path} of an Iceberg table is of the format '{format}'; there is: parquet"
            )));
        }
        let bytes = long_at(file.column(3), row).and_then(|bytes| u64::try_from(bytes).ok());
        let bytes = bytes.ok_or_else(|| Error::data(format!("the size of the file {path} is not known")))?;
        found.push(FoundFile { path, bytes, is_new: i64::from(status) == ADDED });
        Ok(())
    })?;
    Ok(found)
}

fn integer(column: &ArrayRef, row: usize) -> Option<i32> {
    let column = column.as_primitive::<Int32Type>();
    column.is_valid(row).then(|| column.value(row))
}

fn long_at(column: &ArrayRef, row: usize) -> Option<i64> {
    let column = column.as_primitive::<Int64Type>();
    column.is_valid(row).then(|| column.value(row))
}

fn string(column: &ArrayRef, row: usize) -> Result<String> {
    let column = column.as_string::<i32>();
    match column.is_valid(row) {
        true => Ok(column.value(row).to_owned()),
        false => Err(Error::data("a manifest without a path")),
    }
}

/// Reads columns of an Avro file, row by row.
fn read(
    path: &str,
    columns: &[(&str, LogicalType)],
    each: &mut dyn FnMut(&[ArrayRef], usize) -> Result<()>,
) -> Result<()> {
    static OPTIONS: &[&dyn AnyOption] = &[&FORMAT];
    let (formats, values) =
        (flott_formats::builtin(), BTreeMap::from([("format".to_owned(), "avro".to_owned())]));
    let manual = Manual { options: OPTIONS, ..Manual::default() };
    let format = Options::new("manifests", &values, &manual, &formats).format(&FORMAT)?;
    let FileFormat::Bulk(avro) = format.for_files()? else {
        return Err(Error::internal("Avro is read as columns"));
    };
    let column = |(name, ty): &(&str, LogicalType)| Column { name: (*name).to_owned(), ty: ty.clone() };
    let schema = Schema { columns: columns.iter().map(column).collect() };
    let all: Vec<usize> = (0..columns.len()).collect();
    let in_file = |error: Error| error.context(format_args!("file {path}"));
    let mut reader = avro.reader(Box::new(open(path)?), 0, &schema, &all).map_err(in_file)?;
    while let Some(batch) = reader.read(ROWS).map_err(in_file)? {
        let batch = batch.compact()?;
        let columns: Vec<ArrayRef> = batch.columns().columns().iter().map(Arc::clone).collect();
        (0..batch.num_rows()).try_for_each(|row| each(&columns, row)).map_err(in_file)?;
    }
    Ok(())
}

/// A file of the table.
pub(crate) fn open(path: &str) -> Result<WholeFile> {
    let location = Location::parse(path)?;
    let found = files::look(&location)?;
    let found =
        found.ok_or_else(|| Error::external(format!("the file {path} of an Iceberg table is gone")))?;
    Ok(WholeFile::open(&FileSplit::new(&found, 0, found.size)?)?.0)
}
