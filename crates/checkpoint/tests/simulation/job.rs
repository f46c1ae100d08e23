//! The simulated job: a random graph of keyed counters, and what it writes when nothing goes wrong.

use flott_checkpoint::TaskId;
use flott_types::{SubtaskIndex, VertexId};
use rand::Rng;
use rand::rngs::SmallRng;

use crate::task::State;

pub const KEYS: usize = 3;

/// The largest parallelism.
pub const WIDEST: u32 = 3;

/// A record: its value names it (where it was read, or which total it is), so that a lost or doubled one is
/// seen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Record {
    pub key: u8,
    pub value: u32,
}

impl Record {
    /// What a source reads at a position.
    pub fn read(vertex: u32, subtask: u32, position: u32) -> Self {
        let value = vertex * 10_000 + subtask * 1_000 + position;
        Record { key: (value.wrapping_mul(2_654_435_761) >> 16) as u8 % KEYS as u8, value }
    }

    /// What a counter says of a key at the end of its input.
    pub fn total(vertex: u32, key: u8, count: u32) -> Self {
        Record { key, value: 1_000_000 + vertex * 100_000 + u32::from(key) * 10_000 + count }
    }
}

/// Who commits what a sink writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    Subtasks,
    Job,
    /// Every second record the ones, the others the other.
    Both,
}

pub struct Job {
    /// For each vertex who commits, if it is a sink.
    pub by: Vec<By>,
    /// Of each vertex the vertices it reads, and its parallelism. Vertices that read none are sources; those
    /// that nobody reads are sinks (in the same task as the counter or the source).
    pub vertices: Vec<(Vec<usize>, u32)>,
    pub tasks: Vec<TaskSpec>,
}

pub struct TaskSpec {
    pub id: TaskId,
    pub channels: usize,
    /// Of each, whether a barrier may overtake what waits in it.
    pub can_be_overtaken: Vec<bool>,
    /// For each edge, for each subtask at its other end: the task, and its channel.
    pub outputs: Vec<Vec<(usize, usize)>>,
    /// How many records a source has.
    pub records: u32,
}

impl TaskSpec {
    pub fn is_source(&self) -> bool {
        self.channels == 0
    }

    pub fn is_sink(&self) -> bool {
        self.outputs.is_empty()
    }
}

impl Job {
    pub fn random(rng: &mut SmallRng) -> Self {
        let count = rng.random_range(1..=4);
        let mut vertices: Vec<(Vec<usize>, u32)> = Vec::new();
        for vertex in 0..count {
            let mut inputs: Vec<usize> = (0..vertex).filter(|_| rng.random_bool(0.5)).collect();
            inputs.truncate(2);
            vertices.push((inputs, rng.random_range(1..=WIDEST)));
        }
        let by = (0..count).map(|_| [By::Subtasks, By::Job, By::Both][rng.random_range(0..3)]).collect();
        Self::build(vertices, by, |_, _| rng.random_range(0..60))
    }

    /// `records` says how many a source has: by vertex and subtask.
    fn build(
        vertices: Vec<(Vec<usize>, u32)>,
        by: Vec<By>,
        mut records: impl FnMut(usize, u32) -> u32,
    ) -> Self {
        let mut tasks: Vec<TaskSpec> = Vec::new();
        let mut first = Vec::new();
        for (vertex, (inputs, parallelism)) in vertices.iter().enumerate() {
            first.push(tasks.len());
            for subtask in 0..*parallelism {
                tasks.push(TaskSpec {
                    id: TaskId { vertex: VertexId(vertex as u32), subtask: SubtaskIndex(subtask) },
                    channels: 0,
                    can_be_overtaken: Vec::new(),
                    outputs: Vec::new(),
                    records: if inputs.is_empty() { records(vertex, subtask) } else { 0 },
                });
            }
        }
        for (vertex, (inputs, parallelism)) in vertices.iter().enumerate() {
            for input in inputs {
                for upstream in 0..vertices[*input].1 as usize {
                    let mut edge = Vec::new();
                    for subtask in 0..*parallelism as usize {
                        let task = first[vertex] + subtask;
                        edge.push((task, tasks[task].channels));
                        tasks[task].channels += 1;
                        tasks[task].can_be_overtaken.push((vertex + input) % 3 != 2);
                    }
                    tasks[first[*input] + upstream].outputs.push(edge);
                }
            }
        }
        Job { by, vertices, tasks }
    }

    /// The sinks of which something is committed once for the job.
    pub fn global_sinks(&self) -> impl Iterator<Item = u32> {
        let sink = |vertex: u32| self.tasks.iter().any(|task| task.id.vertex.0 == vertex && task.is_sink());
        let global = move |vertex: &u32| self.by[*vertex as usize] != By::Subtasks && sink(*vertex);
        (0..self.vertices.len() as u32).filter(global)
    }

    /// How many slots it needs.
    pub fn width(&self) -> u32 {
        self.vertices.iter().map(|(_, parallelism)| *parallelism).max().unwrap_or(1)
    }

    /// The job with other parallelism, and what its tasks start from when they continue with these states.
    /// Sources keep theirs: their subtasks are their splits. `None` if some subtasks of a vertex have
    /// finished and others not.
    pub fn rescaled(&self, rng: &mut SmallRng, states: &[State]) -> Option<(Job, Vec<State>)> {
        let of = |vertex: usize| {
            let own = self.tasks.iter().zip(states);
            own.filter(move |(spec, _)| spec.id.vertex.0 as usize == vertex).map(|(_, state)| state)
        };
        let mut vertices = self.vertices.clone();
        for (vertex, (inputs, parallelism)) in vertices.iter_mut().enumerate() {
            let finished = of(vertex).filter(|state| state.finished).count();
            if finished != 0 && finished != *parallelism as usize {
                return None;
            }
            if !inputs.is_empty() {
                *parallelism = rng.random_range(1..=WIDEST);
            }
        }
        let records = |vertex: usize, subtask: u32| {
            let id = TaskId { vertex: VertexId(vertex as u32), subtask: SubtaskIndex(subtask) };
            self.tasks.iter().find(|spec| spec.id == id).map_or(0, |spec| spec.records)
        };
        let job = Job::build(vertices, self.by.clone(), records);
        let mut dealt = Vec::new();
        for (vertex, (inputs, parallelism)) in job.vertices.iter().enumerate() {
            match inputs.is_empty() {
                true => dealt.extend(of(vertex).cloned()),
                false => dealt.extend(State::redistribute(of(vertex), *parallelism as usize)),
            }
        }
        Some((job, dealt))
    }

    /// The rows that a run without faults writes, sorted, when the sources have this many records each.
    pub fn expected(&self, records: &[u32]) -> Vec<(u32, u32)> {
        let mut outputs: Vec<Vec<Record>> = Vec::new();
        let mut rows = Vec::new();
        for (vertex, (inputs, _)) in self.vertices.iter().enumerate() {
            let mine = vertex as u32;
            let mut output: Vec<Record> = inputs.iter().flat_map(|input| outputs[*input].clone()).collect();
            if inputs.is_empty() {
                for (spec, records) in self.tasks.iter().zip(records).filter(|(s, _)| s.id.vertex.0 == mine) {
                    output.extend((0..*records).map(|at| Record::read(mine, spec.id.subtask.0, at)));
                }
            } else {
                for key in 0..KEYS as u8 {
                    let count =
                        output.iter().filter(|r| r.key == key && !is_total_of(r, mine)).count() as u32;
                    if count > 0 {
                        output.push(Record::total(mine, key, count));
                    }
                }
            }
            if self.tasks.iter().any(|s| s.id.vertex.0 == mine && s.is_sink()) {
                rows.extend(output.iter().map(|r| (mine, r.value)));
            }
            outputs.push(output);
        }
        rows.sort_unstable();
        rows
    }
}

fn is_total_of(record: &Record, vertex: u32) -> bool {
    record.value >= 1_000_000 && (record.value - 1_000_000) / 100_000 == vertex
}
