//! The accumulators of each key, moved over its rows.
//!
//! Rows are processed in rounds: the first row of each key, the second of each, and so on (with RANGE, all
//! rows of one time together). In a round no key appears twice, so one call adds the rows that enter the
//! frames, one removes those that leave, and one reads all results.

use std::collections::BTreeMap;
use std::iter;

use arrow::array::ArrayRef;
use arrow::compute::concat;
use arrow::datatypes::{FieldRef, Int64Type};
use flott_batch::arrow_type;
use flott_batch::bytes::{RowBytes, is_wide, runs};
use flott_plan::{AggregateCall, Schema};
use flott_state::{
    KeyedTable, NO_SLOT, OperatorSnapshot, PrimitiveColumn, RestoredState, SlotColumns, StateColumn,
};
use flott_types::{Error, Result, Timestamp};

use super::history::History;
use super::results::{Results, Widths};
use crate::accumulate::{Aggregates, Keys, Rows};
use crate::support::kernel;

/// The name of the table of rows in frames in snapshots.
const FRAME: &str = "frame";

/// Which rows a result is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    /// ROWS rather than RANGE.
    pub rows: bool,
    /// This many rows or milliseconds before the current one; `None` for all.
    pub preceding: Option<i64>,
    /// Rows of equal time have one result.
    pub peers: bool,
}

/// What is kept of a key.
struct Groups {
    aggregates: Aggregates,
    /// When the key's last row was. For bounded frames.
    last_time: Option<PrimitiveColumn<Int64Type>>,
}

/// The accumulators, and the rows in them where rows leave again.
pub(super) struct Frames {
    frame: Frame,
    widths: Widths,
    /// The input columns that the calls take.
    needed: Vec<usize>,
    table: KeyedTable<Groups>,
    history: Option<History>,
    /// When to look whether a key can be forgotten, with its slot.
    cleanup: BTreeMap<Timestamp, Vec<u32>>,
    slots: Vec<u32>,
    batch: u32,
    seen: Vec<Seen>,
    cursors: Vec<Cursor>,
}

/// What a batch has seen of a key so far.
#[derive(Clone, Copy, Default)]
struct Seen {
    batch: u32,
    group: u32,
    time: Timestamp,
    result: usize,
}

/// How far a batch has come in the frame of a key.
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
    /// With the name of the accumulators' table in snapshots.
    pub fn new(
        name: &str,
        frame: Frame,
        calls: &[AggregateCall],
        input: &Schema,
        keys: &Keys,
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
        let groups = Groups {
            aggregates: Aggregates::new(&moved, bounded, keys)?,
            last_time: bounded.then(|| PrimitiveColumn::new("$last_time", i64::MIN)),
        };
        // A RANGE frame forgets a key by event time, as in Flink.
        let ttl = if frame.rows || !bounded { ttl } else { 0 };
        let field = |(at, column): (usize, &usize)| {
            let known = input.columns.get(*column);
            let known = known.ok_or_else(|| Error::internal(format!("there is no column {column}")))?;
            Ok(arrow_type::field(&format!("value{at}"), &known.ty))
        };
        let fields = needed.iter().enumerate().map(field).collect::<Result<Vec<FieldRef>>>()?;
        Ok(Frames {
            table: KeyedTable::new(name, &keys.fields, keys.partition_columns, keys.max_parallelism, groups)?
                .with_ttl(ttl),
            history: if bounded { Some(History::new(FRAME, keys, &fields, 0)?) } else { None },
            frame,
            widths: Widths { vary, widest: 0, batch_bytes },
            needed,
            cleanup: BTreeMap::new(),
            slots: Vec::new(),
            batch: 0,
            seen: Vec::new(),
            cursors: Vec::new(),
        })
    }

    /// For each row, whether its key is past its time already. Only frames that are bounded know.
    pub fn is_past(&mut self, keys: &[ArrayRef], times: &[Timestamp]) -> Result<Option<Vec<bool>>> {
        if self.frame.preceding.is_none() {
            return Ok(None);
        }
        self.table.lookup(keys, times.len(), &mut self.slots)?;
        let Some(last) = &self.table.values().last_time else { return Ok(None) };
        let past =
            |(slot, time): (&u32, &Timestamp)| *slot != NO_SLOT && *time <= last.values()[*slot as usize];
        Ok(Some(self.slots.iter().zip(times).map(past).collect()))
    }

    /// Whether some result is of any length.
    pub fn vary(&self) -> bool {
        self.widths.vary
    }

    /// Where to cut rows whose results may be too wide together, near the middle and not between rows that share one.
    pub fn cut(&self, columns: &[ArrayRef], times: &[Timestamp]) -> Option<usize> {
        let rows = times.len();
        if !self.widths.vary {
            return None;
        }
        let needed: Vec<ArrayRef> = self.needed.iter().map(|column| columns[*column].clone()).collect();
        let widest = self.widths.widest + RowBytes::new(&needed).of_range(0, rows);
        if widest.saturating_mul(rows) <= self.widths.batch_bytes {
            return None;
        }
        let apart = |at: &usize| !self.frame.peers || times[at - 1] != times[*at];
        let half = rows / 2;
        (1..=half).rev().find(apart).or_else(|| (half + 1..rows).find(apart))
    }

    /// The results of rows in the order of their times. `now` is processing time; `expires` if what has expired
    /// by then is not seen even if it is there.
    pub fn compute(
        &mut self,
        keys: &[ArrayRef],
        columns: &[ArrayRef],
        times: &[Timestamp],
        now: Timestamp,
        expires: bool,
    ) -> Result<Results> {
        if expires && self.table.expires() {
            self.table.lookup(keys, times.len(), &mut self.slots)?;
            let table = &self.table;
            let mut gone = std::mem::take(&mut self.slots);
            gone.retain(|slot| *slot != NO_SLOT && table.is_expired(*slot, now));
            self.remove(gone)?;
        }
        let mut new = Vec::new();
        self.table.intern(keys, times.len(), &mut self.slots, |slot, row| new.push((slot, times[row])))?;
        for (slot, time) in new {
            self.look_again(slot, time);
        }
        self.slots.iter().for_each(|slot| self.table.touch(*slot, now));
        self.table.mark_all(&self.slots);
        self.batch = self.batch.wrapping_add(1).max(1);
        let (rounds, leads) = self.rounds(times);
        let mut columns: Vec<ArrayRef> = self.needed.iter().map(|column| columns[*column].clone()).collect();
        self.note_widths(&columns, times.len());
        let leaving = self.leaving(keys, &columns, times, &rounds)?;
        if let (false, Some(history)) = (leaving.is_empty(), &mut self.history) {
            let entries: Vec<u32> = leaving.iter().map(|leaving| leaving.entry).collect();
            let gone = history.rows_of(&entries)?;
            history.remove(&entries);
            let both =
                columns.iter().zip(&gone).map(|(column, gone)| concat(&[column.as_ref(), gone.as_ref()]));
            columns = both.collect::<Result<_, _>>().map_err(kernel)?;
        }
        let results = self.run(&columns, &rounds, &leads, &leaving)?;
        if let Some(last) = &mut self.table.values_mut().last_time {
            self.slots.iter().zip(times).for_each(|(slot, time)| last.values_mut()[*slot as usize] = *time);
        }
        Ok(results)
    }

    /// Notes what may become a result.
    fn note_widths(&mut self, columns: &[ArrayRef], rows: usize) {
        if self.widths.vary {
            self.widths.widest = self.widths.widest.max(RowBytes::new(columns).widest(rows, 0));
        }
    }

    /// The round of each row, and whether it is the first of its key in it.
    fn rounds(&mut self, times: &[Timestamp]) -> (Vec<u32>, Vec<bool>) {
        self.seen.resize(self.table.slots_end().max(self.seen.len()), Seen::default());
        let (mut rounds, mut leads) = (Vec::with_capacity(times.len()), Vec::with_capacity(times.len()));
        for (slot, time) in self.slots.iter().zip(times) {
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

    /// Puts the rows into the history and finds out which leave, by round.
    fn leaving(
        &mut self,
        keys: &[ArrayRef],
        columns: &[ArrayRef],
        times: &[Timestamp],
        rounds: &[u32],
    ) -> Result<Vec<Leaving>> {
        let (Some(history), Some(preceding)) = (&mut self.history, self.frame.preceding) else {
            return Ok(Vec::new());
        };
        let places = history.put(keys, columns, times)?;
        for key in &places.keys {
            if *key as usize >= self.cursors.len() {
                self.cursors.resize(*key as usize + 1, Cursor::default());
            }
            let cursor = &mut self.cursors[*key as usize];
            if cursor.batch != self.batch {
                *cursor = Cursor { batch: self.batch, rows: history.map().len_of(*key), left: 0 };
            }
            // What remains are the rows that were there before.
            cursor.rows -= 1;
        }
        let most = usize::try_from(preceding).unwrap_or(0).saturating_add(1);
        let mut leaving = Vec::new();
        for (row, key) in places.keys.iter().enumerate() {
            let cursor = &mut self.cursors[*key as usize];
            cursor.rows += 1;
            let oldest = times[row].saturating_sub(preceding);
            while let Some(entry) = history.map().nth(*key, cursor.left) {
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

    /// The results of all rounds.
    fn run(
        &mut self,
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
                slots.push(self.slots[gone.row as usize]);
                retract.push(true);
            }
            while let Some(row) = order.next_if(|row| rounds[*row as usize] == round) {
                let slot = self.slots[row as usize];
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
            if self.widths.vary {
                let widest = shown.iter().map(|slot| aggregates.bytes_of(*slot)).max();
                self.widths.widest = self.widths.widest.max(widest.unwrap_or_default());
            }
            let limit = self.widths.batch_bytes;
            let cut = match self.widths.vary {
                true => runs(shown.len(), limit, |at| aggregates.bytes_of(shown[at])),
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
            self.cleanup.entry(at).or_default().push(slot);
        }
    }

    /// Time has come so far: forgets keys whose frames have long been empty.
    pub fn forget(&mut self, now: Timestamp) -> Result<()> {
        let mut gone = Vec::new();
        while let Some(next) = self.cleanup.first_entry()
            && *next.key() <= now
        {
            for slot in next.remove() {
                let Some(last) = &self.table.values().last_time else { continue };
                let last = last.values()[slot as usize];
                match self.expiry(last) {
                    Some(at) if at > now => self.look_again(slot, last),
                    _ => gone.push(slot),
                }
            }
        }
        self.remove(gone)
    }

    /// Lets go of some keys that have expired and of which `stays` does not say that they are needed. Returns when to call this
    /// again at the latest.
    pub fn expire(
        &mut self,
        now: Timestamp,
        rows: usize,
        stays: impl FnOnce(&[ArrayRef], usize) -> Result<Vec<bool>>,
    ) -> Result<Option<Timestamp>> {
        let mut gone = self.table.sweep(now, rows);
        if !gone.is_empty() {
            let stays = stays(&self.table.keys_of(&gone)?, gone.len())?;
            for (slot, _) in gone.iter().zip(&stays).filter(|(_, stays)| **stays) {
                self.table.touch(*slot, now);
                self.table.mark(*slot);
            }
            let mut stays = stays.into_iter();
            gone.retain(|_| !stays.next().unwrap_or_default());
            self.remove(gone)?;
        }
        Ok(self.table.wake_at())
    }

    /// Removes keys with their rows.
    fn remove(&mut self, slots: Vec<u32>) -> Result<()> {
        if let (false, Some(history)) = (slots.is_empty(), &mut self.history) {
            history.remove_keys(&self.table.keys_of(&slots)?, slots.len())?;
        }
        slots.into_iter().for_each(|slot| self.table.remove(slot));
        Ok(())
    }

    pub fn snapshot(&mut self, full: bool, snapshot: &mut OperatorSnapshot) -> Result<()> {
        snapshot.keyed.extend(self.table.snapshot(full)?);
        if let Some(history) = &mut self.history {
            snapshot.keyed.extend(history.snapshot(full)?);
        }
        Ok(())
    }

    pub fn restore(&mut self, restored: &mut RestoredState) -> Result<()> {
        self.table.restore(restored)?;
        if let Some(history) = &mut self.history {
            history.restore(restored)?;
        }
        let slots: Vec<u32> = self.table.live().collect();
        if self.widths.vary {
            let kept = slots.iter().map(|slot| self.table.values().bytes_of(*slot)).max();
            let widest = self.history.as_ref().map_or(0, History::widest).max(kept.unwrap_or_default());
            self.widths.widest = self.widths.widest.max(widest);
        }
        for slot in slots {
            let last = self.table.values().last_time.as_ref().map(|last| last.values()[slot as usize]);
            last.into_iter().for_each(|last| self.look_again(slot, last));
        }
        Ok(())
    }
}

impl SlotColumns for Groups {
    fn fields(&self) -> Vec<FieldRef> {
        let mut fields = self.last_time.iter().flat_map(|last| last.fields()).collect::<Vec<_>>();
        fields.extend(self.aggregates.fields());
        fields
    }

    fn reset(&mut self, slot: u32) {
        self.last_time.iter_mut().for_each(|last| last.reset(slot));
        self.aggregates.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = match &self.last_time {
            Some(last) => last.read(slots)?,
            None => Vec::new(),
        };
        columns.append(&mut self.aggregates.read(slots)?);
        Ok(columns)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let own = usize::from(self.last_time.is_some());
        let (last, aggregates) =
            columns.split_at_checked(own).ok_or_else(|| Error::internal("too few columns of frames"))?;
        if let Some(column) = &mut self.last_time {
            column.write(slots, last)?;
        }
        self.aggregates.write(slots, aggregates)
    }

    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        self.aggregates.each_state(each)
    }

    fn occupies(&self, slot: u32) -> bool {
        self.aggregates.occupies(slot)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.aggregates.bytes_of(slot)
    }

    fn memory(&self) -> usize {
        self.aggregates.memory() + self.last_time.as_ref().map_or(0, SlotColumns::memory)
    }
}
