use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{Field, Schema};
use flott_batch::hash::hash_columns;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::key_hash;
use crate::column::ColumnCodec;

mod evolution;
mod keys;
mod shapes;

/// The column of the values, after it went through a Parquet file, and its field.
fn stored<T: Serialize + DeserializeOwned>(values: &[T]) -> (Field, ArrayRef) {
    let codec = ColumnCodec::<T>::new("s").unwrap();
    let column = codec.encode(values).unwrap();
    assert_eq!(column.data_type(), codec.field().data_type());
    // As for a deleted row.
    let absent = new_null_array(codec.field().data_type(), 1);
    let column = concat(&[&column, &absent]).unwrap();
    let schema = std::sync::Arc::new(Schema::new(vec![codec.field().clone()]));
    let batch = RecordBatch::try_new(schema.clone(), vec![column]).unwrap();
    let mut file = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut file, schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let file = bytes::Bytes::from(file);
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let batch = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
    assert_eq!(batch.schema().field(0), codec.field().as_ref());
    (batch.schema().field(0).clone(), batch.column(0).slice(0, values.len()))
}

/// Writes the values and reads them back; the type of the column in words.
fn round<T: Serialize + DeserializeOwned + PartialEq + Debug>(values: &[T]) -> String {
    let codec = ColumnCodec::<T>::new("s").unwrap();
    let (_, column) = stored(values);
    assert_eq!(codec.decode(&column).unwrap(), values);
    let half = column.slice(values.len() / 2, values.len() - values.len() / 2);
    assert_eq!(codec.decode(&half).unwrap(), values[values.len() / 2..]);
    codec.type_text()
}
