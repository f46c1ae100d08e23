//! The accumulators of each key, moved over its rows.
//!
//! Rows are processed in rounds: the first row of each key, the second of each, and so on (with RANGE, all
//! rows with the same time together). In a round no key appears twice, so one call adds the rows that enter
//! the frames, one removes those that leave, and one reads all results.

use std::iter;

use arrow::array::ArrayRef;
use arrow::compute::concat;
use arrow::datatypes::FieldRef;
use flott_batch::arrow_type;
use flott_batch::bytes::{RowBytes, is_wide, runs};
use flott_operator::windows::Ends;
use flott_plan::{AggregateCall, Schema};
use flott_state::{
    OperatorSnapshot, RestoredState, RowColumn, SharedIndex, SingleRows, SlotColumns, StateColumn,
};
use flott_types::{Error, Result, Timestamp};

use super::groups::Groups;
use super::history::History;
use super::results::{Results, Widths};
use crate::accumulate::{Aggregates, Keys, Rows};
use crate::support::kernel;

/// The name of the table with the rows of frames in snapshots.
const FRAME: &str = "frame";

/// Which rows a result covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    /// ROWS rather than RANGE.
    pub rows: bool,
    /// This many rows or milliseconds before the current one; `None` for all.
    pub preceding: Option<i64>,
    /// Rows with equal time share one result.
    pub peers: bool,
}

/// The accumulators, and the rows in them if rows can leave again.
pub(super) struct Frames {
    frame: Frame,
    widths: Widths,
    /// The input columns that the calls take.
    needed: Vec<usize>,
    table: RowColumn<SingleRows<Groups>>,
    history: Option<History>,
    /// When to check whether a key can be forgotten, with its slot.
    cleanup: Ends,
    batch_bytes: usize,
    batch: u32,
    seen: Vec<Seen>,
    cursors: Vec<Cursor>,
}

/// What a batch has processed for a key so far.
#[derive(Clone, Copy, Default)]
struct Seen {
    batch: u32,
    group: u32,
    time: Timestamp,
    result: usize,
}

/// How far a batch has advanced in the frame of a key.
#[derive(Clone, Copy, Default)]
struct Cursor {
    batch: u32,
    rows: usize,
    left: usize,
}

/// A row that leaves the frame in the round of a row of the batch.
struct Leaving {
    round: u32,
    row: u32,
    entry: u32,
}

impl Frames {
    /// With this name in snapshots, over the slots of an index.
    pub fn new(
        name: &str,
        frame: Frame,
        calls: &[AggregateCall],
        input: &Schema,
        (keys, index): (&Keys, &SharedIndex),
        ttl: i64,
        batch_bytes: usize,
    ) -> Result<Self> {
        let vary = calls.iter().any(|call| is_wide(&arrow_type::to_arrow(&call.ty)));
        let mut needed: Vec<usize> =
            calls.iter().flat_map(|call| call.args.iter().copied().chain(call.filter)).collect();
        needed.sort_unstable();
        needed.dedup();
        let place = |column: &usize| needed.binary_search(column).unwrap_or_default();
        let mut moved = calls.to_vec();
        for call in &mut moved {
            call.args.iter_mut().for_each(|arg| *arg = place(arg));
            call.filter = call.filter.as_ref().map(place);
        }
        let bounded = frame.preceding.is_some();
        let groups = Groups::new(Aggregates::new(&moved, bounded, keys)?, bounded);
        // A RANGE frame forgets a key by event time, as in Flink.
        let ttl = if frame.rows || !bounded { ttl } else { 0 };
        let field = |(at, column): (usize, &usize)| {
            let known = input.columns.get(*column);
            let known = known.ok_or_else(|| Error::internal(format!("there is no column {column}")))?;
            Ok(arrow_type::field(&format!("value{at}"), &known.ty))
        };
        let fields = needed.iter().enumerate().map(field).collect::<Result<Vec<FieldRef>>>()?;
        Ok(Frames {
            table: RowColumn::new(name, SingleRows::new(groups)).with_coarse_ttl(ttl, index),
            history: if bounded { Some(History::new(FRAME, &fields, 0, index)?) } else { None },
            frame,
            widths: Widths::new(vary),
            needed,
            cleanup: Ends::default(),
            batch_bytes,
            batch: 0,
            seen: Vec::new(),
            cursors: Vec::new(),
        })
    }

    /// For each row, whether its key has already passed the row's time. Only known for bounded frames.
    pub fn is_past(&self, slots: &[u32], times: &[Timestamp]) -> Option<Vec<bool>> {
        let last = self.table.values().last_time.as_ref()?.values();
        let past =
            |(slot, time): (&u32, &Timestamp)| self.table.is_live(*slot) && *time <= last[*slot as usize];
        Some(slots.iter().zip(times).map(past).collect())
    }

    /// Whether some result is of variable length.
    pub fn vary(&self) -> bool {
        self.widths.vary()
    }

    /// Whether something is kept for a key, or was at the last snapshot.
    pub fn occupied(&self, slot: u32) -> bool {
        self.table.occupied(slot) || self.history.as_ref().is_some_and(|rows| rows.rows().occupied(slot))
    }

    /// The bytes of memory that they hold.
    pub fn memory(&self) -> usize {
        self.table.memory() + self.history.as_ref().map_or(0, |rows| rows.rows().memory())
    }

    /// Where to split rows whose results may be too wide together: near the middle, and not between rows that
    /// share one.
    pub fn cut(&self, columns: &[ArrayRef], times: &[Timestamp]) -> Option<usize> {
        let rows = times.len();
        if !self.vary() {
            return None;
        }
        let needed: Vec<ArrayRef> = self.needed.iter().map(|column| columns[*column].clone()).collect();
        let widest = self.widths.widest() + RowBytes::new(&needed).of_range(0, rows);
        if widest.saturating_mul(rows) <= self.batch_bytes {
            return None;
        }
        let apart = |at: &usize| !self.frame.peers || times[at - 1] != times[*at];
        let half = rows / 2;
        (1..=half).rev().find(apart).or_else(|| (half + 1..rows).find(apart))
    }

    /// The results of rows in the order of their times, by the slots of their keys. `now` is the processing
    /// time; with `expires`, whatever has expired by then is invisible even if it is still there.
    pub fn compute(
        &mut self,
        index: &mut SharedIndex,
        slots: &[u32],
        columns: &[ArrayRef],
        times: &[Timestamp],
        now: Timestamp,
        expires: bool,
    ) -> Result<Results> {
        if expires && self.table.ttl().is_some() {
            let expired = |slot: &u32| self.table.is_live(*slot) && self.table.is_expired(*slot, now);
            let gone: Vec<u32> = slots.iter().copied().filter(expired).collect();
            self.remove(gone, index.freed());
        }
        let mut new = Vec::new();
        self.table.open(slots, |slot, row| new.push((slot, times[row])));
        for (slot, time) in new {
            self.look_again(slot, time);
        }
        slots.iter().for_each(|slot| self.table.touch(*slot, now));
        self.table.mark_all(slots);
        self.batch = self.batch.wrapping_add(1).max(1);
        let (rounds, leads) = self.rounds(slots, times, index.slots_end());
        let mut columns: Vec<ArrayRef> = self.needed.iter().map(|column| columns[*column].clone()).collect();
        self.note_widths(&columns, times.len());
        let leaving = self.leaving(slots, &columns, times, &rounds)?;
        if let (false, Some(history)) = (leaving.is_empty(), &mut self.history) {
            let entries: Vec<u32> = leaving.iter().map(|leaving| leaving.entry).collect();
            let gone = history.rows_of(&entries)?;
            history.remove(&entries, index.freed());
            let both =
                columns.iter().zip(&gone).map(|(column, gone)| concat(&[column.as_ref(), gone.as_ref()]));
            columns = both.collect::<Result<_, _>>().map_err(kernel)?;
        }
        let results = self.run(slots, &columns, &rounds, &leads, &leaving)?;
        if let Some(last) = &mut self.table.values_mut().last_time {
            slots.iter().zip(times).for_each(|(slot, time)| last.values_mut()[*slot as usize] = *time);
        }
        let Frames { widths, table, history, .. } = self;
        let kept = table.len() + history.as_ref().map_or(0, |history| history.rows().len());
        widths.settle(slots.len(), kept, || widest(table, history.as_ref()));
        Ok(results)
    }

    /// Notes the sizes of values that may become results.
    fn note_widths(&mut self, columns: &[ArrayRef], rows: usize) {
        if self.vary() {
            self.widths.note(RowBytes::new(columns).widest(rows, 0));
        }
    }

    /// The round of each row, and whether it is the first row of its key in that round.
    fn rounds(&mut self, slots: &[u32], times: &[Timestamp], end: usize) -> (Vec<u32>, Vec<bool>) {
        self.seen.resize(end.max(self.seen.len()), Seen::default());
        let (mut rounds, mut leads) = (Vec::with_capacity(times.len()), Vec::with_capacity(times.len()));
        for (slot, time) in slots.iter().zip(times) {
            let seen = &mut self.seen[*slot as usize];
            let first = seen.batch != self.batch;
            let lead = first || !self.frame.peers || seen.time != *time;
            let group = if first { 0 } else { seen.group + u32::from(lead) };
            *seen = Seen { batch: self.batch, group, time: *time, result: 0 };
            rounds.push(group);
            leads.push(lead);
        }
        (rounds, leads)
    }

    /// Adds the rows to the history and determines which rows leave, by round.
    fn leaving(
        &mut self,
        slots: &[u32],
        columns: &[ArrayRef],
        times: &[Timestamp],
        rounds: &[u32],
    ) -> Result<Vec<Leaving>> {
        let (Some(history), Some(preceding)) = (&mut self.history, self.frame.preceding) else {
            return Ok(Vec::new());
        };
        history.put(slots, columns, times)?;
        for slot in slots {
            if *slot as usize >= self.cursors.len() {
                self.cursors.resize(*slot as usize + 1, Cursor::default());
            }
            let cursor = &mut self.cursors[*slot as usize];
            if cursor.batch != self.batch {
                *cursor = Cursor { batch: self.batch, rows: history.rows().len_of(*slot), left: 0 };
            }
            // The remaining rows were there before.
            cursor.rows -= 1;
        }
        let most = usize::try_from(preceding).unwrap_or(0).saturating_add(1);
        let mut leaving = Vec::new();
        for (row, slot) in slots.iter().enumerate() {
            let cursor = &mut self.cursors[*slot as usize];
            cursor.rows += 1;
            let oldest = times[row].saturating_sub(preceding);
            while let Some(entry) = history.rows().nth(*slot, cursor.left) {
                let leaves = match self.frame.rows {
                    true => cursor.rows - cursor.left > most,
                    false => history.time(entry) < oldest,
                };
                if !leaves {
                    break;
                }
                leaving.push(Leaving { round: rounds[row], row: row as u32, entry });
                cursor.left += 1;
            }
        }
        leaving.sort_by_key(|leaving| leaving.round);
        Ok(leaving)
    }

    /// Computes the results of all rounds.
    fn run(
        &mut self,
        slots_of: &[u32],
        columns: &[ArrayRef],
        rounds: &[u32],
        leads: &[bool],
        leaving: &[Leaving],
    ) -> Result<Results> {
        let mut order: Vec<u32> = (0..rounds.len() as u32).collect();
        order.sort_by_key(|row| rounds[*row as usize]);
        let (mut order, mut leaving) = (order.into_iter().peekable(), leaving.iter().enumerate().peekable());
        let mut results = Results::default();
        // By result, in the order in which they are read.
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(rounds.len());
        let mut of_row = vec![0_u32; rounds.len()];
        let (mut rows, mut slots, mut retract, mut shown) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut round = 0;
        while order.peek().is_some() {
            rows.clear();
            slots.clear();
            retract.clear();
            shown.clear();
            while let Some((at, gone)) = leaving.next_if(|(_, gone)| gone.round == round) {
                rows.push((rounds.len() + at) as u32);
                slots.push(slots_of[gone.row as usize]);
                retract.push(true);
            }
            while let Some(row) = order.next_if(|row| rounds[*row as usize] == round) {
                let slot = slots_of[row as usize];
                rows.push(row);
                slots.push(slot);
                retract.push(false);
                let seen = &mut self.seen[slot as usize];
                if leads[row as usize] {
                    seen.result = places.len() + shown.len();
                    shown.push(slot);
                }
                of_row[row as usize] = seen.result as u32;
            }
            let aggregates = &mut self.table.values_mut().aggregates;
            let bounded = aggregates.row_counts().map(|counts| {
                for (slot, retract) in slots.iter().zip(&retract) {
                    counts[*slot as usize] += if *retract { -1 } else { 1 };
                }
            });
            let retract = bounded.map(|()| retract.as_slice());
            aggregates.update(&Rows { columns, rows: &rows, slots: &slots, retract })?;
            if self.widths.vary() {
                let widest = shown.iter().map(|slot| aggregates.bytes_of(*slot)).max();
                self.widths.note(widest.unwrap_or_default());
            }
            let cut = match self.widths.vary() {
                true => runs(shown.len(), self.batch_bytes, |at| aggregates.bytes_of(shown[at])),
                false => iter::once(0..shown.len()).collect(),
            };
            for run in cut {
                let values = aggregates.values(&shown[run.clone()])?;
                places.extend((0..run.len()).map(|at| (results.bytes.len(), at)));
                results.bytes.push(RowBytes::new(&values));
                results.parts.resize_with(values.len(), Vec::new);
                results.parts.iter_mut().zip(values).for_each(|(part, value)| part.push(value));
            }
            round += 1;
        }
        results.of_row = of_row.into_iter().map(|result| places[result as usize]).collect();
        Ok(results)
    }

    /// When a key of a RANGE frame can be forgotten: half a frame after its last row has left, as in Flink.
    fn expiry(&self, last: Timestamp) -> Option<Timestamp> {
        let preceding = self.frame.preceding.filter(|_| !self.frame.rows)?;
        Some(last.saturating_add(preceding.saturating_add(preceding / 2)).saturating_add(1))
    }

    fn look_again(&mut self, slot: u32, last: Timestamp) {
        if let Some(at) = self.expiry(last) {
            self.cleanup.push(at, slot);
        }
    }

    /// Time has advanced: forgets keys whose frames have long been empty. A key of which rows wait, as `waits` says, stays: it has
    /// passed the times of rows that are late.
    pub fn forget(&mut self, now: Timestamp, index: &mut SharedIndex, waits: impl Fn(u32) -> bool) {
        let mut gone = Vec::new();
        while let Some((_, slots)) = self.cleanup.pop(|at| at <= now) {
            for slot in &slots {
                let Some(last) = &self.table.values().last_time else { continue };
                let last = last.values()[*slot as usize];
                match self.expiry(last) {
                    Some(at) if at > now => self.look_again(*slot, last),
                    // The rows that wait are later than now, and so is the time to forget them.
                    Some(_) if waits(*slot) => self.look_again(*slot, now),
                    _ => gone.push(*slot),
                }
            }
            self.cleanup.recycle(slots);
        }
        self.remove(gone, index.freed());
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
        let (kept, gone): (Vec<u32>, Vec<u32>) =
            self.table.sweep(now, rows).into_iter().partition(|slot| stays(*slot));
        for slot in kept {
            self.table.touch(slot, now);
            self.table.mark(slot);
        }
        self.remove(gone, index.freed());
        self.table.wake_at()
    }

    /// Removes keys with their rows.
    fn remove(&mut self, slots: Vec<u32>, freed: &mut Vec<u32>) {
        for slot in slots {
            self.history.iter_mut().for_each(|history| history.remove_key(slot, freed));
            freed.extend(self.table.remove(slot));
        }
    }

    pub fn snapshot(
        &mut self,
        index: &mut SharedIndex,
        full: bool,
        snapshot: &mut OperatorSnapshot,
    ) -> Result<()> {
        index.snapshot(&mut self.table, full, &mut snapshot.keyed)?;
        match &mut self.history {
            Some(history) => index.snapshot(history.state(), full, &mut snapshot.keyed),
            None => Ok(()),
        }
    }

    pub fn restore(&mut self, index: &mut SharedIndex, restored: &mut RestoredState) -> Result<()> {
        index.restore(&mut self.table, restored)?;
        if let Some(history) = &mut self.history {
            index.restore(history.state(), restored)?;
        }
        if self.vary() {
            self.widths.note(widest(&self.table, self.history.as_ref()));
        }
        let slots: Vec<u32> = self.table.live().collect();
        for slot in slots {
            let last = self.table.values().last_time.as_ref().map(|last| last.values()[slot as usize]);
            last.into_iter().for_each(|last| self.look_again(slot, last));
        }
        Ok(())
    }
}

/// The size in bytes of the widest value that is kept.
fn widest(table: &RowColumn<SingleRows<Groups>>, history: Option<&History>) -> usize {
    let groups = table.live().map(|slot| table.values().bytes_of(slot)).max();
    history.map_or(0, History::widest).max(groups.unwrap_or_default())
}
