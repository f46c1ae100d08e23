//! A simulated task: source or keyed counter, with a two-phase sink behind it where nobody reads it. It runs
//! the same state machine as a real task; only what it computes and where it writes is simulated.

use std::collections::{BTreeMap, VecDeque};

use flott_checkpoint::alignment::Mode;
use flott_checkpoint::execution::ExecutionState;
use flott_checkpoint::life::{Action, Event, Stage, TaskLife};
use flott_checkpoint::resources::Slot;
use flott_checkpoint::{Attempt, Barrier, TaskId};
use flott_types::CheckpointId;

use crate::job::{By, KEYS, Record, TaskSpec};
use crate::weather::Mutation;

/// How many elements a channel holds before its sender has to wait.
const CAPACITY: usize = 4;

#[derive(Clone, Copy, Debug)]
pub enum Element {
    Begin,
    Record(Record),
    Barrier(Barrier),
    End,
}

/// What is in a snapshot.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct State {
    /// Of a source.
    pub position: u32,
    /// Of a counter.
    counts: [u32; KEYS],
    /// The counter has finished: its totals have been sent.
    pub finished: bool,
    /// Staged output that is not committed.
    pub pending: Vec<Handle>,
    /// What is to be committed for the job, and is not known to be in the hands of the JobManager.
    pub handed_over: Vec<Handle>,
}

impl State {
    /// Of a counter: each key to the subtask that owns it.
    pub fn redistribute<'a>(states: impl Iterator<Item = &'a State>, parallelism: usize) -> Vec<State> {
        let mut dealt = vec![State::default(); parallelism];
        for state in states {
            for (key, count) in state.counts.iter().enumerate() {
                dealt[key % parallelism].counts[key] += count;
            }
            for handle in &state.pending {
                dealt[handle.task.subtask.index() % parallelism].pending.push(*handle);
            }
            dealt.iter_mut().for_each(|own| own.finished = state.finished);
        }
        dealt
    }
}

/// Names staged output: what one attempt of one task has written for a checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Handle {
    pub task: TaskId,
    pub leader: u64,
    pub attempt: Attempt,
    pub checkpoint: CheckpointId,
    /// Committed for the job.
    pub global: bool,
}

pub struct Channel {
    pub queue: VecDeque<Element>,
    blocked: bool,
}

/// Rows to stage, each part under its name.
pub type Staged = Vec<(Handle, Vec<u32>)>;

/// What a task has to send; the world does it.
#[derive(Default)]
pub struct Outbox {
    pub elements: Vec<(usize, usize, Element)>,
    /// The state as it was at the barrier, and the rows to stage.
    pub snapshots: Vec<(Barrier, State, Staged)>,
    pub declined: Vec<CheckpointId>,
    pub commits: Vec<CheckpointId>,
    pub drained: bool,
}

/// The system that the sinks write to.
#[derive(Default)]
pub struct Sink {
    staged: BTreeMap<Handle, Vec<u32>>,
    committed: BTreeMap<Handle, Vec<u32>>,
    /// By vertex, the last checkpoint of which something was committed for the job.
    last_global: BTreeMap<u32, CheckpointId>,
}

impl Sink {
    /// What a reader of the system sees.
    pub fn rows(&self) -> Vec<(u32, u32)> {
        let mut rows: Vec<_> = self
            .committed
            .iter()
            .flat_map(|(handle, rows)| rows.iter().map(|r| (handle.task.vertex.0, *r)))
            .collect();
        rows.sort_unstable();
        rows
    }

    pub fn stage(&mut self, handle: Handle, rows: Vec<u32>) -> Result<(), String> {
        if self.committed.contains_key(&handle) || self.staged.insert(handle, rows).is_some() {
            return Err(format!("output is staged twice: {handle:?}"));
        }
        Ok(())
    }

    /// Says whether it was there to be committed.
    fn commit(&mut self, handle: Handle) -> bool {
        if let Some(rows) = self.staged.remove(&handle) {
            self.committed.insert(handle, rows);
        }
        // Perhaps a second time: committing is idempotent.
        self.committed.contains_key(&handle)
    }

    /// The same for the job. It comes after what the subtasks commit of the checkpoint, and in order.
    pub fn commit_globally(&mut self, handle: Handle) -> Result<bool, String> {
        if self.staged.contains_key(&handle) {
            let vertex = handle.task.vertex;
            let before = |own: &&Handle| {
                !own.global
                    && own.task.vertex == vertex
                    && (own.leader, own.attempt) == (handle.leader, handle.attempt)
                    && own.checkpoint <= handle.checkpoint
            };
            if let Some(own) = self.staged.keys().find(before) {
                return Err(format!("{handle:?} is committed before {own:?}"));
            }
            let last = self.last_global.entry(vertex.0).or_insert(CheckpointId(0));
            if handle.checkpoint < *last {
                return Err(format!("{handle:?} is committed after output of checkpoint {last}"));
            }
            *last = handle.checkpoint;
        }
        Ok(self.commit(handle))
    }

    /// Staged output that no state holds any more is thrown away.
    pub fn sweep(&mut self, held: impl Fn(&Handle) -> bool) {
        self.staged.retain(|handle, _| held(handle));
    }
}

pub struct Task {
    pub state: ExecutionState,
    pub slot: Slot,
    pub inputs: Vec<Channel>,
    /// What is to be committed, sooner or later.
    pub committing: Vec<Handle>,
    by: By,
    /// Its sources are at their end from the start.
    pub at_end: bool,
    /// The last checkpoint that it was told is complete, and the last of which it has told that its own is
    /// committed.
    complete: CheckpointId,
    confirmed: CheckpointId,
    /// It was told to leave; it does when all is committed.
    leaves: bool,
    named: Handle,
    life: TaskLife,
    /// Of a source: it has asked what it is to read.
    asked: bool,
    /// The counter's.
    stage: Stage,
    data: State,
    /// Rows since the last snapshot.
    rows: Vec<u32>,
}

impl Task {
    pub fn new(spec: &TaskSpec, by: By, attempt: Attempt, slot: Slot, mode: Mode) -> Self {
        let leader = slot.session.leader.0;
        Task {
            slot,
            committing: Vec::new(),
            by,
            at_end: false,
            complete: CheckpointId(0),
            confirmed: CheckpointId(0),
            leaves: false,
            named: Handle { task: spec.id, leader, attempt, checkpoint: CheckpointId(0), global: false },
            state: ExecutionState::Deploying,
            inputs: (0..spec.channels).map(|_| Channel { queue: VecDeque::new(), blocked: false }).collect(),
            life: TaskLife::new(mode, vec![0; spec.channels]),
            asked: false,
            stage: Stage::Running,
            data: State::default(),
            rows: Vec::new(),
        }
    }

    /// It is at work when what it has to commit is committed.
    pub fn restore(&mut self, state: Option<State>, at_end: bool, mutation: Mutation) {
        self.state = ExecutionState::Initializing;
        self.at_end = at_end;
        if let Some(state) = state {
            self.data = state;
            self.stage = Stage::restored(self.data.finished && mutation != Mutation::FinishAgain);
            if mutation == Mutation::SkipOnRestore {
                self.data.position += 1;
            }
        }
        // The JobManager has taken it.
        self.data.handed_over.clear();
        self.committing = self.data.pending.clone();
    }

    /// Whether its process has begun it and it has not ended.
    pub fn is_there(&self) -> bool {
        matches!(self.state, ExecutionState::Initializing | ExecutionState::Running)
    }

    /// Whether there is room in every channel behind it.
    pub fn can_emit(&self, spec: &TaskSpec, tasks: &[Task]) -> bool {
        self.state == ExecutionState::Running
            && !self.life.is_drained()
            && spec
                .outputs
                .iter()
                .flatten()
                .all(|(task, channel)| tasks[*task].inputs[*channel].queue.len() < CAPACITY)
    }

    /// Does one thing, if there is one to do.
    pub fn work(&mut self, spec: &TaskSpec, turn: u32, now: i64, out: &mut Outbox) -> Result<bool, String> {
        if self.leaves {
            return Ok(false);
        }
        if self.life.is_ending() {
            self.step(spec, Event::Outstanding(turn.is_multiple_of(4)), now, out)?;
            return Ok(true);
        }
        if spec.is_source() {
            if !self.life.reads() {
                return Ok(false);
            }
            if !std::mem::replace(&mut self.asked, true) && self.data.position < spec.records {
                self.step(spec, Event::Assigned, now, out)?;
            } else if self.data.position < spec.records {
                let record = Record::read(spec.id.vertex.0, spec.id.subtask.0, self.data.position);
                self.data.position += 1;
                self.emit(spec, record, out);
            } else {
                self.step(spec, Event::SourceEnded, now, out)?;
            }
            return Ok(true);
        }
        let count = self.inputs.len();
        let first = turn as usize % count;
        let ready =
            |channel: &usize| !self.inputs[*channel].blocked && !self.inputs[*channel].queue.is_empty();
        let Some(channel) = (first..count).chain(0..first).find(ready) else {
            return Ok(false);
        };
        match self.inputs[channel].queue.pop_front() {
            Some(Element::Begin) => self.step(spec, Event::Begin { channel }, now, out)?,
            Some(Element::Record(record)) => {
                if self.life.holds(channel) {
                    return Err("a row is read before all channels have spoken".into());
                }
                self.stage.rows().map_err(|e| e.to_string())?;
                self.data.counts[record.key as usize] += 1;
                self.emit(spec, record, out);
            }
            Some(Element::Barrier(barrier)) => {
                self.step(spec, Event::Barrier { channel, barrier }, now, out)?
            }
            Some(Element::End) => self.step(spec, Event::EndOfInput { channel }, now, out)?,
            None => return Ok(false),
        }
        Ok(true)
    }

    pub fn step(&mut self, spec: &TaskSpec, event: Event, now: i64, out: &mut Outbox) -> Result<(), String> {
        for action in self.life.step(event, now).map_err(|e| e.to_string())? {
            match action {
                Action::Block(channel) => self.inputs[channel].blocked = true,
                Action::Unblock => self.inputs.iter_mut().for_each(|c| c.blocked = false),
                Action::Snapshot { barrier, ended, .. } => {
                    if !ended {
                        self.broadcast(spec, Element::Barrier(barrier), out);
                    }
                    out.snapshots.push(self.snapshot(barrier));
                }
                Action::Decline(checkpoint) => out.declined.push(checkpoint),
                Action::Finish => {
                    if self.stage.finish() && !spec.is_source() {
                        self.totals(spec, out);
                    }
                }
                Action::Begin => self.broadcast(spec, Element::Begin, out),
                Action::End => self.broadcast(spec, Element::End, out),
                Action::ReportDrained => out.drained = true,
                Action::Commit(checkpoint) => out.commits.push(checkpoint),
                Action::Leave => self.leaves = true,
                // The next turn says what is outstanding; a counter has one input, and forgets nothing.
                Action::Settle | Action::EndInput(_) | Action::Forget(_) => {}
            }
        }
        Ok(())
    }

    /// Taken between two elements, at the barrier; the world stages the rows.
    fn snapshot(&mut self, barrier: Barrier) -> (Barrier, State, Staged) {
        let rows = std::mem::take(&mut self.rows);
        let is_global = |row: &u32| match self.by {
            By::Subtasks => false,
            By::Job => true,
            By::Both => row.is_multiple_of(2),
        };
        let (global, own): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_global);
        let mut staged = Staged::new();
        for (global, rows) in [(false, own), (true, global)] {
            if !rows.is_empty() {
                let handle = Handle { checkpoint: barrier.checkpoint, global, ..self.named };
                let to = if global { &mut self.data.handed_over } else { &mut self.data.pending };
                to.push(handle);
                staged.push((handle, rows));
            }
        }
        self.data.finished = self.stage.has_finished();
        (barrier, self.data.clone(), staged)
    }

    /// A mistake.
    pub fn forget_handed_over(&mut self) {
        self.data.handed_over.clear();
    }

    /// A checkpoint is complete: what belongs to it and to earlier ones is to be committed.
    pub fn complete(&mut self, complete: CheckpointId) {
        let own =
            |handle: &&Handle| (handle.leader, handle.attempt) == (self.named.leader, self.named.attempt);
        let ready = self.data.pending.iter().filter(own).filter(|handle| handle.checkpoint <= complete);
        let ready: Vec<_> = ready.filter(|handle| !self.committing.contains(handle)).copied().collect();
        self.committing.extend(ready);
        self.data.handed_over.retain(|handle| handle.checkpoint > complete);
        self.complete = self.complete.max(complete);
    }

    /// The checkpoint up to which its own is committed, if it has not told that.
    pub fn confirms(&mut self) -> Option<CheckpointId> {
        let done = self.data.pending.iter().all(|handle| handle.checkpoint > self.complete);
        if self.complete <= self.confirmed || !done {
            return None;
        }
        self.confirmed = self.complete;
        Some(self.complete)
    }

    /// Commits one thing: until then it is held by every snapshot. Says whether it was there.
    pub fn commit_one(&mut self, sink: &mut Sink) -> bool {
        let Some(handle) = self.committing.pop() else { return true };
        self.data.pending.retain(|other| *other != handle);
        sink.commit(handle)
    }

    /// A mistake.
    pub fn forget_one(&mut self) {
        let handle = self.committing.pop();
        self.data.pending.retain(|other| Some(*other) != handle);
    }

    /// Whether it leaves now.
    pub fn has_done(&self) -> bool {
        self.leaves && self.committing.is_empty()
    }

    pub fn describe(&self) -> String {
        let alignment = self.life.alignment();
        let waiting: Vec<_> = alignment.waiting_for().collect();
        let queues: Vec<_> = self.inputs.iter().map(|c| (c.queue.len(), c.blocked)).collect();
        format!(
            "{} position {} drained {} reads {} aligning {:?} waiting {waiting:?} queues {queues:?}",
            self.state,
            self.data.position,
            self.life.is_drained(),
            self.life.reads(),
            alignment.aligning()
        )
    }

    fn totals(&mut self, spec: &TaskSpec, out: &mut Outbox) {
        for key in 0..KEYS as u8 {
            let count = self.data.counts[key as usize];
            if count > 0 {
                self.emit(spec, Record::total(spec.id.vertex.0, key, count), out);
            }
        }
    }

    fn emit(&mut self, spec: &TaskSpec, record: Record, out: &mut Outbox) {
        if spec.is_sink() {
            self.rows.push(record.value);
        }
        for edge in &spec.outputs {
            let (task, channel) = edge[record.key as usize % edge.len()];
            out.elements.push((task, channel, Element::Record(record)));
        }
    }

    fn broadcast(&self, spec: &TaskSpec, element: Element, out: &mut Outbox) {
        for (task, channel) in spec.outputs.iter().flatten() {
            out.elements.push((*task, *channel, element));
        }
    }
}
