//! Checks an operator's output against its promises.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType, TimestampNanosecondType};
use flott_batch::hash::hash_columns;
use flott_batch::{Batch, ChangeBatch, RowKind, WatermarkStatus, pretty};
use flott_types::{LogicalType, Result, Watermark};

use super::changelog::Changelog;
use super::{check_schema, violated};
use crate::Output;

pub(super) struct OutputCheck {
    pub schema: SchemaRef,
    pub types: Vec<LogicalType>,
    /// See [`super::promises::Promises`].
    pub pairs: Option<Vec<usize>>,
    pub on_time: Option<usize>,
    pub changelog: Changelog,
    pub watermark: Watermark,
    pub finished: bool,
}

pub(super) struct CheckedOutput<'a> {
    pub check: &'a mut OutputCheck,
    pub output: &'a mut dyn Output,
}

impl OutputCheck {
    fn batch(&mut self, batch: &Batch) -> Result<()> {
        if self.finished {
            return Err(violated("rows are emitted after the end"));
        }
        check_schema(batch, &self.schema, "the output")?;
        let Batch::Changes(changes) = batch else { return Ok(()) };
        self.pairs(changes)?;
        self.behind(changes)?;
        match self.changelog.follow(changes) {
            None => Ok(()),
            Some(row) => Err(violated(format_args!(
                "a row is retracted that was not emitted, or was retracted before: {}",
                self.show(changes, row)
            ))),
        }
    }

    fn show(&self, changes: &ChangeBatch, row: usize) -> String {
        let only = (0..changes.physical_rows()).map(|at| at == row).collect();
        pretty::print(&changes.clone().select(&only), &self.types).trim_end().to_owned()
    }

    /// Checks that both halves of an update are adjacent and have the same key.
    fn pairs(&self, changes: &ChangeBatch) -> Result<()> {
        let (Some(key), Some(kinds)) = (&self.pairs, changes.kinds()) else { return Ok(()) };
        let rows = (0..kinds.len()).filter(|row| changes.selection().is_none_or(|s| s.value(*row)));
        let mut open = None;
        let mut pairs = Vec::new();
        for row in rows {
            let kind = kinds.get(row);
            if open.is_some() != (kind == RowKind::UpdateAfter) {
                let what = if open.is_some() { "a -U without its +U" } else { "a +U without its -U" };
                return Err(violated(format_args!("{what} is emitted: {}", self.show(changes, row))));
            }
            pairs.extend(open.take().map(|before| (before, row)));
            open = (kind == RowKind::UpdateBefore).then_some(row);
        }
        if open.is_some() {
            return Err(violated("a batch ends between -U and +U"));
        }
        if key.is_empty() || pairs.is_empty() {
            return Ok(());
        }
        let columns: Vec<ArrayRef> = key.iter().map(|at| changes.columns().column(*at).clone()).collect();
        let mut keys = Vec::new();
        hash_columns(&columns, changes.physical_rows(), &mut keys);
        match pairs.into_iter().find(|(before, after)| keys[*before] != keys[*after]) {
            None => Ok(()),
            Some((before, after)) => Err(violated(format_args!(
                "the halves of an update have different keys: {} and {}",
                self.show(changes, before),
                self.show(changes, after)
            ))),
        }
    }

    fn behind(&self, changes: &ChangeBatch) -> Result<()> {
        let Some(at) = self.on_time.filter(|_| self.watermark > Watermark::MIN) else { return Ok(()) };
        let column = changes.columns().column(at);
        let behind = |row: &usize| {
            changes.selection().is_none_or(|s| s.value(*row))
                && millis(column, *row).is_some_and(|time| time <= self.watermark.0)
        };
        match (0..changes.physical_rows()).find(behind) {
            None => Ok(()),
            Some(row) => Err(violated(format_args!(
                "a row is emitted behind the watermark {}: {}",
                self.watermark,
                self.show(changes, row)
            ))),
        }
    }
}

/// A time attribute in milliseconds.
fn millis(column: &ArrayRef, row: usize) -> Option<i64> {
    if column.is_null(row) {
        return None;
    }
    match column.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(micros) => Some(micros.value(row).div_euclid(1_000)),
        None => {
            let nanos = column.as_primitive_opt::<TimestampNanosecondType>()?;
            Some(nanos.value(row).div_euclid(1_000_000))
        }
    }
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl Output for CheckedOutput<'_> {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        self.check.batch(&batch)?;
        self.output.emit(batch)
    }

    fn emit_side(&mut self, tag: &str, batch: Batch) -> Result<()> {
        if self.check.finished {
            return Err(violated("values are emitted to a side output after the end"));
        }
        self.output.emit_side(tag, batch)
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        if watermark < self.check.watermark {
            let last = self.check.watermark;
            return Err(violated(format_args!("watermark {watermark} is emitted after {last}")));
        }
        self.check.watermark = watermark;
        self.output.watermark(watermark)
    }

    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        self.output.watermark_status(status)
    }

    fn wanted(&self) -> Result<()> {
        self.output.wanted()
    }
}
