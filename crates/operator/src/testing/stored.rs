//! A model of a snapshot store.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use flott_batch::hash::hash_columns;
use flott_state::{KeyedDelta, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{Error, KeyGroup, Result};

use crate::TaskInfo;

/// What a store contains after some checkpoints of one operator: the live rows of its tables, and the entries
/// of its lists.
#[derive(Clone, Default, Debug)]
pub struct Stored {
    tables: BTreeMap<String, Table>,
    /// By table, how many of its columns tell rows apart.
    key_columns: BTreeMap<String, usize>,
    lists: BTreeMap<String, List>,
    /// Tables whose rows do not follow the key of a stream.
    spread: BTreeSet<String>,
    /// Whether something was stored.
    found: bool,
}

/// By key, as comparable bytes.
type Table = BTreeMap<Vec<u8>, (KeyGroup, RecordBatch)>;

#[derive(Clone, Debug)]
struct List {
    redistribution: Redistribution,
    /// By subtask.
    entries: BTreeMap<u32, Vec<String>>,
}

fn broken(what: impl Into<String>) -> Error {
    Error::internal(what)
}

fn arrow(error: ArrowError) -> Error {
    Error::internal("rows of a snapshot").with_source(error)
}

impl Stored {
    /// Declares that the rows of this table do not follow the key of a stream: the operator distributes them
    /// over its key groups as it likes.
    pub fn spread(&mut self, table: &str) {
        self.spread.insert(table.to_owned());
    }

    /// Adds what a subtask hands over; returns how many rows of tables that was, including deletions.
    ///
    /// # Errors
    /// If the snapshot breaks a rule that a store relies on.
    pub fn apply(&mut self, info: &TaskInfo, snapshot: OperatorSnapshot) -> Result<usize> {
        self.found = true;
        for list in self.lists.values_mut() {
            // Lists are complete each time.
            list.entries.retain(|subtask, _| *subtask != info.subtask.0 && *subtask < info.parallelism);
        }
        for list in snapshot.lists {
            let known = self
                .lists
                .entry(list.name)
                .or_insert_with(|| List { redistribution: list.redistribution, entries: BTreeMap::new() });
            known.entries.insert(info.subtask.0, list.entries);
        }
        let mut rows = 0;
        for delta in &snapshot.keyed {
            rows += delta.rows.num_rows();
            self.apply_delta(info, delta)?;
        }
        for spilled in &snapshot.spilled {
            for table in spilled.tables() {
                let mut parts = spilled.parts(table)?;
                while let Some(delta) = parts.next()? {
                    rows += delta.rows.num_rows();
                    self.apply_delta(info, &delta)?;
                }
            }
        }
        Ok(rows)
    }

    fn apply_delta(&mut self, info: &TaskInfo, delta: &KeyedDelta) -> Result<()> {
        let KeyedDelta { name, rows, key_groups, .. } = delta;
        let table = self.tables.entry(name.clone()).or_default();
        self.key_columns.insert(name.clone(), delta.key_columns);
        if delta.full {
            table.retain(|_, (group, _)| !info.key_groups.contains(*group));
        }
        if key_groups.len() != rows.num_rows() {
            return Err(broken(format!(
                "{} rows of {name} have {} key groups",
                rows.num_rows(),
                key_groups.len()
            )));
        }
        let keys = rows.columns().get(..delta.key_columns).unwrap_or_default();
        let partition = keys.get(..delta.partition_columns).unwrap_or_default();
        let mut hashes = Vec::new();
        hash_columns(partition, rows.num_rows(), &mut hashes);
        let fields = keys.iter().map(|key| SortField::new(key.data_type().clone())).collect();
        let converter = RowConverter::new(fields).map_err(arrow)?;
        let encoded =
            if keys.is_empty() { None } else { Some(converter.convert_columns(keys).map_err(arrow)?) };
        let mut seen = BTreeSet::new();
        for (row, (hash, told)) in hashes.iter().zip(key_groups).enumerate() {
            let group = match self.spread.contains(name) {
                true => KeyGroup(*told),
                false => KeyGroup::of_hash(*hash, info.max_parallelism),
            };
            if group.0 != *told {
                return Err(broken(format!("a key of {name} is of key group {}, not {told}", group.0)));
            }
            if !info.key_groups.contains(group) {
                return Err(broken(format!("a key of {name} is another subtask's")));
            }
            let key = encoded.as_ref().map(|rows| rows.row(row).as_ref().to_vec()).unwrap_or_default();
            if !seen.insert(key.clone()) {
                return Err(broken(format!("a key is twice in a snapshot of {name}")));
            }
            if delta.deleted.as_ref().is_some_and(|deleted| deleted.value(row)) {
                if table.remove(&key).is_none() {
                    return Err(broken(format!("what was not there was deleted from {name}")));
                }
            } else {
                let at = UInt32Array::from(vec![row as u32]);
                table.insert(key, (group, take_record_batch(rows, &at).map_err(arrow)?));
            }
        }
        Ok(())
    }

    /// What a subtask continues from.
    ///
    /// # Errors
    /// If the rows of a table have different columns.
    pub fn restored(&self, info: &TaskInfo) -> Result<RestoredState> {
        let mut restored = RestoredState { found: self.found, ..RestoredState::default() };
        for (name, table) in &self.tables {
            if let Some(all) = concatenated(table, |group| info.key_groups.contains(group))? {
                let keys = self.key_columns.get(name).copied().unwrap_or_default();
                restored.keyed.insert(name.clone(), vec![RestoredState::told_apart_by(all, keys)?]);
            }
        }
        for (name, list) in &self.lists {
            restored.lists.insert(name.clone(), list.share(info));
        }
        Ok(restored)
    }

    /// All rows of a table; `None` if there are none.
    ///
    /// # Errors
    /// If they have different columns.
    pub fn table(&self, name: &str) -> Result<Option<RecordBatch>> {
        self.tables.get(name).map_or(Ok(None), |table| concatenated(table, |_| true))
    }

    /// How many rows a table has.
    pub fn rows(&self, name: &str) -> usize {
        self.tables.get(name).map_or(0, BTreeMap::len)
    }

    /// The names of the tables that have rows.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().filter(|(_, table)| !table.is_empty()).map(|(name, _)| name.as_str())
    }

    /// The entries of a list, of all subtasks.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.lists.get(name).map(|list| list.all().cloned().collect()).unwrap_or_default()
    }

    /// Sets the rows of a table, as another version would have written them.
    ///
    /// # Errors
    /// If they break a rule that a store relies on.
    pub fn set_table(&mut self, info: &TaskInfo, rows: &KeyedDelta) -> Result<()> {
        self.found = true;
        self.tables.remove(&rows.name);
        self.apply_delta(info, rows)
    }

    /// Sets the entries of a list, as another version would have written them.
    pub fn set_list(&mut self, name: &str, entries: &[&str]) {
        let entries = entries.iter().map(|entry| (*entry).to_owned()).collect();
        let list = List { redistribution: Redistribution::Union, entries: BTreeMap::from([(0, entries)]) };
        self.lists.insert(name.to_owned(), list);
        self.found = true;
    }
}

impl List {
    fn all(&self) -> impl Iterator<Item = &String> {
        self.entries.values().flatten()
    }

    fn share(&self, info: &TaskInfo) -> Vec<String> {
        match self.redistribution {
            Redistribution::Union => self.all().cloned().collect(),
            Redistribution::Split if self.entries.len() == info.parallelism as usize => {
                self.entries.get(&info.subtask.0).cloned().unwrap_or_default()
            }
            Redistribution::Split => {
                self.all().skip(info.subtask.index()).step_by(info.parallelism as usize).cloned().collect()
            }
        }
    }
}

fn concatenated(table: &Table, wanted: impl Fn(KeyGroup) -> bool) -> Result<Option<RecordBatch>> {
    let rows: Vec<&RecordBatch> =
        table.values().filter(|(group, _)| wanted(*group)).map(|(_, row)| row).collect();
    let Some(first) = rows.first() else { return Ok(None) };
    concat_batches(&first.schema(), rows.iter().copied()).map(Some).map_err(arrow)
}
