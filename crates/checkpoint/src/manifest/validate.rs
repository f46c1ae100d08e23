//! Invariants of every manifest, checked before one is written and after one is read.

use flott_types::key_group::UPPER_BOUND_MAX_PARALLELISM;
use flott_types::{Error, FastMap, FastSet, KeyGroupRange, Result};

use super::{FileLocation, KeyedTable, Manifest, ManifestKind, OperatorSnapshot, OperatorState, StateFile};

impl Manifest {
    /// Checks that the manifest does not contradict itself.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`], naming operator, subtask and state.
    pub fn validate(&self) -> Result<()> {
        if ![Manifest::VERSION, Manifest::WITHOUT_CHECKSUM].contains(&self.version) {
            return Err(Error::state(format!(
                "the manifest has version {}, not {}",
                self.version,
                Manifest::VERSION
            )));
        }
        if self.checkpoint.0 == 0 {
            return Err(Error::state("the manifest has checkpoint id 0; ids begin with 1"));
        }
        let mut uids = FastSet::default();
        for operator in &self.operators {
            if operator.uid.0.is_empty() {
                return Err(Error::state(format!("operator '{}' has an empty uid", operator.name)));
            }
            if !uids.insert(&operator.uid) {
                return Err(Error::state(format!("operator uid '{}' occurs twice", operator.uid)));
            }
            operator
                .validate(self.kind)
                .map_err(|e| e.context(format_args!("operator '{}'", operator.uid)))?;
        }
        Ok(())
    }
}

impl OperatorSnapshot {
    fn validate(&self, kind: ManifestKind) -> Result<()> {
        if self.max_parallelism == 0 || self.max_parallelism > UPPER_BOUND_MAX_PARALLELISM {
            return Err(Error::state(format!(
                "max parallelism {} is not in 1..={UPPER_BOUND_MAX_PARALLELISM}",
                self.max_parallelism
            )));
        }
        if self.parallelism == 0 || self.parallelism > self.max_parallelism {
            return Err(Error::state(format!(
                "parallelism {} is not in 1..={} (its max parallelism)",
                self.parallelism, self.max_parallelism
            )));
        }
        if self.subtasks.len() != self.parallelism as usize {
            return Err(Error::state(format!(
                "it has {} subtasks, its parallelism is {}",
                self.subtasks.len(),
                self.parallelism
            )));
        }
        let mut tables: FastMap<&str, &KeyedTable> = FastMap::default();
        let mut states: FastMap<&str, &OperatorState> = FastMap::default();
        for (index, subtask) in self.subtasks.iter().enumerate() {
            let mut names = FastSet::default();
            for table in &subtask.keyed {
                let at = |e: Error| e.context(format_args!("subtask {index}, keyed state '{}'", table.name));
                table.validate(self.max_parallelism, kind).map_err(at)?;
                if !names.insert(&table.name) {
                    return Err(at(Error::state("occurs twice")));
                }
                let first = tables.entry(&table.name).or_insert(table);
                if !first.same_keys(table) {
                    return Err(at(Error::state("its keys differ from those of an earlier subtask")));
                }
            }
            if let Some(in_flight) = &subtask.in_flight {
                let at = |e: Error| e.context(format_args!("subtask {index}, rows under way"));
                if kind == ManifestKind::Savepoint {
                    return Err(at(Error::state("a savepoint holds none")));
                }
                in_flight.file.validate(KeyGroupRange::all(self.max_parallelism), kind).map_err(at)?;
            }
            let mut names = FastSet::default();
            for state in &subtask.operator {
                let at =
                    |e: Error| e.context(format_args!("subtask {index}, operator state '{}'", state.name));
                if !names.insert(&state.name) {
                    return Err(at(Error::state("occurs twice")));
                }
                if states.entry(&state.name).or_insert(state).redistribution != state.redistribution {
                    return Err(at(Error::state(
                        "its redistribution differs from that of an earlier subtask",
                    )));
                }
            }
        }
        Ok(())
    }
}

impl KeyedTable {
    /// Whether rows of the two are told apart by the same columns. Other columns may differ: those of a
    /// subtask that has had no change since the job was restored are still those that the operator had
    /// before.
    pub(super) fn same_keys(&self, other: &KeyedTable) -> bool {
        let keys = self.key_columns as usize;
        self.columns.get(..keys) == other.columns.get(..keys)
            && self.partition_columns == other.partition_columns
            && self.key_columns == other.key_columns
    }

    fn validate(&self, max_parallelism: u32, kind: ManifestKind) -> Result<()> {
        let mut names = FastSet::default();
        if let Some(column) = self.columns.iter().find(|c| !names.insert(&c.name)) {
            return Err(Error::state(format!("column '{}' occurs twice", column.name)));
        }
        if self.partition_columns > self.key_columns || self.key_columns as usize > self.columns.len() {
            return Err(Error::state(format!(
                "{} partition columns, {} key columns and {} columns do not nest",
                self.partition_columns,
                self.key_columns,
                self.columns.len()
            )));
        }
        let all = KeyGroupRange::all(max_parallelism);
        for file in &self.files {
            file.validate(all, kind)?;
        }
        Ok(())
    }
}

impl StateFile {
    fn validate(&self, all: KeyGroupRange, kind: ManifestKind) -> Result<()> {
        if let FileLocation::File { path, .. } = &self.location {
            let url = path.contains("://");
            let strange = |part: &str| part.is_empty() || part == "." || part == "..";
            if !url && path.split('/').any(strange) {
                return Err(Error::state(format!(
                    "'{path}' is neither a path within the checkpoint folder nor a URL"
                )));
            }
            if url && kind == ManifestKind::Savepoint {
                return Err(Error::state(format!(
                    "a savepoint is self-contained, but names '{path}' outside its folder"
                )));
            }
        }
        if self.key_groups.first > self.key_groups.last || self.key_groups.last > all.last {
            return Err(Error::state(format!(
                "a file has key groups {}, the operator has {all}",
                self.key_groups
            )));
        }
        Ok(())
    }
}
