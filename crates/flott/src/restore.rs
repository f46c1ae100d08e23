//! What a job would start from: a snapshot is looked for before the job is submitted, so that a person can be told what is
//! kept and what is not.
//!
//! `latest` means the newest usable snapshot of *this* job below `execution.checkpointing.dir`. A job has a new id at each start, and
//! other jobs may keep their checkpoints in the same folder, so the id says nothing. What tells jobs apart is where they
//! write to: a snapshot is this job's if it shares a sink table with it. State is then matched by uid, as in any restore, and
//! the cluster refuses to leave behind what nobody claims.

use flott_checkpoint::manifest::{Manifest, ManifestKind, OperatorSnapshot};
use flott_plan::JobGraph;
use flott_state::store::{CheckpointStorage, Found, JobStorage, Snapshot};
use flott_types::{CheckpointId, Error, JobId, Result, Timestamp};
use futures::executor::block_on;

/// The word for the newest snapshot of the job.
pub const LATEST: &str = "latest";
/// `execution.state-recovery.path`
pub const RESTORE_PATH: &str = "execution.state-recovery.path";
const DIRS: [&str; 2] = ["execution.checkpointing.dir", "state.checkpoints.dir"];

/// A snapshot, seen with the eyes of the job that is to start from it.
#[derive(Clone, Debug)]
pub struct RestorePoint {
    /// Where it lies.
    pub url: String,
    /// Its id.
    pub checkpoint: CheckpointId,
    /// Whether it is a savepoint.
    pub is_savepoint: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// The operators whose state goes on.
    pub kept: Vec<String>,
    /// The operators of the job that the snapshot does not know.
    pub new: Vec<String>,
    /// The operators of the snapshot that have state and that the job does not know.
    pub dropped: Vec<String>,
    /// Newer snapshots that cannot be used, and why.
    pub damaged: Vec<String>,
}

/// What a search for the newest snapshot found.
#[derive(Clone, Debug)]
pub enum Latest {
    /// This one.
    Snapshot(RestorePoint),
    /// The job has none in this folder; so many other jobs have.
    Nothing {
        /// The folder.
        dir: String,
        /// How many other jobs have snapshots there.
        others: usize,
    },
}

/// Looks at the snapshot that a path means.
///
/// # Errors
/// If there is none, or it is damaged.
pub fn at(graph: &JobGraph, path: &str) -> Result<RestorePoint> {
    let found = block_on(CheckpointStorage::in_memory().resolve(path))?;
    Ok(point(graph, &found, Vec::new()))
}

/// Looks for the newest usable snapshot of the job.
///
/// # Errors
/// If no folder is configured, or the job has snapshots and all of them are damaged: to begin from nothing would lose
/// what they held.
pub fn latest(graph: &JobGraph) -> Result<Latest> {
    let dir = dir(graph).ok_or_else(|| {
        Error::invalid(format!(
            "to restore from `{LATEST}`, set '{}' to the folder of the checkpoints",
            DIRS[0]
        ))
    })?;
    block_on(search(graph, dir))
}

/// Deletes the checkpoints of all earlier starts of a job that began from its `latest` and has finished: what they hold is done,
/// and a start from there would do part of it a second time. The cluster deletes those of the job's `last` start itself.
///
/// # Errors
/// If something cannot be read or deleted.
pub fn forget(graph: &JobGraph, last: JobId) -> Result<()> {
    let Some(dir) = dir(graph) else { return Ok(()) };
    block_on(async {
        let storage = CheckpointStorage::open(dir)?;
        if newest(&storage.job(last)).await?.is_some() {
            // It was stopped with a savepoint, and can be gone on with.
            return Ok(());
        }
        for id in storage.jobs().await? {
            let job = storage.job(id);
            if newest(&job).await?.is_some_and(|snapshot| is_of(&snapshot.manifest, graph)) {
                job.discard_all().await?;
            }
        }
        Ok(())
    })
}

fn dir(graph: &JobGraph) -> Option<&str> {
    let dir = DIRS.iter().find_map(|key| graph.configuration.get(*key))?.trim();
    (!dir.is_empty()).then_some(dir)
}

async fn search(graph: &JobGraph, dir: &str) -> Result<Latest> {
    let storage = CheckpointStorage::open(dir)?;
    let mut own: Vec<(Timestamp, JobStorage)> = Vec::new();
    let mut others = 0;
    let mut damaged = Vec::new();
    for id in storage.jobs().await? {
        let job = storage.job(id);
        match newest(&job).await {
            Ok(None) => {}
            Ok(Some(snapshot)) if is_of(&snapshot.manifest, graph) => {
                own.push((snapshot.manifest.created_at, job))
            }
            Ok(Some(_)) => others += 1,
            Err(error) => damaged.push(error.to_string()),
        }
    }
    own.sort_by_key(|(created_at, _)| std::cmp::Reverse(*created_at));
    for (_, job) in own {
        match job.latest().await {
            Ok(Some(found)) => return Ok(Latest::Snapshot(point(graph, &found, damaged))),
            Ok(None) => {}
            Err(error) => damaged.push(error.to_string()),
        }
    }
    match damaged.first() {
        None => Ok(Latest::Nothing { dir: storage.url(), others }),
        Some(first) => Err(Error::state(format!(
            "no snapshot below '{}' can be used: {first}; to begin anew, do not restore",
            storage.url()
        ))),
    }
}

/// The newest snapshot of a job, its files not verified if that can be avoided: this is to find out whose it is.
async fn newest(job: &JobStorage) -> Result<Option<Snapshot>> {
    if job.stopped().await?.is_none()
        && let Some(checkpoint) = job.checkpoints().await?.last()
        && let Ok(snapshot) = job.read(*checkpoint).await
    {
        return Ok(Some(snapshot));
    }
    Ok(job.latest().await?.map(|found| found.snapshot))
}

fn is_of(manifest: &Manifest, graph: &JobGraph) -> bool {
    let written: Vec<&str> = operators(graph).filter_map(|(_, name)| sink_table(name)).collect();
    manifest
        .operators
        .iter()
        .filter_map(|operator| sink_table(&operator.name))
        .any(|table| written.contains(&table))
}

/// The table in the name of a sink.
fn sink_table(name: &str) -> Option<&str> {
    name.strip_prefix("Sink(table=[")?.split_once(']').map(|(table, _)| table)
}

fn operators(graph: &JobGraph) -> impl Iterator<Item = (&str, &str)> {
    let nodes = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    nodes.map(|operator| (operator.node.uid.0.as_str(), operator.node.name.as_str()))
}

fn point(graph: &JobGraph, found: &Found, mut damaged: Vec<String>) -> RestorePoint {
    let manifest = &found.snapshot.manifest;
    damaged
        .extend(found.damaged.iter().map(|(checkpoint, error)| format!("checkpoint {checkpoint}: {error}")));
    let in_job = |operator: &&OperatorSnapshot| operators(graph).any(|(uid, _)| uid == operator.uid.0);
    let with_state = || manifest.operators.iter().filter(|operator| has_state(operator));
    let in_snapshot = |uid: &str| manifest.operators.iter().any(|operator| operator.uid.0 == uid);
    let new = operators(graph).filter(|(uid, name)| !in_snapshot(uid) && !name.starts_with("Calc("));
    RestorePoint {
        url: found.snapshot.url.clone(),
        checkpoint: manifest.checkpoint,
        is_savepoint: manifest.kind == ManifestKind::Savepoint,
        created_at: manifest.created_at,
        kept: with_state().filter(in_job).map(|operator| operator.name.clone()).collect(),
        new: new.map(|(_, name)| name.to_owned()).collect(),
        dropped: with_state()
            .filter(|operator| !in_job(operator))
            .map(|operator| operator.name.clone())
            .collect(),
        damaged,
    }
}

fn has_state(operator: &OperatorSnapshot) -> bool {
    let lists = |subtask: &flott_checkpoint::manifest::SubtaskSnapshot| {
        subtask.operator.iter().any(|list| !list.entries.is_empty()) || !subtask.keyed.is_empty()
    };
    operator.enumerator.is_some() || operator.subtasks.iter().any(lists)
}
