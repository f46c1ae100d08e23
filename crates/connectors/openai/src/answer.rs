//! What comes back, as rows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float32Builder, ListBuilder, RecordBatch, RecordBatchOptions, StringArray,
};
use arrow::datatypes::{DataType, SchemaRef};
use flott_connector::lookup::Found;
use flott_types::{Error, Result};
use serde_json::Value;

use crate::config::Task;

/// Which columns of a model are read.
pub(crate) struct Read {
    /// The columns.
    pub schema: SchemaRef,
    /// Which of them is what went in, and not the answer.
    pub input: Vec<bool>,
}

/// The answers to a text, each a row.
pub(crate) fn found(task: Task, text: &str, answers: &[Value], read: &Read) -> Result<Found> {
    let schema = &read.schema;
    let rows: Vec<Value> =
        answers.iter().map(|answer| rows(task, answer)).collect::<Result<Vec<_>>>()?.concat();
    let columns = schema.fields().iter().zip(&read.input).map(|(field, input)| match (input, task) {
        (true, _) => {
            let texts = StringArray::from_iter_values(rows.iter().map(|_| text));
            Ok(Arc::new(texts) as ArrayRef)
        }
        (false, Task::Chat) => {
            // A model that answers with nothing, for instance because it refuses, gives an empty text.
            let texts = StringArray::from_iter_values(rows.iter().map(|text| text.as_str().unwrap_or("")));
            Ok(Arc::new(texts) as ArrayRef)
        }
        (false, Task::Embedding) => numbers(&rows, field.data_type()),
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let count = rows.len();
    let rows = RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .map_err(|error| Error::internal("answers of a model do not fit").with_source(error))?;
    Found::new(rows, vec![0; count])
}

fn rows(task: Task, answer: &Value) -> Result<Vec<Value>> {
    let (list, value): (_, fn(&Value) -> &Value) = match task {
        Task::Chat => (&answer["choices"], |choice| &choice["message"]["content"]),
        Task::Embedding => (&answer["data"], |data| &data["embedding"]),
    };
    match list.as_array() {
        Some(list) => Ok(list.iter().map(|entry| value(entry).clone()).collect()),
        None => Err(Error::external(format!(
            "the answer of the model has no '{}'",
            if task == Task::Chat { "choices" } else { "data" }
        ))),
    }
}

fn numbers(rows: &[Value], ty: &DataType) -> Result<ArrayRef> {
    let DataType::List(field) = ty else { return Err(Error::internal("an embedding is a list")) };
    let mut lists = ListBuilder::new(Float32Builder::new()).with_field(field.clone());
    for row in rows {
        let numbers =
            row.as_array().ok_or_else(|| Error::external("an embedding of the answer is no list"))?;
        for number in numbers {
            let number = number.as_f64().ok_or_else(|| {
                Error::external("an embedding of the answer has something else than numbers")
            })?;
            lists.values().append_value(number as f32);
        }
        lists.append(true);
    }
    let lists = lists.finish();
    debug_assert_eq!(lists.len(), rows.len());
    Ok(Arc::new(lists))
}
