//! A simulated task: source or keyed counter, with a two-phase sink behind it where nobody reads it. It runs
//! the same state machine as a real task; only what it computes and where it writes is simulated.

use std::collections::VecDeque;

use flott_checkpoint::alignment::Mode;
use flott_checkpoint::execution::ExecutionState;
use flott_checkpoint::life::{Action, Event, Stage, TaskLife};
use flott_checkpoint::resources::Slot;
use flott_checkpoint::{Attempt, Barrier, TaskId};
use flott_types::CheckpointId;

use crate::job::{By, KEYS, Record, TaskSpec};
use crate::sink::Sink;
use crate::weather::Mutation;

/// How many records a channel holds before its sender has to wait.
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
    /// What the barrier overtook.
    pub in_flight: Vec<Record>,
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
            for record in &state.in_flight {
                dealt[record.key as usize % parallelism].in_flight.push(*record);
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

impl Channel {
    fn records(&self) -> usize {
        self.queue.iter().filter(|element| matches!(element, Element::Record(_))).count()
    }
}

/// What has arrived in a queue.
enum Arrival {
    Barrier(Barrier),
    End,
}

/// A barrier that has overtaken.
struct Keeping {
    checkpoint: CheckpointId,
    /// The channels where it has not arrived.
    missing: Vec<usize>,
    kept: Vec<Record>,
}

/// Rows to stage, each part under its name.
pub type Staged = Vec<(Handle, Vec<u32>)>;

/// What a task has to send; the world does it.
#[derive(Default)]
pub struct Outbox {
    pub elements: Vec<(usize, usize, Element)>,
    /// The rows to stage.
    pub staged: Staged,
    /// The state as it was at the barrier.
    pub snapshots: Vec<(Barrier, State)>,
    pub declined: Vec<CheckpointId>,
    pub commits: Vec<CheckpointId>,
    pub drained: bool,
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
    /// What has arrived and was not told.
    arrivals: VecDeque<(usize, Arrival)>,
    keeping: Vec<Keeping>,
    /// Snapshots of which not everything is kept.
    waiting: Vec<(Barrier, State)>,
    mutation: Mutation,
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
            life: TaskLife::new(mode, vec![0; spec.channels]).with_overtaking(&spec.can_be_overtaken),
            asked: false,
            stage: Stage::Running,
            data: State::default(),
            rows: Vec::new(),
            arrivals: VecDeque::new(),
            keeping: Vec::new(),
            waiting: Vec::new(),
            mutation: Mutation::None,
        }
    }

    /// It is at work when what it has to commit is committed.
    pub fn restore(&mut self, state: Option<State>, at_end: bool, mutation: Mutation) {
        self.state = ExecutionState::Initializing;
        self.at_end = at_end;
        self.mutation = mutation;
        if let Some(state) = state {
            self.data = state;
            self.stage = Stage::restored(self.data.finished && mutation != Mutation::FinishAgain);
            if mutation == Mutation::SkipOnRestore {
                self.data.position += 1;
            }
        }
        let in_flight = std::mem::take(&mut self.data.in_flight);
        if let Some(first) = self.inputs.first_mut().filter(|_| mutation != Mutation::KeptForgotten) {
            in_flight.into_iter().rev().for_each(|record| first.queue.push_front(Element::Record(record)));
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
                .all(|(task, channel)| tasks[*task].inputs[*channel].records() < CAPACITY)
    }

    /// An element arrives in a channel.
    pub fn arrive(&mut self, channel: usize, element: Element) {
        for keeping in self.keeping.iter_mut().filter(|keeping| keeping.missing.contains(&channel)) {
            match element {
                Element::Record(record) => keeping.kept.push(record),
                Element::Barrier(barrier) if barrier.checkpoint < keeping.checkpoint => {}
                Element::Barrier(_) | Element::End => keeping.missing.retain(|missing| *missing != channel),
                Element::Begin => {}
            }
        }
        match element {
            Element::Barrier(barrier) => self.arrivals.push_back((channel, Arrival::Barrier(barrier))),
            Element::End => self.arrivals.push_back((channel, Arrival::End)),
            Element::Begin | Element::Record(_) => {}
        }
        self.inputs[channel].queue.push_back(element);
    }

    /// When a barrier overtakes.
    pub fn next_deadline(&self) -> Option<i64> {
        self.life.next_deadline().filter(|_| self.state == ExecutionState::Running)
    }

    /// Does what needs no room behind it: hears what has arrived, and lets a barrier overtake.
    pub fn attend(&mut self, spec: &TaskSpec, now: i64, out: &mut Outbox) -> Result<bool, String> {
        if self.state != ExecutionState::Running || self.leaves {
            return Ok(false);
        }
        let event = match self.arrivals.pop_front() {
            Some((channel, Arrival::Barrier(barrier))) => Event::Arrived { channel, barrier },
            Some((channel, Arrival::End)) => Event::EndArrived { channel },
            None if self.next_deadline().is_some_and(|at| at <= now) => Event::Tick,
            None => return Ok(false),
        };
        self.step(spec, event, now, out)?;
        match self.next_deadline().is_some_and(|at| at <= now) {
            true => Err("a barrier did not overtake when it was time".into()),
            false => Ok(true),
        }
    }

    /// A barrier overtakes.
    fn keep(&mut self, checkpoint: CheckpointId, channels: Vec<usize>) {
        let mut keeping = Keeping { checkpoint, missing: Vec::new(), kept: Vec::new() };
        for channel in channels {
            let mut complete = false;
            for element in &self.inputs[channel].queue {
                match element {
                    Element::Record(record) => keeping.kept.push(*record),
                    Element::Barrier(barrier) if barrier.checkpoint < checkpoint => {}
                    Element::Barrier(_) | Element::End => complete = true,
                    Element::Begin => {}
                }
                if complete {
                    break;
                }
            }
            if !complete && self.mutation != Mutation::KeptTooLittle {
                keeping.missing.push(channel);
            }
        }
        self.keeping.push(keeping);
    }

    /// Everything that a barrier overtook is kept.
    fn kept(&mut self, checkpoint: CheckpointId, out: &mut Outbox) -> Result<(), String> {
        let at = self.keeping.iter().position(|keeping| keeping.checkpoint == checkpoint);
        let keeping = self.keeping.swap_remove(at.ok_or("nothing was kept")?);
        if !keeping.missing.is_empty() {
            return Err(format!("{checkpoint} is not complete in {:?}", keeping.missing));
        }
        if self.waiting.first().is_none_or(|(barrier, _)| barrier.checkpoint != checkpoint) {
            return Err(format!("{checkpoint} is complete before an earlier one"));
        }
        let (barrier, state) = self.waiting.remove(0);
        out.snapshots.push((barrier, State { in_flight: keeping.kept, ..state }));
        Ok(())
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
        let mut worked = false;
        loop {
            let ready =
                |channel: &usize| !self.inputs[*channel].blocked && !self.inputs[*channel].queue.is_empty();
            let Some(channel) = (first..count).chain(0..first).find(ready) else {
                return Ok(worked);
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
                // Costs no time: those that have overtaken are many.
                Some(Element::Barrier(barrier)) => {
                    self.step(spec, Event::Barrier { channel, barrier }, now, out)?;
                    worked = true;
                    continue;
                }
                Some(Element::End) => self.step(spec, Event::EndOfInput { channel }, now, out)?,
                None => return Ok(worked),
            }
            return Ok(true);
        }
    }

    pub fn step(&mut self, spec: &TaskSpec, event: Event, now: i64, out: &mut Outbox) -> Result<(), String> {
        for action in self.life.step(event, now).map_err(|e| e.to_string())? {
            match action {
                Action::Block(channel) => self.inputs[channel].blocked = true,
                Action::Unblock => self.inputs.iter_mut().for_each(|c| c.blocked = false),
                Action::Snapshot { barrier, ended, overtakes, .. } => {
                    if !ended {
                        self.broadcast(spec, Element::Barrier(barrier), out);
                    }
                    let (state, staged) = self.snapshot(barrier);
                    out.staged.extend(staged);
                    match overtakes {
                        true => self.waiting.push((barrier, state)),
                        false if !self.waiting.is_empty() => {
                            return Err("a snapshot overtakes one that waits for what it keeps".into());
                        }
                        false => out.snapshots.push((barrier, state)),
                    }
                }
                Action::Keep { checkpoint, channels } => self.keep(checkpoint, channels),
                Action::Kept(checkpoint) => self.kept(checkpoint, out)?,
                Action::Decline(checkpoint) => {
                    self.keeping.retain(|keeping| keeping.checkpoint != checkpoint);
                    self.waiting.retain(|(barrier, _)| barrier.checkpoint != checkpoint);
                    out.declined.push(checkpoint);
                }
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
    fn snapshot(&mut self, barrier: Barrier) -> (State, Staged) {
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
        (self.data.clone(), staged)
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
            (alignment.aligning(), self.waiting.len())
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
