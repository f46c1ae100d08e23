//! A snapshot that is read.

use std::str::FromStr;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use flott_checkpoint::manifest::{
    Blob, KeyedTable, Manifest, ManifestKind, OperatorSnapshot, OperatorState, redistribute,
};
use flott_state::RestoredState;
use flott_state::store::{CheckpointStorage, Snapshot};
use flott_storage::block_on;
use flott_types::{Error, FastSet, OperatorUid, Result, SubtaskIndex};

use crate::types::in_sql;

/// A checkpoint or savepoint.
#[derive(Clone, Debug)]
pub struct Savepoint {
    snapshot: Snapshot,
}

/// What there is of an operator.
#[derive(Clone, PartialEq, Debug)]
pub struct OperatorSummary {
    /// By which its state is found again.
    pub uid: String,
    /// As people know it.
    pub name: String,
    /// How many subtasks wrote it.
    pub parallelism: u32,
    /// How many key groups there are.
    pub max_parallelism: u32,
    /// How many subtasks had read their inputs to the end.
    pub finished: usize,
    /// Keyed states.
    pub states: Vec<StateSummary>,
    /// Lists of entries.
    pub lists: Vec<ListSummary>,
    /// The bytes of what the operator's coordinator knows: splits that are not given out, files that are not
    /// committed.
    pub coordinator_bytes: u64,
}

/// A keyed state.
#[derive(Clone, PartialEq, Debug)]
pub struct StateSummary {
    /// Its name within the operator.
    pub name: String,
    /// Its columns, the keys first.
    pub columns: Vec<StateColumn>,
    /// Rows in its files: as many as it has, or more, because a row that was changed may be in several.
    pub rows: u64,
    /// How many files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// A column of a keyed state.
#[derive(Clone, PartialEq, Debug)]
pub struct StateColumn {
    /// Its name.
    pub name: String,
    /// Its type in SQL, or as it is stored, where SQL has none.
    pub ty: String,
    /// Whether SQL can read it.
    pub is_readable: bool,
    /// Whether it is one of those that tell rows apart.
    pub is_key: bool,
}

/// A list of entries that belong to no key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListSummary {
    /// Its name within the operator.
    pub name: String,
    /// How many entries.
    pub entries: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// What was compared with its checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Files, those within the manifest too.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Savepoint {
    /// The snapshot at a path: its folder, the `_metadata` in it, or the folder of a job, which means its
    /// newest.
    ///
    /// # Errors
    /// If there is none, or its manifest is damaged.
    pub fn open(path: &str) -> Result<Self> {
        let found = block_on(CheckpointStorage::in_memory().resolve(path))?;
        Ok(Savepoint { snapshot: found.snapshot })
    }

    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.snapshot.manifest
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.snapshot.url
    }

    /// `checkpoint` or `savepoint`.
    pub fn kind(&self) -> &'static str {
        match self.snapshot.manifest.kind {
            ManifestKind::Checkpoint => "checkpoint",
            ManifestKind::Savepoint => "savepoint",
        }
    }

    /// What there is of each operator, in the order of the plan.
    pub fn operators(&self) -> Vec<OperatorSummary> {
        self.snapshot.manifest.operators.iter().map(summary).collect()
    }

    /// The operator of this uid or, if there is only one such, of this name.
    ///
    /// # Errors
    /// If there is none; it lists those that have state.
    pub fn operator(&self, uid: &str) -> Result<&OperatorSnapshot> {
        let operators = &self.snapshot.manifest.operators;
        let named = || {
            let mut named = operators.iter().filter(|operator| operator.name == uid);
            named.next().filter(|_| named.next().is_none())
        };
        operators.iter().find(|operator| operator.uid.0.as_str() == uid).or_else(named).ok_or_else(|| {
            let has_state = |operator: &&OperatorSnapshot| {
                let of = summary(operator);
                !of.states.is_empty() || of.lists.iter().any(|list| list.entries > 0)
            };
            let known: Vec<&str> =
                operators.iter().filter(has_state).map(|operator| operator.uid.0.as_str()).collect();
            Error::invalid(format!(
                "there is no operator '{uid}' in {}; with state there are: {}",
                self.snapshot.url,
                known.join(", ")
            ))
        })
    }

    /// The part of an operator's state that the given subtask of so many would start with.
    ///
    /// # Errors
    /// If a file is missing or damaged.
    pub fn state(&self, uid: &OperatorUid, subtask: u32, parallelism: u32) -> Result<RestoredState> {
        let operator = self.operator(uid.0.as_str())?;
        block_on(self.snapshot.restore(uid, SubtaskIndex(subtask), parallelism, operator.max_parallelism))
    }

    /// All rows of a keyed state.
    ///
    /// # Errors
    /// If there is no such state, or a file is missing or damaged.
    pub fn rows(&self, uid: &str, state: &str) -> Result<Vec<RecordBatch>> {
        let operator = self.operator(uid)?;
        let mut restored = self.state(&operator.uid.clone(), 0, 1)?;
        match restored.keyed.remove(state) {
            Some(rows) => Ok(rows),
            None => Err(no_state(operator, state)),
        }
    }

    /// The entries of a list of an operator, of all its subtasks together.
    ///
    /// # Errors
    /// If there is no such list.
    pub fn list(&self, uid: &str, name: &str) -> Result<RestoredState> {
        let operator = self.operator(uid)?;
        let lists: Vec<&[OperatorState]> =
            operator.subtasks.iter().map(|subtask| subtask.operator.as_slice()).collect();
        let dealt = redistribute(&lists, 1).into_iter().flatten().find(|list| list.name == name);
        let list = dealt.ok_or_else(|| no_state(operator, name))?;
        let entry = |entry: &Blob| {
            let why = |_| Error::state(format!("an entry of '{name}' is not text"));
            String::from_utf8(entry.to_vec()).map_err(why)
        };
        let entries = list.entries.iter().map(entry).collect::<Result<_>>()?;
        let mut restored = RestoredState { found: true, ..RestoredState::default() };
        restored.lists.insert(name.to_owned(), entries);
        Ok(restored)
    }

    /// Reads every file and compares it with its checksum.
    ///
    /// # Errors
    /// If one is missing or damaged: which.
    pub fn check(&self) -> Result<Checked> {
        block_on(self.snapshot.verify())?;
        let mut seen = FastSet::default();
        // After a change of parallelism several subtasks name the same file.
        let files = self
            .snapshot
            .manifest
            .files()
            .filter(|file| file.path().is_none_or(|path| seen.insert(path.to_owned())));
        let (files, bytes) = files.fold((0, 0), |(files, bytes), file| (files + 1, bytes + file.size()));
        Ok(Checked { files, bytes })
    }
}

/// There is no such state; these there are.
pub(crate) fn no_state(operator: &OperatorSnapshot, state: &str) -> Error {
    let of = summary(operator);
    let states = of.states.iter().map(|state| state.name.as_str());
    let known: Vec<&str> = states.chain(of.lists.iter().map(|list| list.name.as_str())).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Error::invalid(format!(
        "the operator '{}' has no state '{state}'; there are: {known}",
        operator.uid.0.as_str()
    ))
}

pub(crate) fn summary(operator: &OperatorSnapshot) -> OperatorSummary {
    let mut states: Vec<StateSummary> = Vec::new();
    let mut lists: Vec<ListSummary> = Vec::new();
    let mut seen = FastSet::default();
    for subtask in &operator.subtasks {
        for table in &subtask.keyed {
            let at = states.iter().position(|state| state.name == table.name).unwrap_or_else(|| {
                let (name, columns) = (table.name.clone(), columns(table));
                states.push(StateSummary { name, columns, rows: 0, files: 0, bytes: 0 });
                states.len() - 1
            });
            let Some(state) = states.get_mut(at) else { continue };
            for file in &table.files {
                if file.path().is_none_or(|path| seen.insert(path.to_owned())) {
                    state.rows += file.rows;
                    state.files += 1;
                    state.bytes += file.size();
                }
            }
        }
        for list in &subtask.operator {
            let at = lists.iter().position(|known| known.name == list.name).unwrap_or_else(|| {
                lists.push(ListSummary { name: list.name.clone(), entries: 0, bytes: 0 });
                lists.len() - 1
            });
            let Some(known) = lists.get_mut(at) else { continue };
            known.entries += list.entries.len();
            known.bytes += list.entries.iter().map(|entry| entry.len() as u64).sum::<u64>();
        }
    }
    let commits: u64 = operator.commits.iter().map(|commit| commit.len() as u64).sum();
    OperatorSummary {
        uid: operator.uid.0.as_str().to_owned(),
        name: operator.name.clone(),
        parallelism: operator.parallelism,
        max_parallelism: operator.max_parallelism,
        finished: operator.subtasks.iter().filter(|subtask| subtask.finished).count(),
        states,
        lists,
        coordinator_bytes: operator.enumerator.as_ref().map_or(0, |blob| blob.len() as u64) + commits,
    }
}

fn columns(table: &KeyedTable) -> Vec<StateColumn> {
    let column = |(at, column): (usize, &flott_checkpoint::manifest::Column)| {
        let in_sql = DataType::from_str(&column.type_).ok().and_then(|ty| in_sql(&ty));
        StateColumn {
            name: column.name.clone(),
            is_readable: in_sql.is_some(),
            ty: in_sql.unwrap_or_else(|| column.type_.clone()),
            is_key: at < table.key_columns as usize,
        }
    };
    table.columns.iter().enumerate().map(column).collect()
}
