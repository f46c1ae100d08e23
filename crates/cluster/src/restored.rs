//! What a job began with, as a person wants to know it.

use flott_checkpoint::manifest::{Manifest, ManifestKind, OperatorSnapshot, SubtaskSnapshot};
use flott_plan::{JobGraph, Outline};
use flott_types::{CheckpointId, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::snapshots::Snapshots;
use crate::storage::{Begun, Origin};

/// The name of a sink's state that holds what waits to be published.
const COMMITTABLES: &str = "committables";

/// What a job began with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Beginning {
    /// What it continued from.
    pub from: BeganFrom,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// What a job continued from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum BeganFrom {
    /// From nothing, as requested.
    Nothing,
    /// From nothing: it was to continue from its latest state, and has none below this folder. So many other
    /// jobs that have not finished have some there.
    NoState {
        /// The folder.
        dir: String,
        /// How many other jobs.
        others: usize,
    },
    /// A snapshot.
    Snapshot(RestorePoint),
    /// It has finished before, and does nothing.
    Finished {
        /// When.
        at: Timestamp,
    },
}

/// A snapshot, seen with the eyes of the job that starts from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RestorePoint {
    /// Its location.
    pub url: String,
    /// Its id.
    pub checkpoint: CheckpointId,
    /// Whether it is a savepoint.
    pub is_savepoint: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// The operators whose state is kept.
    pub kept: Vec<String>,
    /// The operators of the job that the snapshot does not know.
    pub new: Vec<String>,
    /// The operators of the snapshot that have state and that the job does not know.
    pub dropped: Vec<String>,
    /// For a program: how it differs from the one that wrote the snapshot.
    pub changed: Vec<String>,
}

impl Beginning {
    pub(crate) fn new(graph: &JobGraph, begun: &Begun) -> Self {
        let mut warnings = begun.warnings.clone();
        let from = match &begun.origin {
            Origin::Anew | Origin::Refused { .. } => BeganFrom::Nothing,
            Origin::Nothing { dir, others } => BeganFrom::NoState { dir: dir.clone(), others: *others },
            Origin::Finished { at } | Origin::Ended { at, .. } => BeganFrom::Finished { at: *at },
            Origin::Snapshot { manifest, url } => {
                warnings.extend(unpublished(graph, manifest));
                BeganFrom::Snapshot(RestorePoint::new(graph, manifest, url))
            }
        };
        Beginning { from, warnings }
    }
}

impl RestorePoint {
    /// What a job would continue with, of the snapshot that a path means.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn of_path(graph: &JobGraph, path: &str) -> Result<Self> {
        let (manifest, url) = Snapshots::default().inspect(&graph.configuration, path)?;
        Ok(RestorePoint::new(graph, &manifest, &url))
    }

    fn new(graph: &JobGraph, manifest: &Manifest, url: &str) -> Self {
        let in_job = |operator: &&OperatorSnapshot| is_in(graph, operator);
        let with_state = || manifest.operators.iter().filter(|operator| has_state(operator));
        let in_snapshot = |uid: &str| manifest.operators.iter().any(|operator| operator.uid.0 == uid);
        let nodes = graph.vertices.iter().flat_map(|vertex| &vertex.operators).map(|operator| &operator.node);
        let new = nodes.filter(|node| !in_snapshot(&node.uid.0) && node.spec.may_have_state());
        RestorePoint {
            url: url.to_owned(),
            checkpoint: manifest.checkpoint,
            is_savepoint: manifest.kind == ManifestKind::Savepoint,
            created_at: manifest.created_at,
            kept: with_state().filter(in_job).map(|operator| operator.name.clone()).collect(),
            new: new.map(|node| node.name.clone()).collect(),
            dropped: with_state()
                .filter(|operator| !in_job(operator))
                .map(|operator| operator.name.clone())
                .collect(),
            changed: changed(graph, manifest),
        }
    }
}

/// In what a program differs from the one that wrote a snapshot, where that said what it was.
fn changed(graph: &JobGraph, manifest: &Manifest) -> Vec<String> {
    let then = manifest.program.as_deref().and_then(|text| serde_json::from_str::<Outline>(text).ok());
    match (&graph.outline, then) {
        (Some(now), Some(then)) => now.changes("the program", &then, "the snapshot"),
        (Some(_), None) | (None, _) => Vec::new(),
    }
}

/// Output in a snapshot that nobody publishes.
fn unpublished(graph: &JobGraph, manifest: &Manifest) -> Vec<String> {
    let waits = |subtask: &SubtaskSnapshot| {
        subtask.operator.iter().any(|list| list.name == COMMITTABLES && !list.entries.is_empty())
    };
    let sinks = manifest.operators.iter().filter(|operator| !is_in(graph, operator));
    let sinks = sinks.filter(|operator| operator.subtasks.iter().any(waits));
    sinks
        .map(|sink| {
            format!("Output of '{}' in the snapshot is never published: the job has no such sink.", sink.name)
        })
        .collect()
}

fn operators(graph: &JobGraph) -> impl Iterator<Item = (&str, &str)> {
    let nodes = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    nodes.map(|operator| (operator.node.uid.0.as_str(), operator.node.name.as_str()))
}

fn is_in(graph: &JobGraph, operator: &OperatorSnapshot) -> bool {
    operators(graph).any(|(uid, _)| uid == operator.uid.0)
}

/// Whether something is lost when nobody claims it.
pub(crate) fn has_state(operator: &OperatorSnapshot) -> bool {
    let lists = |subtask: &SubtaskSnapshot| {
        subtask.operator.iter().any(|list| !list.entries.is_empty()) || !subtask.keyed.is_empty()
    };
    let under_way = operator.has_in_flight() || operator.enumerator.is_some();
    under_way || !operator.commits.is_empty() || operator.subtasks.iter().any(lists)
}
