//! Before a join with the largest (smallest) value of each window: rows that certainly have not the value of any window
//! that they can be joined with are dropped before they are exchanged and kept.
//!
//! The values are computed from the same rows, perhaps with others, behind the same watermarks. So if a row is not late,
//! neither are those of its windows that this subtask has seen before it, and each of them counts in the value of the
//! window: if one of them is larger, the row is not joined with that window. It is dropped if this is so for all windows
//! that it can be joined with by their end, which must all be windows that it belongs to; otherwise it passes.
//!
//! A row that is late may still equal a value that was sent, so it passes. What is late is judged as the aggregation
//! downstream does it, or later: after a restore by the latest progress of all subtasks. A subtask that was idle does not
//! know how far the others have got in the meantime, nor does one that is new to a job that continues: these drop nothing.
//!
//! Nothing of this is state, apart from the progress of event time. What is known of windows is bounded, and is forgotten
//! when there are too many.
//!
//! Cost of a record: two passes over its time and value, without a branch that depends on the value but for new extremes.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type};
use flott_batch::{Batch, ChangeBatch, WatermarkStatus};
use flott_operator::windows::{Progress, Slicing};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, WindowExtreme};
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, FastMap, Result, Timestamp, Watermark};

use crate::support::{Millis, columns_of, selected};

/// With more windows than this, what is known of them is forgotten.
const KNOWN: usize = 1 << 12;

/// The operator.
pub(crate) struct LocalWindowExtreme {
    value: usize,
    smallest: bool,
    time: usize,
    slicing: Slicing,
    ends: [i64; 2],
    progress: Progress,
    /// The aggregation may have got further than this subtask knows.
    blind: bool,
    /// By the end of a window: the largest value that certainly counts in it; the smallest is that of the negated values.
    known: FastMap<Timestamp, i128>,
}

/// Rows of one slice: what can be said of them.
struct Slice {
    end: Timestamp,
    start: Timestamp,
    /// Whether none of its windows is over.
    timely: bool,
    /// The times of rows that can be joined with no other windows than those that they belong to.
    from: Timestamp,
    to: Timestamp,
    /// Rows of these times with less than this have not the value of any of their windows.
    least: Option<i128>,
}

impl LocalWindowExtreme {
    pub fn new(node: &ChainedNode, spec: &WindowExtreme) -> Result<Self> {
        let width = crate::build::input(node, 0)?.len();
        if spec.value >= width || spec.window.time_column >= width || !spec.window.ends_in_event_time() {
            return Err(Error::internal("values of windows that are not there").in_operator(&node.node.name));
        }
        Ok(LocalWindowExtreme {
            value: spec.value,
            smallest: spec.smallest,
            time: spec.window.time_column,
            slicing: Slicing::new(&spec.window.kind)?,
            ends: spec.ends,
            progress: Progress::default(),
            blind: false,
            known: FastMap::default(),
        })
    }

    /// What is left of a batch. The others are not copied away: the exchange copies those that it sends.
    fn looked_at(&mut self, batch: ChangeBatch) -> Result<ChangeBatch> {
        let column = batch.column(self.value).clone();
        let keep = match column.data_type() {
            DataType::Int8 => self.wanted::<Int8Type>(&batch, &column),
            DataType::Int16 => self.wanted::<Int16Type>(&batch, &column),
            DataType::Int32 => self.wanted::<Int32Type>(&batch, &column),
            DataType::Int64 => self.wanted::<Int64Type>(&batch, &column),
            DataType::Decimal128(..) => self.wanted::<Decimal128Type>(&batch, &column),
            other => Err(Error::internal(format!("the extremes of {other} are not known"))),
        }?;
        Ok(if keep.has_false() { batch.select(&keep) } else { batch })
    }

    fn wanted<T>(&mut self, batch: &ChangeBatch, column: &ArrayRef) -> Result<BooleanBuffer>
    where
        T: ArrowPrimitiveType,
        T::Native: Into<i128>,
    {
        let values: &PrimitiveArray<T> = column.as_primitive();
        let times = Millis::required(batch.column(self.time))?;
        let some = batch.selection().map(|_| selected(batch));
        let rows = some.as_ref().map_or(batch.physical_rows(), Vec::len);
        let row_at = |at: usize| some.as_ref().map_or(at, |some| some[at] as usize);
        let sign = if self.smallest { -1 } else { 1 };
        let value = |row: usize| sign * values.value(row).into();
        self.learn(rows, |at| {
            let row = row_at(at);
            (times.get(row), if values.is_null(row) { None } else { Some(value(row)) })
        });
        let mut keep = vec![some.is_none(); batch.physical_rows()];
        let mut slice = None;
        for at in 0..rows {
            let row = row_at(at);
            let time = times.get(row);
            let slice = self.slice_of(&mut slice, time);
            let less = slice.least.is_some_and(|least| value(row) < least);
            keep[row] = !(less && time >= slice.from && time <= slice.to) || values.is_null(row);
        }
        Ok(BooleanBuffer::from(keep))
    }

    /// Takes note of the largest values of the windows of these rows.
    fn learn(&mut self, rows: usize, row: impl Fn(usize) -> (Timestamp, Option<i128>)) {
        let mut current: Option<Slice> = None;
        let mut largest: Option<i128> = None;
        for at in 0..rows {
            let (time, value) = row(at);
            if !current.as_ref().is_some_and(|slice| time >= slice.start && time < slice.end) {
                self.note(current.as_ref(), largest.take());
                current = Some(self.slice(time));
            }
            largest = largest.max(value);
        }
        self.note(current.as_ref(), largest);
    }

    fn note(&mut self, slice: Option<&Slice>, largest: Option<i128>) {
        let (Some(slice), Some(largest)) = (slice, largest) else { return };
        if !slice.timely || slice.least.is_some_and(|least| least >= largest) {
            return;
        }
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        for end in self.slicing.windows(slice.end) {
            let known = self.known.entry(end).or_insert(largest);
            *known = (*known).max(largest);
        }
    }

    /// The slice of a time; mostly it is that of the row before.
    #[inline]
    fn slice_of<'s>(&self, current: &'s mut Option<Slice>, time: Timestamp) -> &'s Slice {
        let same = current.take().filter(|slice| time >= slice.start && time < slice.end);
        current.insert(same.unwrap_or_else(|| self.slice(time)))
    }

    fn slice(&self, time: Timestamp) -> Slice {
        let end = self.slicing.slice_end(time);
        let (first, last) = (self.slicing.first_window(end), self.slicing.last_window(end));
        let step = self.slicing.next_window(last) - last;
        let timely = first <= last && !self.progress.has_reached(first - 1);
        let known = || self.slicing.windows(end).map(|end| self.known.get(&end).copied());
        // A window of which nothing is known might have any value.
        let least = if timely { known().min().flatten() } else { None };
        let [lower, upper] = self.ends;
        Slice {
            end,
            start: self.slicing.slice_start(end),
            timely,
            from: (first - step).saturating_sub(lower).saturating_add(1),
            to: (last + step).saturating_sub(upper).saturating_sub(1),
            least,
        }
    }
}

impl Operator for LocalWindowExtreme {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.blind = context.info.continues && !restored.found;
        self.progress.restore_latest(&mut restored)
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let mut batch = columns_of(batch)?;
        if batch.kinds().is_some_and(|kinds| kinds.iter().any(|kind| !kind.is_addition())) {
            return Err(Error::internal("a retraction where only insertions were planned for"));
        }
        if !self.blind {
            batch = self.looked_at(batch)?;
        }
        if batch.is_empty() {
            return Ok(());
        }
        context.output.emit(Batch::Changes(batch))
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        if self.progress.advance(watermark.0) {
            let progress = self.progress;
            self.known.retain(|end, _| !progress.has_reached(*end - 1));
        }
        context.output.watermark(watermark)
    }

    fn watermark_status(&mut self, status: WatermarkStatus, context: &mut Context<'_>) -> Result<()> {
        self.blind |= status == WatermarkStatus::Idle;
        context.output.watermark_status(status)
    }

    fn snapshot(&mut self, _: CheckpointId, _: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        self.progress.save(&mut snapshot);
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests;
