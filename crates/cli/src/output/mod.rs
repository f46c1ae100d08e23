//! How results are written to standard output.

mod csv;
mod jsonl;
mod materialized;
mod tableau;

use std::io::Write;

use chrono_tz::Tz;
use flott::batch::{ChangeBatch, RowKind, text};
use flott::plan::Schema;

use crate::args::OutputMode;
use crate::stop::Result;

pub(crate) use materialized::Materialized;
pub(crate) use tableau::{Grid, NULL, shown};

/// How tables are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// A longer value is cut.
    pub width: usize,
    /// A materialised table keeps its newest rows only.
    pub max_rows: usize,
    /// The text for NULL.
    pub null: &'static str,
}

/// Writes one result.
pub(crate) trait ResultWriter {
    /// The columns, before any row.
    fn start(&mut self, out: &mut dyn Write) -> std::io::Result<()>;
    /// A change; `None` is NULL.
    fn row(&mut self, out: &mut dyn Write, kind: RowKind, cells: Vec<Option<String>>) -> std::io::Result<()>;
    /// The end; `complete` if the query finished.
    fn end(&mut self, out: &mut dyn Write, complete: bool) -> std::io::Result<()>;
}

/// The writer of a mode. `updates` says whether the result has more than insertions, `batch` whether it is a
/// batch query's.
pub(crate) fn writer(
    mode: OutputMode,
    schema: &Schema,
    (updates, batch): (bool, bool),
    style: Style,
) -> Box<dyn ResultWriter> {
    match mode {
        OutputMode::Jsonl => Box::new(jsonl::Jsonl::new(schema)),
        OutputMode::Csv => Box::new(csv::Csv::new(schema, updates)),
        // The result of a batch query does not change.
        OutputMode::Tableau if batch && !updates => Box::new(tableau::Final::new(schema, style)),
        OutputMode::Tableau | OutputMode::Changelog => Box::new(tableau::Changes::new(schema, style.width)),
        OutputMode::Table => Box::new(tableau::Final::new(schema, style)),
    }
}

/// Writes a batch, row by row.
pub(crate) fn write_batch(
    writer: &mut dyn ResultWriter,
    out: &mut dyn Write,
    batch: ChangeBatch,
    schema: &Schema,
    zone: Tz,
) -> Result<()> {
    each_row(batch, schema, zone, |kind, cells| Ok(writer.row(out, kind, cells)?))
}

/// The rows of a batch as text.
pub(crate) fn each_row(
    batch: ChangeBatch,
    schema: &Schema,
    zone: Tz,
    mut take: impl FnMut(RowKind, Vec<Option<String>>) -> Result<()>,
) -> Result<()> {
    let batch = batch.compact()?;
    for row in 0..batch.physical_rows() {
        let cells = schema
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| text::cell(batch.column(index).as_ref(), row, &column.ty, zone))
            .collect();
        take(batch.kind(row), cells)?;
    }
    Ok(())
}
