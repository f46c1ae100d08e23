//! What an operator hands over at a checkpoint, and what it gets on restore.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Schema;
use flott_types::{Error, FastMap, Result};
use parking_lot::Mutex;

use crate::rows::KEYS;
use crate::spill::SpilledSnapshot;

/// The entries of a keyed table that changed since the last checkpoint (or all of them).
#[derive(Clone, Debug)]
pub struct KeyedDelta {
    /// The table's name within the operator, derived from its meaning.
    pub name: String,
    /// Key columns, then value columns, under their real names. No two rows have the same key. The values of
    /// deleted rows are NULL.
    pub rows: RecordBatch,
    /// How many columns form the key.
    pub key_columns: usize,
    /// How many of the key columns decide the key group (a prefix; the rest is namespace, such as a window's
    /// end).
    pub partition_columns: usize,
    /// The key group of each row.
    pub key_groups: Vec<u16>,
    /// Which rows were deleted; `None` when none.
    pub deleted: Option<BooleanBuffer>,
    /// Whether these are all entries of the table, so that older files no longer count.
    pub full: bool,
}

/// How the entries of operator state are distributed over subtasks on restore.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Redistribution {
    /// Each entry to one subtask.
    Split,
    /// Every entry to every subtask.
    Union,
}

/// State that belongs to a subtask rather than a key: split positions, committables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListState {
    /// The state's name within the operator.
    pub name: String,
    /// How it is distributed.
    pub redistribution: Redistribution,
    /// The entries, in the owner's own format, which carries a version.
    pub entries: Vec<String>,
}

/// All state that an operator hands over at a checkpoint.
#[derive(Clone, Default, Debug)]
pub struct OperatorSnapshot {
    /// Keyed tables. A table without changes may be left out; one with many may come in several parts, no two
    /// of which share a key. Only the first part of a full table is marked as full.
    pub keyed: Vec<KeyedDelta>,
    /// Rows of keyed tables that are not in memory. They share no key with the deltas.
    pub spilled: Vec<SpilledSnapshot>,
    /// Operator state, complete each time.
    pub lists: Vec<ListState>,
}

/// What an operator gets back: the live rows of its key groups, and its share of the operator state.
#[derive(Clone, Default, Debug)]
pub struct RestoredState {
    /// Whether the job starts from a snapshot that contains the operator.
    pub found: bool,
    /// Whether it had finished by then: it emits nothing more unless rows arrive again.
    pub finished: bool,
    /// The rows of each table (key columns, then value columns), in any number of batches. Keys do not
    /// repeat.
    pub keyed: FastMap<String, Vec<RecordBatch>>,
    /// The entries of each operator state.
    pub lists: FastMap<String, Vec<String>>,
    /// What follows, if the operator restores keyed state in parts.
    pub rest: Rest,
}

/// Keyed state that is not read yet, part by part; parts share no key.
#[derive(Clone, Default)]
pub struct Rest(Option<Arc<Mutex<NextPart>>>);

/// Reads the next part.
pub type NextPart = dyn FnMut() -> Result<Option<RestoredState>> + Send;

impl Rest {
    /// Parts that come one by one.
    pub fn new(next: impl FnMut() -> Result<Option<RestoredState>> + Send + 'static) -> Self {
        Rest(Some(Arc::new(Mutex::new(next))))
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Rest(..)" } else { "Rest" })
    }
}

impl OperatorSnapshot {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.keyed.is_empty() && self.spilled.is_empty() && self.lists.is_empty()
    }
}

impl RestoredState {
    /// Rows of a table, the first `keys` columns of which tell them apart.
    ///
    /// # Errors
    /// Only through a defect.
    pub fn told_apart_by(rows: RecordBatch, keys: usize) -> Result<RecordBatch> {
        let metadata = [(KEYS.to_owned(), keys.to_string())].into();
        let schema = Schema::clone(rows.schema_ref()).with_metadata(metadata);
        rows.with_schema(Arc::new(schema)).map_err(|e| Error::internal("rows of state").with_source(e))
    }

    /// How many columns tell the rows of a table apart, if its snapshot says so.
    pub fn number_of_keys(rows: &RecordBatch) -> Option<usize> {
        rows.schema_ref().metadata().get(KEYS)?.parse().ok()
    }

    /// Replaces the keyed state by the next part of it. Returns whether there is one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn next_part(&mut self) -> Result<bool> {
        let Some(rest) = &self.rest.0 else { return Ok(false) };
        let part = (rest.lock())()?;
        self.keyed = FastMap::default();
        let more = part.is_some();
        part.into_iter().for_each(|part| self.keyed = part.keyed);
        Ok(more)
    }

    /// Takes the rows of a table.
    pub fn take_keyed(&mut self, name: &str) -> Vec<RecordBatch> {
        self.keyed.remove(name).unwrap_or_default()
    }

    /// Takes the entries of an operator state.
    pub fn take_list(&mut self, name: &str) -> Vec<String> {
        self.lists.remove(name).unwrap_or_default()
    }
}
