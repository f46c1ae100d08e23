//! Which part of a snapshot a new subtask reads; works the same at an unchanged and at another parallelism.

use std::collections::BTreeMap;

use flott_types::{Error, KeyGroup, KeyGroupRange, OperatorUid, Result, SubtaskIndex};
use serde::{Deserialize, Serialize};

use super::{
    Column, FileKind, InFlightShare, KeyedTable, Manifest, OperatorSnapshot, OperatorState, StateFile,
    redistribute,
};

/// What one new subtask of one operator starts from. Plain data: the JobManager computes it and sends it
/// along.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubtaskRestore {
    /// Keyed state, clipped to the subtask's key groups.
    pub keyed: Vec<TableRestore>,
    /// Operator state, distributed.
    pub operator: Vec<OperatorState>,
    /// The operator had finished ([`crate::life`]).
    #[serde(default)]
    pub finished: bool,
    /// Of the head of a chain: what is replayed first. Not from [`Manifest::shares`], which knows no streams,
    /// but from [`Manifest::in_flight_shares`].
    #[serde(default)]
    pub in_flight: Vec<InFlightShare>,
}

/// One named keyed state as a new subtask reads it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRestore {
    /// The state's name.
    pub name: String,
    /// See [`KeyedTable::columns`].
    pub columns: Vec<Column>,
    /// See [`KeyedTable::partition_columns`].
    pub partition_columns: u32,
    /// See [`KeyedTable::key_columns`].
    pub key_columns: u32,
    /// See [`KeyedTable::properties`].
    pub properties: BTreeMap<String, String>,
    /// What to read, in this order; a later row replaces an earlier one with the same key.
    pub files: Vec<FileSlice>,
}

/// A file, of which only some key groups are meant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSlice {
    /// The file.
    pub file: StateFile,
    /// Rows of other key groups are to be passed over: they may be out of date.
    pub key_groups: KeyGroupRange,
}

impl SubtaskRestore {
    /// How many bytes the rows of the files with keyed state are as columns in memory.
    pub fn keyed_bytes(&self) -> u64 {
        self.slices().map(|slice| slice.file.unpacked()).sum()
    }

    fn slices(&self) -> impl Iterator<Item = &FileSlice> {
        self.keyed.iter().flat_map(|table| &table.files)
    }

    /// The same in parts with key groups of their own, in order, of some `most` bytes in memory each, as far as key groups
    /// can tell them apart. All but keyed state is in the first.
    pub fn in_parts(mut self, most: u64) -> Vec<SubtaskRestore> {
        let mut bytes: BTreeMap<u16, u64> = BTreeMap::new();
        for FileSlice { file, key_groups: KeyGroupRange { first, last } } in self.slices() {
            let groups = u64::from(last - first) + 1;
            (*first..=*last).for_each(|group| *bytes.entry(group).or_default() += file.unpacked() / groups);
        }
        let mut ranges: Vec<KeyGroupRange> = Vec::new();
        let mut sum = 0;
        for (group, bytes) in bytes {
            sum += bytes;
            match ranges.last_mut().filter(|_| sum <= most) {
                Some(range) => range.last = group,
                None => {
                    ranges.push(KeyGroupRange { first: group, last: group });
                    sum = bytes;
                }
            }
        }
        if ranges.len() < 2 {
            return vec![self];
        }
        let keyed = std::mem::take(&mut self.keyed);
        let part = |range: &KeyGroupRange| {
            let clipped = |table: &TableRestore| {
                let clip = |slice: &FileSlice| {
                    let key_groups = slice.key_groups.intersection(*range);
                    (key_groups.first <= key_groups.last)
                        .then(|| FileSlice { file: slice.file.clone(), key_groups })
                };
                TableRestore { files: table.files.iter().filter_map(clip).collect(), ..table.clone() }
            };
            SubtaskRestore { keyed: keyed.iter().map(clipped).collect(), ..SubtaskRestore::default() }
        };
        let mut parts: Vec<SubtaskRestore> = ranges.iter().map(part).collect();
        if let Some(first) = parts.first_mut() {
            self.keyed = std::mem::take(&mut first.keyed);
            *first = self;
        }
        parts
    }
}

impl Manifest {
    /// What each subtask of an operator starts from at this parallelism; `None` if the snapshot does not know
    /// the operator.
    ///
    /// One pass over the snapshot for all subtasks together: its cost is proportional to its result.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if the operator has keyed state and its number of key groups has
    /// changed, or there are fewer of them than subtasks; or its parallelism has, while some of its subtasks
    /// had finished and others had not.
    pub fn shares(
        &self,
        uid: &OperatorUid,
        parallelism: u32,
        max_parallelism: u32,
    ) -> Result<Option<Vec<SubtaskRestore>>> {
        let Some(operator) = self.operator(uid) else {
            return Ok(None);
        };
        let has_keyed = operator.subtasks.iter().any(|s| !s.keyed.is_empty());
        let groups = operator.max_parallelism;
        if has_keyed && parallelism > groups {
            return Err(Error::state(format!(
                "the state of operator '{uid}' is divided into {groups} key groups, which {parallelism} subtasks \
                 cannot share: lower its parallelism ('parallelism.default') to {groups} or less and set \
                 'pipeline.max-parallelism' to {groups}; the number of key groups of existing state cannot be changed"
            )));
        }
        if has_keyed && groups != max_parallelism {
            return Err(Error::state(format!(
                "the state of operator '{uid}' has max parallelism {groups}, the job has {max_parallelism}; set \
                 'pipeline.max-parallelism' to {groups}"
            )));
        }
        let all = operator.subtasks.len();
        let some = operator.subtasks.iter().filter(|subtask| subtask.finished).count();
        if has_keyed && parallelism as usize != all && (1..all).contains(&some) {
            return Err(Error::state(format!(
                "the snapshot of operator '{uid}' was taken at the end of its input, when {some} of its {all} subtasks had put \
                 out their last results; at another parallelism than {all} they would be put out twice: restore it with \
                 parallelism {all}, or another snapshot"
            )));
        }
        let finished = operator.finished(parallelism);
        let old: Vec<&[OperatorState]> = operator.subtasks.iter().map(|s| s.operator.as_slice()).collect();
        let dealt = redistribute(&old, parallelism);
        let keyed = match has_keyed {
            true => operator.keyed_shares(parallelism),
            false => vec![Vec::new(); parallelism as usize],
        };
        Ok(Some(
            keyed
                .into_iter()
                .zip(dealt)
                .zip(finished)
                .map(|((keyed, operator), finished)| {
                    let in_flight = Vec::new();
                    SubtaskRestore { keyed, operator, finished, in_flight }
                })
                .collect(),
        ))
    }

    /// What subtask `subtask` of `parallelism` starts from; `None` if the snapshot does not know the
    /// operator.
    ///
    /// # Errors
    /// As [`Manifest::shares`], and if there is no such subtask.
    pub fn restore(
        &self,
        uid: &OperatorUid,
        subtask: SubtaskIndex,
        parallelism: u32,
        max_parallelism: u32,
    ) -> Result<Option<SubtaskRestore>> {
        let Some(shares) = self.shares(uid, parallelism, max_parallelism)? else {
            return Ok(None);
        };
        let share = shares.into_iter().nth(subtask.index());
        share.map(Some).ok_or_else(|| {
            Error::internal(format!(
                "there is no subtask {subtask} of {parallelism} (max parallelism {max_parallelism})"
            ))
        })
    }
}

impl OperatorSnapshot {
    /// Which of `parallelism` new subtasks are ones that had finished.
    fn finished(&self, parallelism: u32) -> Vec<bool> {
        match parallelism == self.parallelism {
            true => self.subtasks.iter().map(|subtask| subtask.finished).collect(),
            false => vec![self.subtasks.iter().all(|subtask| subtask.finished); parallelism as usize],
        }
    }

    /// The keyed state of each of `parallelism` subtasks: the tables in order of first mention, and for each
    /// the slices to read.
    fn keyed_shares(&self, parallelism: u32) -> Vec<Vec<TableRestore>> {
        let mut tables: Vec<TableRestore> = Vec::new();
        // By table: the slices of each new subtask.
        let mut files: Vec<Vec<Vec<FileSlice>>> = Vec::new();
        for (index, subtask) in (0..).map(SubtaskIndex).zip(&self.subtasks) {
            // An old subtask covers the groups that it owned, whatever else its files contain.
            let owned = KeyGroupRange::of_subtask(index, self.max_parallelism, self.parallelism);
            for table in &subtask.keyed {
                let at = tables.iter().position(|known| known.name == table.name).unwrap_or_else(|| {
                    tables.push(TableRestore::of(table));
                    files.push(vec![Vec::new(); parallelism as usize]);
                    tables.len() - 1
                });
                for slice in table.slices(owned) {
                    let KeyGroupRange { first, last } = slice.key_groups;
                    let of = |group: KeyGroup| group.subtask(self.max_parallelism, parallelism);
                    for new in of(KeyGroup(first)).0..=of(KeyGroup(last)).0 {
                        let own =
                            KeyGroupRange::of_subtask(SubtaskIndex(new), self.max_parallelism, parallelism);
                        let key_groups = own.intersection(slice.key_groups);
                        files[at][new as usize].push(FileSlice { file: slice.file.clone(), key_groups });
                    }
                }
            }
        }
        let mut shares = vec![Vec::with_capacity(tables.len()); parallelism as usize];
        for (table, files) in tables.into_iter().zip(files) {
            for (share, files) in shares.iter_mut().zip(files) {
                share.push(TableRestore { files, ..table.clone() });
            }
        }
        shares
    }
}

impl TableRestore {
    /// Nothing of it yet.
    fn of(table: &KeyedTable) -> Self {
        TableRestore {
            name: table.name.clone(),
            columns: table.columns.clone(),
            partition_columns: table.partition_columns,
            key_columns: table.key_columns,
            properties: table.properties.clone(),
            files: Vec::new(),
        }
    }
}

impl KeyedTable {
    /// The files that hold rows of `key_groups`, oldest first, without those that a later full file replaces.
    fn slices(&self, key_groups: KeyGroupRange) -> Vec<FileSlice> {
        let mut slices: Vec<FileSlice> = Vec::new();
        for file in &self.files {
            let clip = file.key_groups.intersection(key_groups);
            if clip.first > clip.last {
                continue;
            }
            if file.kind == FileKind::Full {
                slices = slices.into_iter().flat_map(|s| s.without(clip)).collect();
            }
            slices.push(FileSlice { file: file.clone(), key_groups: clip });
        }
        slices
    }
}

impl FileSlice {
    /// What remains to be read when a later full file replaces `full`: the part before and the part after it.
    fn without(self, full: KeyGroupRange) -> impl Iterator<Item = FileSlice> {
        let KeyGroupRange { first, last } = self.key_groups;
        let before = (first < full.first).then(|| KeyGroupRange { first, last: last.min(full.first - 1) });
        let after = (full.last < last).then(|| KeyGroupRange { first: first.max(full.last + 1), last });
        let file = self.file;
        [before, after]
            .into_iter()
            .flatten()
            .map(move |key_groups| FileSlice { file: file.clone(), key_groups })
    }
}
