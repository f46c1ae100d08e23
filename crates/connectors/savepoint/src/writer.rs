//! Savepoints made of parts of others.
//!
//! State is not changed in place: a savepoint is put together from operators of snapshots, those of a job and those that
//! a job with bounded inputs has left (`execution.savepoint-at-end`), and written with all its files.

use std::sync::Arc;

use flott_checkpoint::manifest::{
    KeyedTable, Manifest, ManifestKind, OperatorSnapshot, StateFile, SubtaskSnapshot,
};
use flott_state::store::Snapshot;
use flott_storage::{Folder, block_on};
use flott_types::{
    CheckpointId, Clock, Error, FastMap, JobId, KeyGroupRange, OperatorUid, Result, SubtaskIndex,
    SystemClock, Timestamp,
};

use crate::savepoint::{Savepoint, no_state, summary};

/// A savepoint that is being put together.
///
/// ```no_run
/// # use flott_connector_savepoint::{Savepoint, SavepointWriter};
/// # fn main() -> flott_types::Result<()> {
/// let old = Savepoint::open("/savepoints/of-yesterday")?;
/// let corrected = Savepoint::open("/savepoints/corrected")?;
/// SavepointWriter::from_existing(&old)?
///     .replace_operator(&corrected, "balances")?
///     .rename_operator("alerts", "warnings")?
///     .remove_operator("debugging")?
///     .write("/savepoints/for-today")?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SavepointWriter {
    /// Without operators.
    manifest: Manifest,
    operators: Vec<Part>,
}

/// An operator, and whose files it names.
#[derive(Debug)]
struct Part {
    operator: OperatorSnapshot,
    /// For each subtask and each of its tables the snapshot that has the files.
    files: Vec<Vec<Arc<Snapshot>>>,
}

impl Default for SavepointWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl SavepointWriter {
    /// A savepoint without operators.
    pub fn new() -> Self {
        let now = now();
        let manifest = Manifest::new(JobId(0), CheckpointId(1), ManifestKind::Savepoint, now);
        SavepointWriter { manifest, operators: Vec::new() }
    }

    /// A savepoint with all operators of another one, or of a checkpoint.
    ///
    /// # Errors
    /// If it is a checkpoint with rows that were under way: it has to be restored by its job first.
    pub fn from_existing(savepoint: &Savepoint) -> Result<Self> {
        let snapshot = Arc::new(savepoint.snapshot().clone());
        let operators = &snapshot.manifest.operators;
        let operators =
            operators.iter().map(|operator| Part::of(operator, &snapshot)).collect::<Result<_>>()?;
        let manifest = Manifest {
            kind: ManifestKind::Savepoint,
            created_at: now(),
            flott_version: env!("CARGO_PKG_VERSION").to_owned(),
            program: None,
            operators: Vec::new(),
            version: Manifest::VERSION,
            ..snapshot.manifest.clone()
        };
        Ok(SavepointWriter { manifest, operators })
    }

    /// Leaves an operator out.
    ///
    /// # Errors
    /// If there is none of this uid.
    pub fn remove_operator(mut self, uid: &str) -> Result<Self> {
        let at = self.position(uid)?;
        self.operators.remove(at);
        Ok(self)
    }

    /// Gives the state of an operator to one of another uid.
    ///
    /// # Errors
    /// If there is no operator of the old uid, or there is one of the new uid.
    pub fn rename_operator(mut self, old: &str, new: &str) -> Result<Self> {
        let at = self.position(old)?;
        if self.operators.iter().any(|part| part.operator.uid.0.as_str() == new) {
            return Err(Error::invalid(format!("there is already an operator '{new}'; remove it first")));
        }
        self.operators[at].operator.uid = OperatorUid(new.into());
        Ok(self)
    }

    /// Adds an operator of another snapshot, in place of that of the same uid if there is one.
    ///
    /// # Errors
    /// If the other snapshot has no such operator, or has rows that were under way to it.
    pub fn replace_operator(mut self, other: &Savepoint, uid: &str) -> Result<Self> {
        let part = Part::of(other.operator(uid)?, &Arc::new(other.snapshot().clone()))?;
        match self.operators.iter_mut().find(|known| known.operator.uid == part.operator.uid) {
            Some(known) => *known = part,
            None => self.operators.push(part),
        }
        Ok(self)
    }

    /// Takes one keyed state of an operator from another snapshot; its other states stay.
    ///
    /// # Errors
    /// If one of them has no such operator, the other no such state, or the operators have different numbers of key
    /// groups.
    pub fn replace_state(mut self, other: &Savepoint, uid: &str, state: &str) -> Result<Self> {
        let at = self.position(uid)?;
        let from = other.operator(uid)?;
        if !summary(from).states.iter().any(|known| known.name == state) {
            return Err(no_state(from, state));
        }
        let part = Part::of(from, &Arc::new(other.snapshot().clone()))?;
        self.operators[at].replace(state, &part)?;
        Ok(self)
    }

    fn position(&self, uid: &str) -> Result<usize> {
        let uids = || self.operators.iter().map(|part| part.operator.uid.0.as_str());
        uids().position(|known| known == uid).ok_or_else(|| {
            let known = uids().collect::<Vec<_>>().join(", ");
            Error::invalid(format!("the savepoint has no operator '{uid}'; there are: {known}"))
        })
    }

    /// Writes the savepoint, with all its files, into a new folder, and says where it lies.
    ///
    /// # Errors
    /// If the folder is not empty or cannot be written, or a file is missing or damaged.
    pub fn write(self, folder: &str) -> Result<String> {
        let SavepointWriter { mut manifest, operators } = self;
        if operators.is_empty() {
            return Err(Error::invalid("a savepoint without operators: nothing could be restored from it"));
        }
        block_on(async {
            let to = Folder::create(folder)?;
            let listing = to.list().await?;
            if !listing.files.is_empty() || !listing.folders.is_empty() {
                return Err(Error::invalid(format!("the folder '{folder}' is not empty; name a new one")));
            }
            let mut copies = Copies { to: &to, names: FastMap::default() };
            for part in operators {
                manifest.operators.push(part.copy(&mut copies).await?);
            }
            Snapshot::complete_savepoint(&to, &manifest).await
        })
    }
}

impl Part {
    fn of(operator: &OperatorSnapshot, snapshot: &Arc<Snapshot>) -> Result<Self> {
        if operator.has_in_flight() {
            return Err(Error::unsupported(format!(
                "the checkpoint '{}' was not aligned, and holds rows that were on their way to '{}'; restore it and take a \
                 savepoint, which holds none",
                snapshot.url, operator.name
            )));
        }
        let files = |subtask: &SubtaskSnapshot| vec![snapshot.clone(); subtask.keyed.len()];
        let files = operator.subtasks.iter().map(files).collect();
        Ok(Part { operator: operator.clone(), files })
    }

    /// A state of another operator in place of its own: each subtask gets the files with its key groups.
    fn replace(&mut self, state: &str, other: &Part) -> Result<()> {
        let (old, new) = (self.operator.max_parallelism, other.operator.max_parallelism);
        if old != new {
            return Err(Error::invalid(format!(
                "the states have {old} and {new} key groups; set 'pipeline.max-parallelism' to {old} for the job that wrote \
                 the new one"
            )));
        }
        let parallelism = self.operator.parallelism;
        for (index, subtask) in self.operator.subtasks.iter_mut().enumerate() {
            let own = KeyGroupRange::of_subtask(SubtaskIndex(index as u32), old, parallelism);
            let files = &mut self.files[index];
            if let Some(at) = subtask.keyed.iter().position(|table| table.name == state) {
                subtask.keyed.remove(at);
                files.remove(at);
            }
            let mut taken: Option<(KeyedTable, Arc<Snapshot>)> = None;
            for (from, (tables, snapshots)) in other.operator.subtasks.iter().zip(&other.files).enumerate() {
                // A subtask's entry says nothing of key groups that others own.
                let owned =
                    KeyGroupRange::of_subtask(SubtaskIndex(from as u32), new, other.operator.parallelism);
                let wanted = own.intersection(owned);
                if wanted.last < wanted.first {
                    continue;
                }
                let found = tables.keyed.iter().zip(snapshots).find(|(table, _)| table.name == state);
                let Some((table, snapshot)) = found else { continue };
                // A file covers its writer's key groups, and a newer one replaces only what it covers.
                let clipped = table.files.iter().filter_map(|file| {
                    let key_groups = file.key_groups.intersection(wanted);
                    file.key_groups.overlaps(&wanted).then(|| StateFile { key_groups, ..file.clone() })
                });
                let table_of = || (KeyedTable { files: Vec::new(), ..table.clone() }, snapshot.clone());
                taken.get_or_insert_with(table_of).0.files.extend(clipped);
            }
            if let Some((table, snapshot)) = taken {
                subtask.keyed.push(table);
                files.push(snapshot);
            }
        }
        Ok(())
    }

    async fn copy(self, copies: &mut Copies<'_>) -> Result<OperatorSnapshot> {
        let Part { mut operator, files } = self;
        for (subtask, snapshots) in operator.subtasks.iter_mut().zip(files) {
            for (table, snapshot) in subtask.keyed.iter_mut().zip(snapshots) {
                for file in &mut table.files {
                    *file = copies.copy(&snapshot, file).await?;
                }
            }
        }
        Ok(operator)
    }
}

/// What was copied into a folder.
struct Copies<'f> {
    to: &'f Folder,
    /// By URL, the file's name in the folder: after a change of parallelism several subtasks name the same file.
    names: FastMap<String, String>,
}

impl Copies<'_> {
    async fn copy(&mut self, from: &Snapshot, file: &StateFile) -> Result<StateFile> {
        let Some(path) = file.path() else { return Ok(file.clone()) };
        let url = if path.contains("://") { path.to_owned() } else { from.files.url_of(path) };
        if let Some(name) = self.names.get(&url) {
            return Ok(file.named(name));
        }
        let name = format!("{}.parquet", self.names.len());
        let copied = from.copy_file(file, self.to, &name).await?;
        self.names.insert(url, name);
        Ok(copied)
    }
}

fn now() -> Timestamp {
    SystemClock::new().now()
}
