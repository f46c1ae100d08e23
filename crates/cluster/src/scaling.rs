//! How parallel a job runs: `jobmanager.scheduler`, `scheduler-mode`, and what users ask of a running job.
//!
//! With the scheduler `Adaptive` a job has bounds for each vertex: it wishes the upper ones, and runs with what there are
//! slots for, but not below the lower ones. Its graph is sized anew for an attempt; everything that belongs to a task (its
//! share of the state, its splits) is worked out from that graph, as at any restore.

use std::collections::BTreeMap;

use flott_checkpoint::TaskId;
use flott_checkpoint::execution::Scaling;
use flott_plan::{Exchange, JobGraph, OperatorSpec};
use flott_runtime::options::Reader;
use flott_types::{Error, Result, SubtaskIndex, VertexId};
use serde::{Deserialize, Serialize};

const SCHEDULER: &str = "jobmanager.scheduler";
const MODE: &str = "scheduler-mode";
const WAIT: &str = "jobmanager.adaptive-scheduler.submission.resource-wait-timeout";
const SETTLE: &str = "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout";
const SETTLE_RUNNING: &str = "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout";
const COOLDOWN: &str = "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling";
/// Before Flink 2.0 they were called so.
const OLD_WAIT: &str = "jobmanager.adaptive-scheduler.resource-wait-timeout";
const OLD_SETTLE: &str = "jobmanager.adaptive-scheduler.resource-stabilization-timeout";
const OLD_COOLDOWN: &str = "jobmanager.adaptive-scheduler.scaling-interval.min";

/// How parallel a vertex may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Bounds {
    /// At least.
    pub lower: u32,
    /// At most, and if there are slots.
    pub upper: u32,
}

/// Bounds of vertices.
pub type Requirements = BTreeMap<VertexId, Bounds>;

/// What the configuration says of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct ScalingOptions {
    pub scaling: Scaling,
    /// How long a job waits for the least that it needs.
    pub wait: i64,
    /// It wishes whatever there is.
    pub reactive: bool,
}

impl ScalingOptions {
    /// `None`: a job runs as it is planned, or not at all.
    pub fn parse(read: &Reader<'_>) -> Result<Option<Self>> {
        let text = |key| read.text(key).map(str::trim).filter(|text| !text.is_empty());
        let reactive = match text(MODE) {
            None => false,
            Some(mode) if mode.eq_ignore_ascii_case("reactive") => true,
            Some(_) => return Err(read.wrong(MODE, "REACTIVE")),
        };
        let adaptive = match text(SCHEDULER).map(str::to_ascii_lowercase).as_deref() {
            None => reactive,
            Some("adaptive") => true,
            Some("default") if reactive => {
                return Err(read.wrong(SCHEDULER, "Adaptive, which 'scheduler-mode' needs"));
            }
            Some("default") => false,
            Some(_) => return Err(read.wrong(SCHEDULER, "Default or Adaptive")),
        };
        if !adaptive {
            return Ok(None);
        }
        let time = |key, old, default: i64| -> Result<i64> {
            Ok(read.duration(key)?.or(read.duration(old)?).unwrap_or(default))
        };
        // As in Flink, a reactive job waits for slots for ever, and starts with the first.
        let (wait, settle) = if reactive { (i64::MAX, 0) } else { (300_000, 10_000) };
        let scaling = Scaling {
            settle: time(SETTLE, OLD_SETTLE, settle)?,
            settle_running: read.duration(SETTLE_RUNNING)?.unwrap_or(if reactive { 0 } else { 60_000 }),
            cooldown: time(COOLDOWN, OLD_COOLDOWN, 30_000)?,
        };
        Ok(Some(ScalingOptions { scaling, wait: time(WAIT, OLD_WAIT, wait)?, reactive }))
    }
}

/// The bounds of a job as it is submitted.
pub(crate) fn initial(graph: &JobGraph, reactive: bool) -> Requirements {
    let bounds = |vertex: &flott_plan::JobVertex| {
        let upper = match reactive && !is_fixed(graph, vertex.id) {
            true => vertex.max_parallelism,
            false => vertex.parallelism,
        };
        let lower = if is_fixed(graph, vertex.id) { vertex.parallelism } else { 1 };
        (vertex.id, Bounds { lower, upper })
    };
    graph.vertices.iter().map(bounds).collect()
}

/// Whether a vertex has to have as many subtasks as it was planned with: all rows come to one of them, or the client
/// collects there.
fn is_fixed(graph: &JobGraph, id: VertexId) -> bool {
    let of_one = graph.edges.iter().any(|edge| edge.to == id && edge.exchange == Exchange::Global);
    let mut vertices = graph.vertices.iter().filter(|vertex| vertex.id == id);
    of_one
        || vertices
            .any(|vertex| vertex.operators.iter().any(|operator| operator.node.spec == OperatorSpec::Collect))
}

/// Changes bounds to what a user asks.
///
/// # Errors
/// If the job cannot have them.
pub(crate) fn require(graph: &JobGraph, all: &mut Requirements, asked: &Requirements) -> Result<()> {
    let mut changed = all.clone();
    for (id, bounds) in asked {
        let vertex = graph.vertices.iter().find(|vertex| vertex.id == *id);
        let vertex = vertex.ok_or_else(|| Error::invalid(format!("the job has no vertex {:032x}", id.0)))?;
        let Bounds { lower, upper } = *bounds;
        let wrong = |what: String| Err(Error::invalid(format!("'{}': {what}", vertex.name)));
        if lower == 0 || lower > upper {
            return wrong(format!("the bounds {lower} to {upper} are none: 1 <= lowerBound <= upperBound"));
        }
        if upper > vertex.max_parallelism {
            return wrong(format!(
                "upperBound {upper} is above its max parallelism {}",
                vertex.max_parallelism
            ));
        }
        if is_fixed(graph, *id) && (lower, upper) != (vertex.parallelism, vertex.parallelism) {
            return wrong(format!("its parallelism is always {}", vertex.parallelism));
        }
        changed.insert(*id, *bounds);
    }
    for edge in graph.edges.iter().filter(|edge| edge.exchange == Exchange::Forward) {
        if changed.get(&edge.from) != changed.get(&edge.to) {
            return Err(Error::invalid(format!(
                "vertices {:032x} and {:032x} are connected subtask by subtask, and need the same bounds",
                edge.from.0, edge.to.0
            )));
        }
    }
    *all = changed;
    Ok(())
}

/// The graph with as many subtasks as its bounds and so many slots allow; `None` if there are too few.
pub(crate) fn sized(graph: &JobGraph, all: &Requirements, slots: u32) -> Option<JobGraph> {
    let most = all.values().map(|bounds| bounds.upper).max().unwrap_or(1);
    let at = |parallelism: u32| {
        let mut graph = graph.clone();
        for vertex in &mut graph.vertices {
            if let Some(bounds) = all.get(&vertex.id) {
                vertex.parallelism = parallelism.clamp(bounds.lower, bounds.upper);
            }
        }
        graph
    };
    let fits = |parallelism: u32| at(parallelism).slots().1 <= slots;
    // More parallelism never needs fewer slots.
    let (mut fitting, mut too_wide) = (0, most.saturating_add(1));
    while too_wide - fitting > 1 {
        let middle = fitting + (too_wide - fitting) / 2;
        if fits(middle) { fitting = middle } else { too_wide = middle }
    }
    (fitting > 0).then(|| at(fitting))
}

/// The graph with all that its bounds allow.
pub(crate) fn wished(graph: &JobGraph, all: &Requirements) -> JobGraph {
    sized(graph, all, u32::MAX).unwrap_or_else(|| graph.clone())
}

/// The tasks of a graph.
pub(crate) fn tasks(graph: &JobGraph) -> Vec<TaskId> {
    let of = |vertex: &flott_plan::JobVertex| {
        let id = vertex.id;
        (0..vertex.parallelism).map(move |subtask| TaskId { vertex: id, subtask: SubtaskIndex(subtask) })
    };
    graph.vertices.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<ScalingOptions>> {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        ScalingOptions::parse(&Reader(&pairs))
    }

    #[test]
    fn the_scheduler_is_adaptive_when_it_is_named_or_needed() {
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&[(SCHEDULER, "Default")]).unwrap(), None);
        let adaptive = read(&[(SCHEDULER, "Adaptive"), (OLD_SETTLE, "3 s")]).unwrap().unwrap();
        let scaling = Scaling { settle: 3_000, settle_running: 60_000, cooldown: 30_000 };
        assert_eq!(adaptive, ScalingOptions { scaling, wait: 300_000, reactive: false });
        let reactive = read(&[(MODE, "reactive")]).unwrap().unwrap();
        assert!(reactive.reactive && reactive.wait == i64::MAX && reactive.scaling.settle == 0);
        let told = |pairs: &[(&str, &str)]| read(pairs).unwrap_err().to_string();
        assert!(told(&[(SCHEDULER, "AdaptiveBatch")]).contains("Default or Adaptive"));
        assert!(told(&[(MODE, "REACTIVE"), (SCHEDULER, "Default")]).contains("'scheduler-mode' needs"));
        assert!(told(&[(MODE, "fast")]).contains("REACTIVE"));
    }
}
