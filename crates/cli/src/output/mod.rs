//! How results are written to standard output.

mod csv;
mod jsonl;
mod tableau;

use std::io::Write;

use arrow::array::Array;
use chrono_tz::Tz;
use flott::batch::{ChangeBatch, RowKind, text};
use flott::plan::Schema;
use flott::{Error, Result};

use crate::args::OutputMode;

/// Writes one result.
pub(crate) trait ResultWriter {
    /// The columns, before any row.
    fn start(&mut self, out: &mut dyn Write) -> std::io::Result<()>;
    /// A change; `None` is NULL.
    fn row(&mut self, out: &mut dyn Write, kind: RowKind, cells: Vec<Option<String>>) -> std::io::Result<()>;
    /// The end; `complete` when the query came to its end.
    fn end(&mut self, out: &mut dyn Write, complete: bool) -> std::io::Result<()>;
}

/// The writer of a mode. `updates` says whether the result has more than insertions; `bounded` that nothing is shown before
/// the end.
pub(crate) fn writer(mode: OutputMode, schema: &Schema, updates: bool, width: usize) -> Box<dyn ResultWriter> {
    match mode {
        OutputMode::Jsonl => Box::new(jsonl::Jsonl::new(schema)),
        OutputMode::Csv => Box::new(csv::Csv::new(schema, updates)),
        OutputMode::Tableau | OutputMode::Changelog => Box::new(tableau::Tableau::changes(schema, width)),
        OutputMode::Table => Box::new(tableau::Tableau::materialized(schema, width)),
    }
}

/// Writes a batch, row by row.
pub(crate) fn write_batch(
    writer: &mut dyn ResultWriter,
    out: &mut dyn Write,
    batch: ChangeBatch,
    schema: &Schema,
    zone: Tz,
) -> Result<usize> {
    let batch = batch.compact()?;
    for row in 0..batch.physical_rows() {
        let cells = schema
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let array = batch.column(index);
                if array.is_null(row) || array.data_type().is_null() {
                    return None;
                }
                let mut cell = String::new();
                text::write_value(&mut cell, array.as_ref(), row, &column.ty, zone);
                Some(cell)
            })
            .collect();
        writer.row(out, batch.kind(row), cells).map_err(broken)?;
    }
    Ok(batch.physical_rows())
}

/// Standard output is gone.
pub(crate) fn broken(error: std::io::Error) -> Error {
    Error::external("cannot write to standard output").with_source(error)
}
