//! What a join remembers of one of its inputs.
//!
//! How rows are told apart depends on what the planner knows of them ([`JoinRows`]):
//!
//! | rows | told apart by | an update |
//! |---|---|---|
//! | any | all of their columns, and counted | is a retraction and an insertion |
//! | repeated | the same, but they stay in the batches in which they came | cannot come |
//! | unique | the columns of a unique key, if those of the join do not suffice | takes the place of the old row |
//! | appended | the order in which they arrive: nobody looks for one | cannot come |
//!
//! What does not tell rows apart is neither hashed nor copied ([`KeptRows`]).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use flott_batch::ChangeBatch;
use flott_plan::{JoinRows, Schema};
use flott_state::{
    GroupedRows, KeptRows, KeyIndex, KeyedDelta, PrimitiveColumn, RestoredState, RowColumn, SharedIndex,
    SlotColumns, StateColumn,
};
use flott_types::{Error, Result, Timestamp};

use super::absorb::Latest;
use super::restore::{self, Kept};
use super::values::Values;
use crate::keyed_columns::KeyedColumns;

/// The columns of numbers in snapshots.
pub(super) const COUNT: &str = "$count";
const MATCHES: &str = "$matches";
pub(super) const ARRIVAL: &str = "$arrival";

/// How the side of a join is built.
pub(super) struct SideSpec<'a> {
    /// The table's name in snapshots.
    pub name: &'a str,
    pub input: &'a Schema,
    pub keys: &'a [usize],
    pub null_safe: &'a [bool],
    /// Whether the number of matches of each row is kept.
    pub counts_matches: bool,
    pub ttl: i64,
    pub rows: &'a JoinRows,
}

/// How rows are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layout {
    Counted,
    Unique,
    /// With the number of the next row.
    Appended(i64),
}

/// The rows of an input by the slots of their keys. Both inputs share the keys.
pub(super) struct Side {
    name: String,
    pub(super) columns: KeyedColumns,
    null_safe: Vec<bool>,
    pub(super) layout: Layout,
    /// Of the columns that are not part of the key: which tell rows apart, and which do not.
    pub(super) identity: Vec<usize>,
    pub(super) payload: Vec<usize>,
    pub(super) rows: RowColumn<GroupedRows<Values>>,
    /// By entry: what the current batch has made of it.
    pub(super) latest: Latest,
}

impl Side {
    pub fn new(spec: &SideSpec<'_>) -> Result<Self> {
        // Equal rows that are counted live as long as the last of them; told apart, each would live alone.
        let appended = *spec.rows == JoinRows::Appended && spec.ttl <= 0;
        let arrival: FieldRef = Arc::new(Field::new(ARRIVAL, DataType::Int64, true));
        let extra = if appended { vec![arrival] } else { Vec::new() };
        let columns = KeyedColumns::new(spec.input, spec.keys, &extra)?;
        let (keys, fields) = columns.fields();
        let width = fields.len() - extra.len();
        let (layout, identity): (Layout, Vec<usize>) = match spec.rows {
            JoinRows::Unique(unique) => {
                let mut identity: Vec<usize> = unique.iter().filter_map(|at| columns.place(*at)).collect();
                identity.sort_unstable();
                identity.dedup();
                (Layout::Unique, identity)
            }
            JoinRows::Appended if appended => (Layout::Appended(0), Vec::new()),
            JoinRows::Any | JoinRows::Repeated | JoinRows::Appended => {
                (Layout::Counted, (0..width).collect())
            }
        };
        let payload: Vec<usize> = (0..width).filter(|at| !identity.contains(at)).collect();
        let of = |places: &[usize]| places.iter().map(|at| fields[*at].clone()).collect::<Vec<_>>();
        let values = Values {
            count: (layout == Layout::Counted).then(|| PrimitiveColumn::new(COUNT, 0)),
            matches: spec.counts_matches.then(|| PrimitiveColumn::new(MATCHES, 0)),
            rest: KeptRows::new(of(&payload)),
        };
        let rows = match layout {
            Layout::Appended(_) => GroupedRows::all_different(&fields[width..], None, values)?,
            // Nobody takes one away, and equal ones are rare.
            Layout::Counted if spec.rows.only_appends() => GroupedRows::kept(&of(&identity), values)?,
            Layout::Counted | Layout::Unique => GroupedRows::new(&of(&identity), None, values)?,
        };
        let rows = RowColumn::new(spec.name, rows).with_ttl_beside(spec.ttl, keys);
        Ok(Side {
            name: spec.name.to_owned(),
            null_safe: spec.null_safe.to_vec(),
            layout,
            identity,
            payload,
            rows,
            latest: Latest::default(),
            columns,
        })
    }

    /// The key's columns, under this input's names.
    pub fn key_fields(&self) -> &[FieldRef] {
        self.columns.fields().0
    }

    /// Whether rows are forgotten when they are not used for long.
    #[inline]
    pub fn expires(&self) -> bool {
        self.rows.ttl().is_some()
    }

    /// Whether it has, or had at the last snapshot, rows with a key.
    pub fn occupied(&self, key: u32) -> bool {
        self.rows.occupied(key)
    }

    pub fn restore(&mut self, index: &mut SharedIndex, restored: &mut RestoredState) -> Result<()> {
        let Side { name, columns, rows, layout, identity, .. } = self;
        let (keys, fields) = columns.fields();
        // What was restored before may have left memory.
        let (mut number, before) = (0, rows.len());
        if let Some(stored) = restored.keyed.remove(name) {
            let kept =
                Kept { layout: *layout, keys, identity: identity.iter().map(|at| &fields[*at]).collect() };
            let adapted = restore::adapted(stored, &kept)
                .map_err(|error| error.context(format_args!("restored state '{name}'")))?;
            number = adapted.iter().map(RecordBatch::num_rows).sum();
            restored.keyed.insert(name.clone(), adapted);
        }
        index.restore_as(keys, rows, restored)?;
        if rows.len() - before < number {
            return Err(restore::not_unique().context(format_args!("restored state '{name}'")));
        }
        if let Layout::Appended(next) = layout {
            let entries: Vec<u32> = rows.live().collect();
            for run in entries.chunks(1 << 16) {
                let numbers = rows.rows_of(run)?;
                let numbers = numbers.iter().flat_map(|column| column.as_primitive::<Int64Type>().values());
                *next = numbers.copied().map(|number| number + 1).fold(*next, i64::max);
            }
        }
        Ok(())
    }

    /// The names of the keys in snapshots, and the state.
    pub fn state(&mut self) -> (&[FieldRef], &mut dyn StateColumn) {
        (self.columns.fields().0, &mut self.rows)
    }

    /// Removes the expired rows of a key.
    pub fn remove_expired(&mut self, key: u32, now: Timestamp, freed: &mut Vec<u32>) {
        let expired: Vec<u32> =
            self.rows.entries_of(key).filter(|entry| self.rows.is_expired(*entry, now)).collect();
        expired.into_iter().for_each(|entry| self.remove(entry, freed));
    }

    pub fn snapshot(
        &mut self,
        index: &mut SharedIndex,
        full: bool,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let Side { columns, rows, .. } = self;
        index.snapshot_as(columns.fields().0, rows, full, into)
    }

    /// Removes some of the expired rows; `number` is how many rows have arrived. Returns the latest time to
    /// call this again.
    pub fn expire(
        &mut self,
        now: Timestamp,
        number: usize,
        freed: &mut Vec<u32>,
    ) -> Result<Option<Timestamp>> {
        self.rows.tidy(now, number, freed);
        self.tidy()?;
        Ok(self.rows.wake_at())
    }

    /// Frees some of the memory of rows that are gone.
    pub fn tidy(&mut self) -> Result<()> {
        self.rows.tidy_rows()?;
        self.rows.values_mut().rest.tidy()
    }

    pub fn key_columns(&self, batch: &ChangeBatch) -> Vec<ArrayRef> {
        self.columns.keys(batch.columns().columns())
    }

    /// The rows that can match at all: those without NULL in a key that is compared with `=`. `None` means
    /// all of them.
    pub fn joinable(&self, keys: &[ArrayRef]) -> Option<BooleanBuffer> {
        let plain = keys.iter().zip(&self.null_safe).filter(|(_, null_safe)| !**null_safe);
        let nulls = plain.fold(None, |nulls, (key, _)| union(nulls, key.as_ref()));
        nulls.filter(|nulls| nulls.null_count() > 0).map(|nulls| nulls.inner().clone())
    }

    /// How many entries a key has.
    #[inline]
    pub fn len_of(&self, key: u32) -> usize {
        self.rows.len_of(key)
    }

    #[inline]
    pub fn nth(&self, key: u32, position: usize, now: Timestamp) -> Option<u32> {
        let entry = self.rows.nth(key, position)?;
        (!self.rows.is_expired(entry, now) && self.count(entry) > 0).then_some(entry)
    }

    #[inline]
    pub fn count(&self, entry: u32) -> i64 {
        self.rows.values().count.as_ref().map_or(1, |count| count.values()[entry as usize])
    }

    /// How many matches a row has, if that is kept.
    pub fn matches(&self, entry: u32) -> i64 {
        self.rows.values().matches.as_ref().map_or(0, |matches| matches.values()[entry as usize])
    }

    /// All rows.
    pub fn live(&self) -> Vec<u32> {
        self.rows.live().collect()
    }

    /// Removes a row.
    pub fn remove(&mut self, entry: u32, freed: &mut Vec<u32>) {
        if self.rows.is_live(entry) {
            freed.extend(self.rows.remove(entry));
        }
    }

    /// The size of a row in bytes, not counting fixed-width columns.
    pub fn bytes_of(&self, index: &SharedIndex, entry: u32) -> usize {
        index.bytes_of(self.rows.key_of(entry)) + self.rows.row_bytes(entry)
    }

    /// Sets how many matches a row has.
    pub fn set_matches(&mut self, entry: u32, number: i64) {
        if let Some(matches) = &mut self.rows.values_mut().matches {
            let old = std::mem::replace(&mut matches.values_mut()[entry as usize], number);
            if old != number {
                self.rows.mark(entry);
            }
        }
    }

    /// Adds or removes one match; returns the number before and after.
    #[inline]
    pub fn add_match(&mut self, entry: u32, delta: i64, now: Timestamp) -> (i64, i64) {
        if self.rows.values().matches.is_none() {
            return (0, 0);
        }
        self.rows.touch(entry, now);
        let Some(matches) = &mut self.rows.values_mut().matches else { return (0, 0) };
        let number = &mut matches.values_mut()[entry as usize];
        let before = *number;
        *number = (before + delta).max(0);
        let after = *number;
        self.rows.mark(entry);
        (before, after)
    }

    /// The rows of entries, as they arrived.
    pub fn rows_of(&self, keys: &KeyIndex, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut rest: Vec<ArrayRef> = Vec::with_capacity(self.identity.len() + self.payload.len());
        let identity = if self.identity.is_empty() { Vec::new() } else { self.rows.rows_of(entries)? };
        let payload =
            if self.payload.is_empty() { Vec::new() } else { self.rows.values().rest.read(entries)? };
        let (mut identity, mut payload) = (identity.into_iter(), payload.into_iter());
        for at in 0..self.identity.len() + self.payload.len() {
            let of = if self.identity.contains(&at) { identity.next() } else { payload.next() };
            rest.extend(of);
        }
        let slots = || entries.iter().map(|entry| self.rows.key_of(*entry)).collect::<Vec<_>>();
        self.columns.reassemble(rest, || keys.keys_of(&slots()))
    }

    /// Whether reading some columns costs less than reading all.
    pub fn reads_columns(&self) -> bool {
        self.identity.is_empty() || self.rows.reads_columns()
    }

    /// Some columns of the rows of entries.
    pub fn columns_of(&self, keys: &KeyIndex, entries: &[u32], columns: &[usize]) -> Result<Vec<ArrayRef>> {
        let places: Vec<Option<usize>> = columns.iter().map(|column| self.columns.place(*column)).collect();
        let among = |of: &[usize]| {
            let places = places.iter().flatten().filter_map(|place| of.iter().position(|own| own == place));
            places.collect::<Vec<usize>>()
        };
        let (identity, payload) = (among(&self.identity), among(&self.payload));
        let mut identity = match identity.is_empty() {
            true => Vec::new(),
            false => self.rows.columns_of(entries, &identity)?,
        }
        .into_iter();
        let mut payload = match payload.is_empty() {
            true => Vec::new(),
            false => self.rows.values().rest.read_columns(entries, &payload)?,
        }
        .into_iter();
        let of_key = match places.iter().any(Option::is_none) {
            true => {
                keys.keys_of(&entries.iter().map(|entry| self.rows.key_of(*entry)).collect::<Vec<_>>())?
            }
            false => Vec::new(),
        };
        let column = |(column, place): (&usize, &Option<usize>)| {
            let found = match place {
                None => self.columns.key_place(*column).and_then(|at| of_key.get(at).cloned()),
                Some(place) if self.identity.contains(place) => identity.next(),
                Some(_) => payload.next(),
            };
            found.ok_or_else(|| Error::internal(format!("a join's side has no column {column}")))
        };
        columns.iter().zip(&places).map(column).collect()
    }

    /// A column of the numbers of rows that arrive; they are the next ones.
    pub(super) fn numbers(next: &mut i64, rows: usize) -> ArrayRef {
        let first = *next;
        *next += rows as i64;
        Arc::new(Int64Array::from_iter_values(first..*next))
    }
}

/// Includes NULLs in fields of a ROW, because `=` compares field by field.
fn union(nulls: Option<NullBuffer>, key: &dyn Array) -> Option<NullBuffer> {
    let nulls = NullBuffer::union(nulls.as_ref(), key.logical_nulls().as_ref());
    match key.as_struct_opt() {
        Some(row) => row.columns().iter().fold(nulls, |nulls, field| union(nulls, field.as_ref())),
        None => nulls,
    }
}
