//! LAG: a value of an earlier row of the key.

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, Int64Type};
use flott_batch::arrow_type;
use flott_batch::bytes::{RowBytes, is_wide};
use flott_plan::AggregateCall;
use flott_state::{KeyedDelta, RestoredState};
use flott_types::{Error, Result, Timestamp};

use super::history::History;
use crate::accumulate::Keys;
use crate::support::kernel;

/// The name of the table in snapshots.
const TABLE: &str = "lag";

/// All calls of LAG. The farthest row that any of them has asked for is kept, and those after it.
pub(super) struct Lag {
    calls: Vec<AggregateCall>,
    history: History,
    farthest: usize,
    /// Some result is of any length.
    vary: bool,
    /// No value was wider yet.
    widest: usize,
}

impl Lag {
    pub fn new(calls: Vec<AggregateCall>, keys: &Keys, ttl: i64) -> Result<Self> {
        let value = |(at, call): (usize, &AggregateCall)| {
            let known = call.arg_types.first();
            let known = known.ok_or_else(|| Error::internal("LAG without an argument"))?;
            Ok(arrow_type::field(&format!("value{at}"), &known.clone()))
        };
        let values = calls.iter().enumerate().map(value).collect::<Result<Vec<_>>>()?;
        let vary = values.iter().any(|value| is_wide(value.data_type()));
        Ok(Lag { history: History::new(TABLE, keys, &values, ttl)?, calls, farthest: 0, vary, widest: 0 })
    }

    /// The earlier rows, which expire.
    pub fn history(&mut self) -> &mut History {
        &mut self.history
    }

    /// No result of these rows has more bytes; 0 if all are numbers.
    pub fn widest(&mut self, columns: &[ArrayRef], rows: usize) -> usize {
        if self.vary {
            let taken = self.calls.iter().flat_map(|call| [call.args.first(), call.args.get(2)]);
            let taken: Vec<ArrayRef> = taken.flatten().map(|column| columns[*column].clone()).collect();
            self.widest = self.widest.max(RowBytes::new(&taken).widest(rows, 0));
        }
        self.widest
    }

    /// The results of rows, a column a call. `now` is processing time.
    pub fn compute(
        &mut self,
        keys: &[ArrayRef],
        columns: &[ArrayRef],
        times: &[Timestamp],
        now: Timestamp,
    ) -> Result<Vec<ArrayRef>> {
        let values: Vec<ArrayRef> = self.calls.iter().map(|call| columns[call.args[0]].clone()).collect();
        let places = self.history.put(keys, &values, times)?;
        let positions: Vec<usize> =
            places.entries.iter().map(|entry| self.history.map().rank(*entry)).collect();
        let mut results = Vec::new();
        for (at, call) in self.calls.iter().enumerate() {
            let offsets = match call.args.get(1) {
                Some(offset) => Some(cast(&columns[*offset], &DataType::Int64).map_err(kernel)?),
                None => None,
            };
            let offsets = offsets.as_ref().map(|offsets| offsets.as_primitive::<Int64Type>());
            let (mut entries, mut picks) = (Vec::new(), Vec::with_capacity(times.len()));
            for (row, position) in positions.iter().enumerate() {
                let offset = offsets.map_or(1, |offsets| offsets.value(row));
                let offset = usize::try_from(offset).map_err(|_| {
                    Error::data(format!("the offset of LAG must not be negative, but is {offset}"))
                })?;
                self.farthest = self.farthest.max(offset);
                let earlier = position.checked_sub(offset);
                match earlier.and_then(|earlier| self.history.map().nth(places.keys[row], earlier)) {
                    Some(entry) => {
                        picks.push((0, entries.len()));
                        entries.push(entry);
                    }
                    None => picks.push((1, if call.args.len() > 2 { row } else { 0 })),
                }
            }
            let earlier = self.history.rows_of(&entries)?.swap_remove(at);
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
        let mut seen = places.keys;
        seen.sort_unstable();
        seen.dedup();
        for key in &seen {
            let extra = self.history.map().len_of(*key).saturating_sub(self.farthest);
            let gone: Vec<u32> = self.history.map().entries_of(*key).take(extra).collect();
            self.history.remove(&gone);
        }
        self.history.touch(&seen, now);
        Ok(results)
    }

    pub fn snapshot(&mut self, full: bool) -> Result<Vec<KeyedDelta>> {
        self.history.snapshot(full)
    }

    pub fn restore(&mut self, restored: &mut RestoredState) -> Result<()> {
        self.history.restore(restored)?;
        if self.vary {
            self.widest = self.widest.max(self.history.widest());
        }
        Ok(())
    }
}
