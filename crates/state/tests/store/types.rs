//! Every type survives the way through a file.

use arrow::array::{
    Array, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMillisecondArray, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, IntervalYearMonthArray, ListArray, MapArray, NullArray,
    RecordBatch, StructArray, Time32MillisecondArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::concat_batches;
use arrow::datatypes::Fields;
use flott_state::KeyedDelta;

use super::*;

/// Three rows of every type that SQL has, the last of them NULL.
fn every_type() -> RecordBatch {
    let ints = || Int32Array::from(vec![Some(1), None, Some(3)]);
    let nulls = || Some(vec![true, true, false].into());
    let item = Arc::new(Field::new_list_field(DataType::Int32, true));
    let list: ArrayRef =
        Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([2, 0, 1]), Arc::new(ints()), nulls()));
    let entry = Fields::from(vec![
        Field::new("keys", DataType::Utf8, false),
        Field::new("values", DataType::Int32, true),
    ]);
    let keys: ArrayRef = Arc::new(StringArray::from(vec!["b", "a", "c"]));
    let field = Arc::new(Field::new("entries", DataType::Struct(entry.clone()), false));
    let entries = StructArray::new(entry, vec![keys, Arc::new(ints())], None);
    let map: ArrayRef =
        Arc::new(MapArray::new(field, OffsetBuffer::from_lengths([2, 1, 0]), entries, nulls(), false));
    let fields = Fields::from(vec![
        Field::new("list", list.data_type().clone(), true),
        Field::new("map", map.data_type().clone(), true),
    ]);
    let row: ArrayRef = Arc::new(StructArray::new(fields, vec![list.clone(), map.clone()], nulls()));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("key", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("boolean", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("tinyint", Arc::new(Int8Array::from(vec![Some(i8::MIN), Some(7), None]))),
        ("smallint", Arc::new(Int16Array::from(vec![Some(i16::MIN), Some(7), None]))),
        ("int", Arc::new(Int32Array::from(vec![Some(i32::MIN), Some(7), None]))),
        ("bigint", Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None]))),
        ("float", Arc::new(Float32Array::from(vec![Some(-0.0), Some(f32::INFINITY), None]))),
        ("double", Arc::new(Float64Array::from(vec![Some(0.1), Some(f64::MIN_POSITIVE), None]))),
        (
            "decimal",
            Arc::new(
                Decimal128Array::from(vec![Some(10i128.pow(37)), Some(-1), None])
                    .with_precision_and_scale(38, 18)
                    .unwrap(),
            ),
        ),
        ("string", Arc::new(StringArray::from(vec![Some(""), Some("grün"), None]))),
        ("bytes", Arc::new(BinaryArray::from_opt_vec(vec![Some(b""), Some(b"\0\xff"), None]))),
        ("date", Arc::new(Date32Array::from(vec![Some(-1), Some(20_000), None]))),
        ("time", Arc::new(Time32MillisecondArray::from(vec![Some(0), Some(86_399_999), None]))),
        ("timestamp", Arc::new(TimestampMicrosecondArray::from(vec![Some(-1), Some(1 << 50), None]))),
        ("nanos", Arc::new(TimestampNanosecondArray::from(vec![Some(-1), Some(1 << 60), None]))),
        (
            "ltz",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(-1), Some(1 << 50), None]).with_timezone("UTC"),
            ),
        ),
        ("months", Arc::new(IntervalYearMonthArray::from(vec![Some(-1), Some(14), None]))),
        ("millis", Arc::new(DurationMillisecondArray::from(vec![Some(-1), Some(1 << 40), None]))),
        ("array", list),
        ("map", map),
        ("row", row),
        ("null", Arc::new(NullArray::new(3))),
    ];
    let fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(Arc::new(arrow::datatypes::Schema::new(fields)), columns).unwrap()
}

#[test]
fn every_type_is_restored_as_it_was() {
    let (_dir, storage) = storage();
    let job = storage.job(JOB);
    let rows = every_type();
    let delta = KeyedDelta {
        name: "all".to_owned(),
        rows: rows.clone(),
        key_columns: 1,
        partition_columns: 1,
        key_groups: vec![9, 3, 9],
        deleted: None,
        full: false,
    };
    let operator = HandOver {
        uid: uid(),
        name: "All".to_owned(),
        max_parallelism: MAX_PARALLELISM,
        snapshot: OperatorSnapshot { keyed: vec![delta], ..OperatorSnapshot::default() },
        finished: false,
        in_flight: None,
    };
    let task = TaskId { vertex: VertexId(0), subtask: SubtaskIndex(0) };
    let mut writer = TaskSnapshotWriter::new(job.folder().clone(), task, 1, &[]);
    let written = block_on(writer.write(CheckpointId(1), &Target::Checkpoint, vec![operator])).unwrap();
    let mut manifest = Manifest::new(JOB, CheckpointId(1), ManifestKind::Checkpoint, 0);
    manifest.add_task(SubtaskIndex(0), 1, written.snapshot);
    block_on(job.complete(&manifest)).unwrap();

    let snapshot = block_on(job.latest()).unwrap().unwrap().snapshot;
    let restored = restore(&snapshot).unwrap().take_keyed("all");
    let restored = concat_batches(&restored[0].schema(), &restored).unwrap();
    // By key group, otherwise in order.
    let order = arrow::array::UInt32Array::from(vec![1, 0, 2]);
    let expected = arrow::compute::take_record_batch(&rows, &order).unwrap();
    assert_eq!(restored.columns(), expected.columns());
    assert_eq!(restored.schema_ref().fields(), expected.schema_ref().fields());
}

#[test]
fn a_column_name_of_the_stores_own_is_refused() {
    let (_dir, storage) = storage();
    let key = Arc::new(Field::new("__deleted", DataType::Int64, true));
    let mut table = KeyedTable::new("t", &[key], 1, MAX_PARALLELISM, ()).unwrap();
    table.intern(&super::key(1), 1, &mut Vec::new(), |_, _| ()).unwrap();
    let operator = HandOver {
        uid: uid(),
        name: "Count".to_owned(),
        max_parallelism: MAX_PARALLELISM,
        snapshot: OperatorSnapshot { keyed: table.snapshot(false).unwrap(), ..OperatorSnapshot::default() },
        finished: false,
        in_flight: None,
    };
    let task = TaskId { vertex: VertexId(0), subtask: SubtaskIndex(0) };
    let mut writer = TaskSnapshotWriter::new(storage.job(JOB).folder().clone(), task, 1, &[]);
    let error = block_on(writer.write(CheckpointId(1), &Target::Checkpoint, vec![operator])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Count: state 't': state 't' has a column '__deleted'; this name is taken in snapshots, rename the column"
    );
}

#[test]
fn operator_state_is_dealt_out() {
    let (_dir, storage) = storage();
    let mut vertex = Vertex::new(storage.job(JOB), 2);
    vertex.checkpoint(1);
    let snapshot = block_on(vertex.job.read(CheckpointId(1))).unwrap();
    let (uid, unknown) = (uid(), OperatorUid("other".to_owned()));
    let entries = |subtask, parallelism| {
        let restored = snapshot.restore(&uid, SubtaskIndex(subtask), parallelism, MAX_PARALLELISM);
        block_on(restored).unwrap().take_list("positions")
    };
    assert_eq!(entries(0, 2), ["v1:1/0"]);
    assert_eq!(entries(1, 2), ["v1:1/1"]);
    assert_eq!(entries(0, 1), ["v1:1/0", "v1:1/1"]);
    let restored = snapshot.restore(&unknown, SubtaskIndex(0), 1, MAX_PARALLELISM);
    assert!(block_on(restored).unwrap().keyed.is_empty());
}
