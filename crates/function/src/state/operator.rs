//! State that belongs to a subtask rather than to a key (`OperatorStateStore` in Flink).
//!
//! It is small and complete in every snapshot: each entry is JSON text with a version and the entry's type,
//! `{"version":1,"type":"{user: STRING}","value":{"user":"ann"}}`.

use std::any::Any;
use std::hash::Hash;
use std::marker::PhantomData;

use flott_batch::Record;
use flott_state::{ListState as StoredList, Redistribution, RestoredState};
use flott_types::{Error, FastMap, Result, SubtaskIndex};
use serde::{Deserialize, Serialize};

use super::in_state;
use flott_values::{ColumnCodec, json_text};

/// A state of an operator, whatever its type.
pub trait OperatorColumn: Any + Send {
    /// The name under which it is found in a snapshot.
    fn name(&self) -> &str;
    /// All of it, for this `subtask`.
    fn snapshot(&self, subtask: SubtaskIndex) -> Result<StoredList>;
}

/// The operator states of one subtask.
#[derive(Default)]
pub struct OperatorStates {
    columns: Vec<Box<dyn OperatorColumn>>,
}

impl OperatorStates {
    /// Adds a state; returns its number.
    pub(crate) fn declare(&mut self, column: Box<dyn OperatorColumn>) -> Result<u32> {
        if self.has(column.name()) {
            return Err(Error::invalid(format!("operator state '{}' is declared twice", column.name())));
        }
        self.columns.push(column);
        Ok(self.columns.len() as u32 - 1)
    }

    /// Refuses a state name that is reserved for the operator.
    pub fn refuse(&self, name: &str) -> Result<()> {
        if self.has(name) {
            return Err(Error::invalid(format!(
                "operator state '{name}' has a name that the operator uses itself; rename it"
            )));
        }
        Ok(())
    }

    /// Whether there is a state of that name.
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name() == name)
    }

    /// The rows of all of them.
    ///
    /// # Errors
    /// If a value cannot be written.
    pub fn snapshot(&self, subtask: SubtaskIndex) -> Result<Vec<StoredList>> {
        self.columns.iter().map(|column| column.snapshot(subtask)).collect()
    }

    pub(crate) fn column<C: OperatorColumn>(&self, number: u32) -> Option<&C> {
        let column = self.columns.get(number as usize).map(|column| &**column as &dyn Any);
        column.and_then(|column| column.downcast_ref())
    }

    pub(crate) fn column_mut<C: OperatorColumn>(&mut self, number: u32) -> Option<&mut C> {
        let column = self.columns.get_mut(number as usize).map(|column| &mut **column as &mut dyn Any);
        column.and_then(|column| column.downcast_mut())
    }
}

/// The values of an [`OperatorListState`](super::OperatorListState).
pub struct OperatorList<T> {
    name: String,
    redistribution: Redistribution,
    type_text: String,
    /// What it holds.
    pub values: Vec<T>,
}

impl<T: Record> OperatorList<T> {
    /// The values that the snapshot has for this subtask.
    pub fn restore(name: &str, redistribution: Redistribution, restored: &mut RestoredState) -> Result<Self> {
        let type_text = type_text::<T>(name)?;
        let values = read(name, &type_text, restored)?;
        Ok(OperatorList { name: name.to_owned(), redistribution, type_text, values })
    }
}

impl<T: Record> OperatorColumn for OperatorList<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn snapshot(&self, _: SubtaskIndex) -> Result<StoredList> {
        let entry = |value: &T| write(&self.name, &self.type_text, value);
        Ok(StoredList {
            name: self.name.clone(),
            redistribution: self.redistribution,
            entries: self.values.iter().map(entry).collect::<Result<_>>()?,
        })
    }
}

/// A map that is the same in all subtasks of an operator (`BroadcastState` in Flink): it is changed only by
/// values that go to all of them, in the same way.
///
/// After a restore every subtask has all entries, at any parallelism; a snapshot contains them once.
pub struct BroadcastState<K, V> {
    number: u32,
    of: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Clone for BroadcastState<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for BroadcastState<K, V> {}

/// A state that was not declared; using it is an error.
impl<K, V> Default for BroadcastState<K, V> {
    fn default() -> Self {
        BroadcastState { number: u32::MAX, of: PhantomData }
    }
}

impl<K, V> BroadcastState<K, V> {
    pub(crate) fn new(number: u32) -> Self {
        BroadcastState { number, of: PhantomData }
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }
}

/// The entries of a [`BroadcastState`].
pub struct BroadcastMap<K, V> {
    name: String,
    type_text: String,
    /// Those of the map.
    pub entries: FastMap<K, V>,
}

impl<K: Record + Eq + Hash, V: Record> BroadcastMap<K, V> {
    /// The entries that the snapshot has.
    pub fn restore(name: &str, restored: &mut RestoredState) -> Result<Self> {
        let type_text = type_text::<(K, V)>(name)?;
        let entries = read::<(K, V)>(name, &type_text, restored)?.into_iter().collect();
        Ok(BroadcastMap { name: name.to_owned(), type_text, entries })
    }
}

impl<K: Record + Eq + Hash, V: Record> OperatorColumn for BroadcastMap<K, V> {
    fn name(&self) -> &str {
        &self.name
    }

    fn snapshot(&self, subtask: SubtaskIndex) -> Result<StoredList> {
        // All subtasks have the same entries, and every entry goes to every subtask: the first one stores
        // them for all.
        let own = self.entries.iter().filter(|_| subtask == SubtaskIndex(0));
        let entry = |entry: (&K, &V)| write(&self.name, &self.type_text, &entry);
        Ok(StoredList {
            name: self.name.clone(),
            redistribution: Redistribution::Union,
            entries: own.map(entry).collect::<Result<_>>()?,
        })
    }
}

const VERSION: u32 = 1;

/// An entry in a snapshot.
#[derive(Deserialize)]
struct Entry<T> {
    version: u32,
    #[serde(rename = "type")]
    type_text: String,
    value: T,
}

fn type_text<T: Record>(name: &str) -> Result<String> {
    let codec = ColumnCodec::<T>::new("value").map_err(|error| in_state(name, error))?;
    Ok(codec.type_text())
}

fn write(name: &str, type_text: &str, value: &impl Serialize) -> Result<String> {
    let text = |part: Result<String>| part.map_err(|error| in_state(name, error));
    let (type_text, value) = (text(json_text(type_text))?, text(json_text(value))?);
    Ok(format!("{{\"version\":{VERSION},\"type\":{type_text},\"value\":{value}}}"))
}

fn read<T: Record>(name: &str, type_text: &str, restored: &mut RestoredState) -> Result<Vec<T>> {
    let entry = |text: String| match serde_json::from_str::<Entry<T>>(&text) {
        Ok(Entry { version: VERSION, value, .. }) => Ok(value),
        Ok(Entry { version, .. }) => Err(in_state(
            name,
            Error::state(format!("an entry has version {version}; this build reads version {VERSION}")),
        )),
        Err(why) => {
            let stored = serde_json::from_str::<Entry<serde::de::IgnoredAny>>(&text);
            let stored = stored.map_or_else(|_| "something else".to_owned(), |entry| entry.type_text);
            let (of, why) = (std::any::type_name::<T>(), why.to_string());
            Err(in_state(
                name,
                Error::state(format!("it was stored as {stored} and is read as {type_text} ({of}): {why}")),
            ))
        }
    };
    restored.take_list(name).into_iter().map(entry).collect()
}
