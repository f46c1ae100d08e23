//! Rows by slot in the batches in which they came.
//!
//! A row that an operator stores and perhaps never reads again is not encoded and not copied: its slot refers to
//! a row of a batch, and the batch stays in memory for as long as one of its rows is needed. Reading gathers
//! rows from batches, column by column; rows of one batch in their order are the batch itself.
//!
//! Cost of a row that is stored: 12 bytes and a few writes. Batches of only some rows are merged, so that a row
//! of a slow stream is copied some eight times in its life, and no batch is held for the sake of few rows: when
//! more than half of what is held is no longer needed, what is left is copied together.

use std::cell::RefCell;

use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::{interleave, take};
use arrow::datatypes::FieldRef;
use flott_batch::bytes::{BATCH_BYTES, RowBytes, runs};
use flott_types::{Error, Result};

use super::SlotColumns;
use super::same::same;
use crate::NO_SLOT;

/// Batches of fewer rows than this, and of fewer bytes, are merged.
const SMALL: usize = 256;
const SMALL_BYTES: usize = 1 << 20;
/// With fewer rows than this that are no longer needed, nothing is copied.
const WORTH_COMPACTING: usize = 4096;
/// How many rows are copied at a time, and among how many batches those that are worth it are searched.
const COPIED: usize = 16 << 10;
const SEARCHED: usize = 4096;
/// Memory that a batch may hold beyond what its rows have, in bytes, before it is copied.
const SLACK: usize = 64 << 10;

/// Columns of any type by slot, NULL until they are set. See the module's header.
#[derive(Debug)]
pub struct KeptRows {
    fields: Vec<FieldRef>,
    /// One row of NULLs.
    nothing: Vec<ArrayRef>,
    batches: Vec<Kept>,
    /// Numbers of batches that are free.
    free: Vec<u32>,
    /// The batches of few rows, the largest first: each has more than twice the rows of the next.
    small: Vec<u32>,
    /// By slot.
    places: Vec<Place>,
    /// How many rows are needed, and how many are held.
    live: usize,
    held: usize,
    /// The bytes of memory of all batches.
    memory: usize,
    /// The batch at which the search for those that are worth copying goes on.
    next: u32,
    /// The batch whose rows are being claimed one by one.
    offered: Option<u32>,
    picks: RefCell<Picks>,
}

/// A batch that is held.
#[derive(Default, Debug)]
struct Kept {
    columns: Vec<ArrayRef>,
    bytes: RowBytes,
    /// By row: whose it is, or [`NO_SLOT`].
    slots: Vec<u32>,
    live: usize,
    is_small: bool,
    /// The bytes of memory that it holds.
    memory: usize,
}

/// Where the row of a slot is.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// [`NO_SLOT`] if there is none.
    batch: u32,
    row: u32,
}

const NOWHERE: Place = Place { batch: NO_SLOT, row: 0 };

/// The batches from which a read gathers, numbered in the order in which it meets them.
#[derive(Default, Debug)]
struct Picks {
    read: u32,
    /// By batch: the last read that met it, and its number there.
    met: Vec<(u32, u32)>,
}

impl KeptRows {
    /// Rows of these columns.
    pub fn new(fields: Vec<FieldRef>) -> Self {
        KeptRows {
            nothing: fields.iter().map(|field| new_null_array(field.data_type(), 1)).collect(),
            fields,
            batches: Vec::new(),
            free: Vec::new(),
            small: Vec::new(),
            places: Vec::new(),
            live: 0,
            held: 0,
            memory: 0,
            next: 0,
            offered: None,
            picks: RefCell::default(),
        }
    }

    /// Sets slots to rows of a batch: `slots[i]` to row `rows[i]`. Of a slot that occurs several times the last
    /// row counts.
    ///
    /// # Errors
    /// If the columns are not of the given types.
    pub fn set_rows(&mut self, slots: &[u32], columns: &[ArrayRef], rows: &[u32]) -> Result<()> {
        if self.fields.is_empty() {
            return Ok(());
        }
        let all = columns.first().map_or(0, |column| column.len());
        if rows.len() * 2 < all {
            return self.write(slots, &taken(columns, rows)?);
        }
        let mut owners = vec![NO_SLOT; all];
        for (slot, row) in slots.iter().zip(rows) {
            let owner = owners
                .get_mut(*row as usize)
                .ok_or_else(|| Error::internal("a row of state is not in its batch"))?;
            *owner = *slot;
        }
        self.keep(columns, owners)
    }

    /// Holds a batch whose rows slots may [claim](KeptRows::claim) one by one, until it is
    /// [settled](KeptRows::settle) what is kept of it.
    ///
    /// # Errors
    /// If the columns are not of the given types.
    pub(crate) fn offer(&mut self, columns: &[ArrayRef], rows: usize) -> Result<()> {
        self.settle()?;
        self.check(columns, rows)?;
        if rows > 0 {
            let columns = compacted(columns, rows)?;
            self.offered = Some(self.place(columns, vec![NO_SLOT; rows]));
        }
        Ok(())
    }

    /// A row of the batch that was offered last becomes that of a slot.
    #[inline]
    pub(crate) fn claim(&mut self, slot: u32, row: usize) {
        if let Some(batch) = self.offered {
            self.own(slot, Place { batch, row: row as u32 });
        }
    }

    /// Lets go of the rows of the batch that nobody claimed, if they are many.
    ///
    /// # Errors
    /// Only if memory is exhausted.
    pub(crate) fn settle(&mut self) -> Result<()> {
        let Some(number) = self.offered.take() else { return Ok(()) };
        let Some(batch) = self.batches.get(number as usize) else { return Ok(()) };
        let (rows, live) = (batch.slots.len(), batch.live);
        let most = COPIED + 4 * rows;
        if live == 0 {
            self.let_go(number);
        } else if live * 2 < rows {
            self.copy(&[number])?;
        } else if batch.is_small {
            self.small.push(number);
        }
        self.merge()?;
        self.compact(most)
    }

    /// Whether the row of a slot is equal to a row of these columns; NULL equals NULL. Only for columns whose values
    /// can be [compared](super::same::comparable).
    pub(crate) fn equals(&self, slot: u32, columns: &[ArrayRef], row: usize) -> bool {
        let place = self.places.get(slot as usize).copied().unwrap_or(NOWHERE);
        let Some(batch) = self.batches.get(place.batch as usize) else { return false };
        let at = place.row as usize;
        batch.columns.iter().zip(columns).all(|(own, other)| same(own.as_ref(), at, other.as_ref(), row))
    }

    /// Takes a batch; `owners` are the slots of its rows.
    fn keep(&mut self, columns: &[ArrayRef], owners: Vec<u32>) -> Result<()> {
        self.check(columns, owners.len())?;
        if self.fields.is_empty() || owners.is_empty() {
            return Ok(());
        }
        // As much more as comes, so that what is not needed cannot get ahead.
        let most = COPIED + 4 * owners.len();
        self.hold(compacted(columns, owners.len())?, owners);
        self.merge()?;
        self.compact(most)
    }

    /// Frees some of the memory of rows that are no longer needed: call this from time to time, also when none are
    /// set. A call copies no more than some thousand rows and their batches.
    ///
    /// # Errors
    /// Only if memory is exhausted.
    pub fn tidy(&mut self) -> Result<()> {
        self.compact(COPIED)
    }

    /// How many rows are held that are no longer needed.
    pub fn unneeded(&self) -> usize {
        self.held - self.live
    }

    /// Some columns of the rows of slots.
    ///
    /// # Errors
    /// As [`SlotColumns::read`].
    pub fn read_columns(&self, slots: &[u32], columns: &[usize]) -> Result<Vec<ArrayRef>> {
        let mut picks = self.picks.borrow_mut();
        let Picks { read, met } = &mut *picks;
        if *read == u32::MAX {
            met.clear();
        }
        *read = read.wrapping_add(1).max(1);
        met.resize(self.batches.len().max(met.len()), (0, 0));
        let mut sources: Vec<&[ArrayRef]> = Vec::new();
        let mut nothing = None;
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(slots.len());
        for slot in slots {
            let place = self.places.get(*slot as usize).copied().unwrap_or(NOWHERE);
            let Some(batch) = self.batches.get(place.batch as usize) else {
                let number = *nothing.get_or_insert_with(|| {
                    sources.push(&self.nothing);
                    sources.len() - 1
                });
                places.push((number, 0));
                continue;
            };
            let (last, number) = &mut met[place.batch as usize];
            if *last != *read {
                (*last, *number) = (*read, sources.len() as u32);
                sources.push(&batch.columns);
            }
            places.push((*number as usize, place.row as usize));
        }
        if let [only] = sources.as_slice() {
            let whole = only.first().is_none_or(|column| column.len() == places.len())
                && places.iter().enumerate().all(|(at, (_, row))| at == *row);
            let some: Vec<ArrayRef> = columns.iter().map(|at| only[*at].clone()).collect();
            if whole {
                return Ok(some);
            }
            let rows: Vec<u32> = places.iter().map(|(_, row)| *row as u32).collect();
            return taken(&some, &rows);
        }
        let column = |at: &usize| {
            if sources.is_empty() {
                return Ok(arrow::array::new_empty_array(self.fields[*at].data_type()));
            }
            let arrays: Vec<&dyn Array> = sources.iter().map(|source| source[*at].as_ref()).collect();
            interleave(&arrays, &places).map_err(gathered)
        };
        columns.iter().map(column).collect()
    }

    fn check(&self, columns: &[ArrayRef], rows: usize) -> Result<()> {
        let fits = |(field, column): (&FieldRef, &ArrayRef)| {
            column.len() == rows && column.data_type().equals_datatype(field.data_type())
        };
        if columns.len() != self.fields.len() || !self.fields.iter().zip(columns).all(fits) {
            return Err(Error::internal(format!(
                "{} columns of {rows} rows of state were expected, of the types that it has",
                self.fields.len()
            )));
        }
        Ok(())
    }

    /// Holds a batch. Its rows become those of their slots.
    fn hold(&mut self, columns: Vec<ArrayRef>, slots: Vec<u32>) {
        let number = self.place(columns, slots);
        for row in 0..self.batches[number as usize].slots.len() {
            let slot = self.batches[number as usize].slots[row];
            if slot != NO_SLOT {
                self.own(slot, Place { batch: number, row: row as u32 });
            }
        }
        let Kept { live, is_small, .. } = self.batches[number as usize];
        if live == 0 {
            self.let_go(number);
        } else if is_small {
            self.small.push(number);
        }
    }

    /// Gives a batch a number. Its rows are nobody's yet.
    fn place(&mut self, columns: Vec<ArrayRef>, slots: Vec<u32>) -> u32 {
        let number = self.free.pop().unwrap_or(self.batches.len() as u32);
        let bytes = RowBytes::new(&columns);
        let is_small = slots.len() < SMALL && bytes.of_range(0, slots.len()) < SMALL_BYTES;
        let columns_memory: usize = columns.iter().map(|column| column.get_array_memory_size()).sum();
        let memory = columns_memory + slots.capacity() * size_of::<u32>() + size_of::<Kept>();
        let kept = Kept { columns, bytes, live: 0, slots: Vec::new(), is_small, memory };
        match self.batches.get_mut(number as usize) {
            Some(free) => *free = kept,
            None => self.batches.push(kept),
        }
        self.held += slots.len();
        self.memory += memory;
        self.batches[number as usize].slots = slots;
        number
    }

    /// The row at a place becomes that of a slot.
    fn own(&mut self, slot: u32, place: Place) {
        if slot as usize >= self.places.len() {
            self.places.resize(slot as usize + 1, NOWHERE);
        }
        let old = std::mem::replace(&mut self.places[slot as usize], place);
        let batch = &mut self.batches[place.batch as usize];
        batch.slots[place.row as usize] = slot;
        batch.live += 1;
        self.live += 1;
        // May be a row of the same batch.
        self.leave(old);
    }

    /// The row at a place is no longer needed.
    fn leave(&mut self, place: Place) {
        let Some(batch) = self.batches.get_mut(place.batch as usize) else { return };
        batch.slots[place.row as usize] = NO_SLOT;
        batch.live -= 1;
        self.live -= 1;
        if batch.live == 0 {
            self.let_go(place.batch);
        }
    }

    /// Frees a batch of which no row is needed.
    fn let_go(&mut self, number: u32) {
        if self.offered == Some(number) {
            return;
        }
        let batch = &mut self.batches[number as usize];
        self.held -= batch.slots.len();
        self.memory -= batch.memory;
        if batch.is_small {
            self.small.retain(|small| *small != number);
        }
        *batch = Kept::default();
        self.free.push(number);
    }

    /// Merges batches of few rows with those that are not much larger.
    fn merge(&mut self) -> Result<()> {
        while let [.., larger, smaller] = *self.small.as_slice() {
            let rows = |number: u32| self.batches[number as usize].slots.len();
            if rows(larger) > 2 * rows(smaller) {
                break;
            }
            self.copy(&[larger, smaller])?;
        }
        Ok(())
    }

    /// Copies what is left of batches of which little is left, about as many rows as `most`.
    fn compact(&mut self, most: usize) -> Result<()> {
        if self.unneeded() <= self.live + WORTH_COMPACTING {
            return Ok(());
        }
        let (mut sparse, mut rows) = (Vec::new(), 0);
        for _ in 0..self.batches.len().min(SEARCHED) {
            if rows >= most {
                break;
            }
            let number = if (self.next as usize) < self.batches.len() { self.next } else { 0 };
            self.next = number + 1;
            let batch = &self.batches[number as usize];
            if batch.live > 0 && batch.live * 2 <= batch.slots.len() {
                rows += batch.live;
                sparse.push(number);
            }
        }
        let bytes = |at: usize| {
            let batch = &self.batches[sparse[at] as usize];
            batch.bytes.of_range(0, batch.slots.len())
        };
        // Together they may have twice as many bytes as what is left of them.
        let parts = runs(sparse.len(), 2 * BATCH_BYTES, bytes);
        parts.into_iter().try_for_each(|part| self.copy(&sparse[part]))
    }

    /// Copies the rows of batches into one, and frees the batches.
    fn copy(&mut self, numbers: &[u32]) -> Result<()> {
        let owned = |number: &u32| {
            let slots = self.batches[*number as usize].slots.iter().copied();
            slots.filter(|slot| *slot != NO_SLOT).collect::<Vec<_>>()
        };
        let slots: Vec<u32> = numbers.iter().flat_map(owned).collect();
        let columns = self.read(&slots)?;
        // Their rows leave them one by one, and the last one frees them.
        self.hold(columns, slots);
        Ok(())
    }
}

/// These rows of a batch.
fn taken(columns: &[ArrayRef], rows: &[u32]) -> Result<Vec<ArrayRef>> {
    let rows = UInt32Array::from(rows.to_vec());
    columns.iter().map(|column| take(column, &rows, None).map_err(gathered)).collect()
}

/// The columns, without memory of larger ones that they are cut from.
fn compacted(columns: &[ArrayRef], rows: usize) -> Result<Vec<ArrayRef>> {
    let held: usize = columns.iter().map(|column| column.get_array_memory_size()).sum();
    if held <= SLACK + 4 * RowBytes::new(columns).of_range(0, rows) {
        return Ok(columns.to_vec());
    }
    let all: Vec<u32> = (0..rows as u32).collect();
    taken(columns, &all)
}

fn gathered(error: arrow::error::ArrowError) -> Error {
    Error::internal("rows of state cannot be gathered").with_source(error)
}

impl SlotColumns for KeptRows {
    fn fields(&self) -> Vec<FieldRef> {
        self.fields.clone()
    }

    fn reset(&mut self, slot: u32) {
        if let Some(place) = self.places.get_mut(slot as usize) {
            let old = std::mem::replace(place, NOWHERE);
            self.leave(old);
        }
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let all: Vec<usize> = (0..self.fields.len()).collect();
        self.read_columns(slots, &all)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.keep(columns, slots.to_vec())
    }

    #[inline]
    fn bytes_of(&self, slot: u32) -> usize {
        let Some(place) = self.places.get(slot as usize) else { return 0 };
        self.batches.get(place.batch as usize).map_or(0, |batch| batch.bytes.of(place.row as usize))
    }

    fn memory(&self) -> usize {
        self.memory + self.places.capacity() * size_of::<Place>()
    }
}
