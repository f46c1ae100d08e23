//! LAG: a value of an earlier row of the key.
//!
//! How far back a row may look is determined by what Flink keeps: one row more than the previous row looked
//! back. If the offset is the same for all rows, this makes no difference.

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, Int64Type};
use flott_batch::arrow_type;
use flott_batch::bytes::{RowBytes, is_wide};
use flott_plan::AggregateCall;
use flott_state::{
    OperatorSnapshot, PrimitiveColumn, RestoredState, RowColumn, SharedIndex, SingleRows, StateColumn,
};
use flott_types::{Error, Result, Timestamp};

use super::expiry;
use super::history::History;
use super::results::Widths;
use crate::support::kernel;

/// The name of the rows in snapshots.
const TABLE: &str = "lag";
/// The name of the state that says how far back rows may look.
const REACH: &str = "lag_reach";

/// By slot and call: how many rows the next one may look back.
type Reach = RowColumn<SingleRows<Vec<PrimitiveColumn<Int64Type>>>>;

/// All calls of LAG.
pub(super) struct Lag {
    calls: Vec<AggregateCall>,
    history: History,
    reach: Reach,
    widths: Widths,
}

impl Lag {
    pub fn new(calls: Vec<AggregateCall>, ttl: i64, index: &SharedIndex) -> Result<Self> {
        let value = |(at, call): (usize, &AggregateCall)| {
            let known = call.arg_types.first();
            let known = known.ok_or_else(|| Error::internal("LAG without an argument"))?;
            Ok(arrow_type::field(&format!("value{at}"), &known.clone()))
        };
        let values = calls.iter().enumerate().map(value).collect::<Result<Vec<_>>>()?;
        let vary = values.iter().any(|value| is_wide(value.data_type()));
        let reaches = calls.iter().enumerate().filter(|(_, call)| call.args.len() > 1);
        let reaches = reaches.map(|(at, _)| PrimitiveColumn::new(&format!("reach{at}"), 0)).collect();
        Ok(Lag {
            history: History::new(TABLE, &values, ttl, index)?,
            reach: RowColumn::new(REACH, SingleRows::new(reaches)),
            calls,
            widths: Widths::new(vary),
        })
    }

    /// Whether rows of a key are kept, or were at the last snapshot.
    pub fn occupied(&self, slot: u32) -> bool {
        self.history.rows().occupied(slot) || self.reach.occupied(slot)
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.history.rows().memory() + self.reach.memory()
    }

    /// Forgets those of the keys that have expired.
    pub fn forget_expired(&mut self, index: &mut SharedIndex, slots: &[u32], now: Timestamp) {
        let gone = expiry::forget_expired(self.history.rows_mut(), index, slots, now);
        self.forget(index, gone);
    }

    /// Removes some expired keys, except those that `stays` says are still needed. Returns the latest time to
    /// call this again.
    pub fn expire(
        &mut self,
        now: Timestamp,
        rows: usize,
        index: &mut SharedIndex,
        stays: impl Fn(u32) -> bool,
    ) -> Option<Timestamp> {
        let gone = expiry::expire(self.history.rows_mut(), index, now, rows, stays);
        self.forget(index, gone);
        self.history.rows().wake_at()
    }

    fn forget(&mut self, index: &mut SharedIndex, keys: Vec<u32>) {
        index.freed().extend(keys.into_iter().filter_map(|slot| self.reach.remove(slot)));
    }

    /// An upper bound for the size of these rows' results in bytes; 0 if all are numbers.
    pub fn widest(&mut self, columns: &[ArrayRef], rows: usize) -> usize {
        if self.widths.vary() {
            let taken = self.calls.iter().flat_map(|call| [call.args.first(), call.args.get(2)]);
            let taken: Vec<ArrayRef> = taken.flatten().map(|column| columns[*column].clone()).collect();
            self.widths.note(RowBytes::new(&taken).widest(rows, 0));
        }
        self.widths.widest()
    }

    /// The results of rows, one column per call, by the slots of their keys. `now` is the processing time.
    pub fn compute(
        &mut self,
        index: &mut SharedIndex,
        slots: &[u32],
        columns: &[ArrayRef],
        times: &[Timestamp],
        now: Timestamp,
    ) -> Result<Vec<ArrayRef>> {
        self.open(slots);
        let values: Vec<ArrayRef> = self.calls.iter().map(|call| columns[call.args[0]].clone()).collect();
        let entries = self.history.put(slots, &values, times)?;
        let positions: Vec<usize> = entries.iter().map(|entry| self.history.rows().rank(*entry)).collect();
        let (mut results, mut reaches) = (Vec::new(), self.reach.values_mut().iter_mut());
        for (at, call) in self.calls.iter().enumerate() {
            let offsets = match call.args.get(1) {
                Some(offset) => Some(cast(&columns[*offset], &DataType::Int64).map_err(kernel)?),
                None => None,
            };
            let offsets = offsets.as_ref().map(|offsets| offsets.as_primitive::<Int64Type>());
            let mut looks = match offsets {
                Some(offsets) => reaches.next().map(|reach| (offsets, reach)),
                None => None,
            };
            let (mut found, mut picks) = (Vec::new(), Vec::with_capacity(times.len()));
            for (row, position) in positions.iter().enumerate() {
                let earlier = match &mut looks {
                    None => position.checked_sub(1),
                    Some((offsets, reach)) => {
                        let offset = offset_of(offsets.is_valid(row).then(|| offsets.value(row)))?;
                        let reach = &mut reach.values_mut()[slots[row] as usize];
                        let within = *reach >= offset;
                        *reach = (*reach).min(offset) + 1;
                        within.then(|| position.checked_sub(offset as usize)).flatten()
                    }
                };
                match earlier.and_then(|earlier| self.history.rows().nth(slots[row], earlier)) {
                    Some(entry) => {
                        picks.push((0, found.len()));
                        found.push(entry);
                    }
                    None => picks.push((1, if call.args.len() > 2 { row } else { 0 })),
                }
            }
            let earlier = self.history.rows_of(&found)?.swap_remove(at);
            let otherwise = match call.args.get(2) {
                Some(default) => cast(&columns[*default], earlier.data_type()).map_err(kernel)?,
                None => new_null_array(earlier.data_type(), 1),
            };
            let result = interleave(&[earlier.as_ref(), otherwise.as_ref()], &picks).map_err(kernel)?;
            let ty = arrow_type::to_arrow(&call.ty);
            results.push(if *result.data_type() == ty {
                result
            } else {
                cast(&result, &ty).map_err(kernel)?
            });
        }
        self.settle(index, slots, now);
        Ok(results)
    }

    /// Keys without a known reach may look back at everything that is kept for them.
    fn open(&mut self, slots: &[u32]) {
        let Lag { history, reach, .. } = self;
        if reach.values().is_empty() {
            return;
        }
        let mut new = Vec::new();
        reach.open(slots, |slot, _| new.push(slot));
        for slot in new {
            let kept = history.rows().len_of(slot) as i64;
            reach.values_mut().iter_mut().for_each(|reach| reach.values_mut()[slot as usize] = kept);
        }
        reach.mark_all(slots);
    }

    /// Forgets the rows that no later row may look back at.
    fn settle(&mut self, index: &mut SharedIndex, slots: &[u32], now: Timestamp) {
        let Lag { calls, history, reach, widths } = self;
        let mut seen = slots.to_vec();
        seen.sort_unstable();
        seen.dedup();
        let least = usize::from(calls.len() > reach.values().len());
        for slot in &seen {
            let reaches = reach.values().iter().map(|reach| reach.values()[*slot as usize]);
            let needed = reaches.max().map_or(0, |reach| usize::try_from(reach).unwrap_or(0)).max(least);
            let extra = history.rows().len_of(*slot).saturating_sub(needed);
            let gone: Vec<u32> = history.rows().entries_of(*slot).take(extra).collect();
            history.remove(&gone, index.freed());
        }
        expiry::touch(history.rows_mut(), &seen, now);
        widths.settle(slots.len(), history.rows().len(), || history.widest());
    }

    pub fn snapshot(
        &mut self,
        index: &mut SharedIndex,
        full: bool,
        snapshot: &mut OperatorSnapshot,
    ) -> Result<()> {
        index.snapshot(self.history.state(), full, &mut snapshot.keyed)?;
        match self.reach.values().is_empty() {
            true => Ok(()),
            false => index.snapshot(&mut self.reach, full, &mut snapshot.keyed),
        }
    }

    pub fn restore(&mut self, index: &mut SharedIndex, restored: &mut RestoredState) -> Result<()> {
        index.restore(self.history.state(), restored)?;
        index.restore(&mut self.reach, restored)?;
        if self.widths.vary() {
            self.widths.note(self.history.widest());
        }
        Ok(())
    }
}

fn offset_of(offset: Option<i64>) -> Result<i64> {
    match offset {
        Some(offset) if offset >= 0 => Ok(offset),
        Some(offset) => Err(Error::data(format!("the offset of LAG must not be negative, but is {offset}"))),
        None => Err(Error::data("the offset of LAG must not be NULL")),
    }
}
