//! A simulated task: source or keyed counter, with a two-phase sink behind it where nobody reads it.

use std::collections::{BTreeMap, VecDeque};

use flott_checkpoint::alignment::{Action, Alignment, Event, Mode};
use flott_checkpoint::execution::ExecutionState;
use flott_checkpoint::{Attempt, Barrier, CheckpointKind, TaskId};
use flott_types::CheckpointId;

use crate::job::{KEYS, Record, TaskSpec};
use crate::weather::Mutation;

/// How many elements a channel holds before its sender has to wait.
const CAPACITY: usize = 4;

#[derive(Clone, Copy, Debug)]
pub enum Element {
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
    /// The totals have been sent.
    flushed: bool,
    /// Staged output that is not committed.
    pending: Vec<CheckpointId>,
}

pub struct Channel {
    pub queue: VecDeque<Element>,
    blocked: bool,
}

/// What a task has to send; the world does it.
#[derive(Default)]
pub struct Outbox {
    pub elements: Vec<(usize, usize, Element)>,
    /// The state as it was at the barrier, and the rows to stage.
    pub snapshots: Vec<(Barrier, State, Vec<u32>)>,
    pub declined: Vec<CheckpointId>,
    pub drained: bool,
}

/// The system that the sinks write to.
#[derive(Default)]
pub struct Sink {
    staged: BTreeMap<(TaskId, CheckpointId), Vec<u32>>,
    committed: BTreeMap<(TaskId, CheckpointId), Vec<u32>>,
}

impl Sink {
    /// What a reader of the system sees.
    pub fn rows(&self) -> Vec<(u32, u32)> {
        let mut rows: Vec<_> = self
            .committed
            .iter()
            .flat_map(|((task, _), rows)| rows.iter().map(|r| (task.vertex.0, *r)))
            .collect();
        rows.sort_unstable();
        rows
    }

    pub fn stage(&mut self, task: TaskId, checkpoint: CheckpointId, rows: Vec<u32>) -> Result<(), String> {
        if self.committed.contains_key(&(task, checkpoint))
            || self.staged.insert((task, checkpoint), rows).is_some()
        {
            return Err(format!("task {task} has staged output for checkpoint {checkpoint} twice"));
        }
        Ok(())
    }

    fn commit(&mut self, task: TaskId, checkpoint: CheckpointId) -> Result<(), String> {
        if let Some(rows) = self.staged.remove(&(task, checkpoint)) {
            self.committed.insert((task, checkpoint), rows);
        }
        match self.committed.contains_key(&(task, checkpoint)) {
            true => Ok(()), // Perhaps a second time: committing is idempotent.
            false => Err(format!("the staged output of task {task} for checkpoint {checkpoint} is gone")),
        }
    }
}

pub struct Task {
    pub attempt: Attempt,
    pub state: ExecutionState,
    pub inputs: Vec<Channel>,
    pub draining: bool,
    pub paused: bool,
    alignment: Alignment,
    data: State,
    /// Rows since the last snapshot.
    rows: Vec<u32>,
    ended: bool,
}

impl Task {
    pub fn new(spec: &TaskSpec, attempt: Attempt, mode: Mode) -> Self {
        Task {
            attempt,
            state: ExecutionState::Deploying,
            inputs: (0..spec.channels).map(|_| Channel { queue: VecDeque::new(), blocked: false }).collect(),
            draining: false,
            paused: false,
            alignment: Alignment::new(mode, spec.channels),
            data: State::default(),
            rows: Vec::new(),
            ended: false,
        }
    }

    pub fn restore(
        &mut self,
        state: Option<State>,
        id: TaskId,
        sink: &mut Sink,
        mutation: Mutation,
    ) -> Result<(), String> {
        self.state = ExecutionState::Running;
        if let Some(state) = state {
            self.data = state;
            if mutation == Mutation::SkipOnRestore {
                self.data.position += 1;
            }
        }
        for checkpoint in std::mem::take(&mut self.data.pending) {
            sink.commit(id, checkpoint)?;
        }
        // What an earlier attempt has staged since will be written anew.
        sink.staged.retain(|(task, _), _| *task != id);
        Ok(())
    }

    /// Whether there is room in every channel behind it.
    pub fn can_emit(&self, spec: &TaskSpec, tasks: &[Task]) -> bool {
        self.state == ExecutionState::Running
            && !self.ended
            && spec
                .outputs
                .iter()
                .flatten()
                .all(|(task, channel)| tasks[*task].inputs[*channel].queue.len() < CAPACITY)
    }

    /// Does one thing, if there is one to do.
    pub fn work(&mut self, spec: &TaskSpec, turn: u32, now: i64, out: &mut Outbox) -> Result<bool, String> {
        if spec.is_source() {
            if self.paused {
                return Ok(false);
            }
            if self.data.position < spec.records && !self.draining {
                let record = Record::read(spec.id.vertex.0, spec.id.subtask.0, self.data.position);
                self.data.position += 1;
                self.emit(spec, record, out);
            } else {
                self.end(spec, out);
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
            Some(Element::Record(record)) => {
                self.data.counts[record.key as usize] += 1;
                self.emit(spec, record, out);
            }
            Some(Element::Barrier(barrier)) => {
                self.align(spec, Event::Barrier { channel, barrier }, now, out)?
            }
            Some(Element::End) => {
                self.align(spec, Event::EndOfInput { channel }, now, out)?;
                if self.alignment.all_ended() {
                    self.totals(spec, out);
                    self.end(spec, out);
                }
            }
            None => return Ok(false),
        }
        Ok(true)
    }

    pub fn align(&mut self, spec: &TaskSpec, event: Event, now: i64, out: &mut Outbox) -> Result<(), String> {
        for action in self.alignment.step(event, now).map_err(|e| e.to_string())? {
            match action {
                Action::Block(channel) => self.inputs[channel].blocked = true,
                Action::Unblock => self.inputs.iter_mut().for_each(|c| c.blocked = false),
                Action::Trigger(barrier) => {
                    if !self.ended {
                        self.broadcast(spec, Element::Barrier(barrier), out);
                    }
                    self.paused |= spec.is_source() && barrier.kind == CheckpointKind::Suspend;
                    out.snapshots.push(self.snapshot(barrier));
                }
                Action::Abort { checkpoint, .. } => out.declined.push(checkpoint),
                _ => return Err("an action that the task does not know".into()),
            }
        }
        Ok(())
    }

    /// Taken between two elements, at the barrier; the world stages the rows.
    fn snapshot(&mut self, barrier: Barrier) -> (Barrier, State, Vec<u32>) {
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() {
            self.data.pending.push(barrier.checkpoint);
        }
        (barrier, self.data.clone(), rows)
    }

    /// A checkpoint is complete: commits what belongs to it and to earlier ones.
    pub fn commit(&mut self, complete: CheckpointId, id: TaskId, sink: &mut Sink) -> Result<(), String> {
        let ready: Vec<_> = self.data.pending.extract_if(.., |c| *c <= complete).collect();
        ready.into_iter().try_for_each(|checkpoint| sink.commit(id, checkpoint))
    }

    pub fn describe(&self) -> String {
        let waiting: Vec<_> = self.alignment.waiting_for().collect();
        let queues: Vec<_> = self.inputs.iter().map(|c| (c.queue.len(), c.blocked)).collect();
        format!(
            "{} position {} ended {} paused {} aligning {:?} waiting {waiting:?} queues {queues:?}",
            self.state,
            self.data.position,
            self.ended,
            self.paused,
            self.alignment.aligning()
        )
    }

    fn totals(&mut self, spec: &TaskSpec, out: &mut Outbox) {
        if !std::mem::replace(&mut self.data.flushed, true) {
            for key in 0..KEYS as u8 {
                let count = self.data.counts[key as usize];
                if count > 0 {
                    self.emit(spec, Record::total(spec.id.vertex.0, key, count), out);
                }
            }
        }
    }

    fn end(&mut self, spec: &TaskSpec, out: &mut Outbox) {
        self.broadcast(spec, Element::End, out);
        self.ended = true;
        out.drained = true;
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
