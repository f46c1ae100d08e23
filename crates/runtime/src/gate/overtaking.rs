//! What a gate does for barriers that overtake.
//!
//! It tells its reader when a barrier or an end arrives in a queue, before everything that waits. When a
//! barrier overtakes, it copies what lies in the channels before the barrier, and from then on what still
//! arrives before it ([`Gate::keep`]); that is the part of the snapshot that was under way
//! ([`Gate::take_kept`]). Columns are shared, not copied.
//!
//! A task that cannot send must not be caught in the middle of a batch: it could not take a snapshot there.
//! So a sender of such a job asks for room first ([`Gate::has_room`]), and one that has begun may go over
//! the limits once more, up to twice of them; only then does it wait. What has to precede a barrier that
//! overtakes goes in at once ([`Gate::force`]): a part of a batch for each channel.
//!
//! What is replayed after a restore ([`Gate::replay`]) is read before everything new, of whatever channel. Until
//! then no barrier overtakes: a second restore could not tell what was replayed from what is new.
//!
//! Without [`Gate::with_overtaking`], nothing of this happens and nothing is checked but one flag.

use std::sync::Arc;

use flott_batch::Batch;
use flott_checkpoint::Barrier;
use flott_types::{CheckpointId, Error, Result, Waker};

use super::channel::{Waiter, bytes_of};
use super::{Element, Gate, Limits, State};

/// Which elements a reader takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admit {
    /// All.
    All,
    /// No batch and nothing behind one.
    Control,
    /// None; only messages.
    Nothing,
}

/// What has arrived in a queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// A barrier; of a savepoint, the folder that it goes to.
    Barrier(Barrier, Option<Arc<str>>),
    /// The end.
    End,
}

/// What is kept for one barrier has at most this many times the bytes that a gate holds. The queues bound what
/// lies in front of a barrier when it overtakes (twice their limit, and what was forced into them); but of an
/// input whose barrier comes much later than that of the others, everything up to it is kept.
const KEPT_GATES: usize = 4;

/// What a barrier overtook: elements, in order within each channel.
pub type Kept = Vec<(usize, Element)>;

/// A barrier that has overtaken.
#[derive(Debug)]
pub(super) struct Keeping {
    checkpoint: CheckpointId,
    /// The channels where it has not arrived.
    missing: Vec<usize>,
    /// What it overtook; or why that could not be kept.
    kept: Result<Kept>,
    /// The bytes of it.
    bytes: usize,
    /// How many there may be.
    most: usize,
}

impl Keeping {
    fn add(&mut self, channel: usize, element: &Element) {
        match element {
            Element::Batch(_) | Element::Watermark(_) | Element::Status(_) => {}
            Element::Begin | Element::Barrier(..) | Element::EndOfInput | Element::Broken(_) => return,
        }
        let Ok(kept) = &mut self.kept else { return };
        self.bytes = self.bytes.saturating_add(bytes_of(element));
        if self.bytes > self.most {
            self.kept = Err(Error::external(format!(
                "the barrier has overtaken more than {} bytes, and has still not arrived from every sender",
                self.most
            )));
            return;
        }
        match element.try_clone() {
            Ok(copy) => kept.push((channel, copy)),
            Err(error) => self.kept = Err(error),
        }
    }

    /// Whether nothing behind this belongs to the snapshot.
    fn ends_with(&self, element: &Element) -> bool {
        match element {
            Element::Barrier(barrier, _) => barrier.checkpoint >= self.checkpoint,
            Element::EndOfInput => true,
            Element::Begin
            | Element::Batch(_)
            | Element::Watermark(_)
            | Element::Status(_)
            | Element::Broken(_) => false,
        }
    }
}

impl State {
    /// An element was taken from a channel.
    pub(super) fn took(&mut self, channel: usize) {
        self.took_replayed = None;
        let from = &mut self.channels[channel];
        if from.replayed > 0 {
            from.replayed -= 1;
            self.replaying -= 1;
            self.took_replayed = Some(channel);
            self.hold_new();
        }
    }

    /// Holds the channels in which nothing is left to replay, until that is so in all of them.
    fn hold_new(&mut self) {
        for channel in &mut self.channels {
            channel.held = self.replaying > 0 && channel.replayed == 0;
        }
        self.ready = self.channels.iter().filter(|channel| channel.is_ready()).count();
    }
}

impl Gate {
    /// Lets barriers overtake what waits here.
    #[must_use]
    pub fn with_overtaking(mut self, overtakes: bool) -> Self {
        self.overtakes = overtakes;
        self
    }

    /// Whether barriers may overtake what waits here.
    pub fn overtakes(&self) -> bool {
        self.overtakes
    }

    /// When a sender has to wait in the middle of what it does.
    pub(super) fn limits_of_sending(&self) -> Limits {
        if !self.overtakes {
            return self.limits;
        }
        let Limits { batches, rows, bytes, gate_bytes, batch_bytes } = self.limits;
        let twice = |most: usize| most.saturating_mul(2);
        Limits {
            batches: twice(batches),
            rows: twice(rows),
            bytes: twice(bytes),
            gate_bytes: twice(gate_bytes),
            batch_bytes,
        }
    }

    /// Whether a sender may begin with more for this channel. If not, it is woken when it may.
    pub fn has_room(&self, channel: usize, waker: &Waker) -> bool {
        let mut state = self.state.lock();
        if state.closed || !state.is_full(channel, self.limits) {
            return true;
        }
        self.wait_for_room(&mut state, channel, Waiter::Waker(waker.clone()));
        false
    }

    /// Puts an element into a channel, whether there is room or not.
    pub fn force(&self, channel: usize, element: Element) {
        let bytes = bytes_of(&element);
        self.put(&mut self.state.lock(), channel, element, bytes);
    }

    /// Puts the rest of a batch back to where it was taken from, before anything else is taken.
    pub fn put_back(&self, channel: usize, rest: Batch) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let replayed = usize::from(state.took_replayed == Some(channel));
        self.put_first(state, channel, vec![Element::Batch(rest)], replayed);
    }

    /// Puts elements in front of everything that waits in a channel. Until they and those of other channels
    /// have been read, nothing else is: what is new may retract what is replayed in another channel.
    pub fn replay(&self, channel: usize, elements: Vec<Element>) {
        let mut guard = self.state.lock();
        let replayed = elements.len();
        self.put_first(&mut guard, channel, elements, replayed);
    }

    fn put_first(&self, state: &mut State, channel: usize, elements: Vec<Element>, replayed: usize) {
        if state.closed || elements.is_empty() {
            return;
        }
        let target = &mut state.channels[channel];
        for element in elements.into_iter().rev() {
            let bytes = bytes_of(&element);
            if let Element::Batch(batch) = &element {
                target.batches += 1;
                target.rows += batch.num_rows();
                target.bytes += bytes;
                state.bytes += bytes;
            }
            target.queue.push_front((element, bytes));
        }
        target.replayed += replayed;
        state.replaying += replayed;
        state.hold_new();
        self.wake_reader(state);
    }

    /// A barrier overtakes what lies in these channels, and what still arrives there before it.
    pub fn keep(&self, checkpoint: CheckpointId, channels: &[usize]) {
        let mut guard = self.state.lock();
        let most = self.limits.gate_bytes.saturating_mul(KEPT_GATES);
        let mut keeping = Keeping { checkpoint, missing: Vec::new(), kept: Ok(Vec::new()), bytes: 0, most };
        for channel in channels {
            let mut complete = false;
            for (element, _) in &guard.channels[*channel].queue {
                if keeping.ends_with(element) {
                    complete = true;
                    break;
                }
                keeping.add(*channel, element);
            }
            if !complete {
                keeping.missing.push(*channel);
            }
        }
        guard.keeping.push(keeping);
    }

    /// What a barrier overtook, once it has arrived everywhere; or why that could not be kept: something of it
    /// cannot be copied, or it is too much.
    ///
    /// # Errors
    /// If not everything has arrived.
    pub fn take_kept(&self, checkpoint: CheckpointId) -> Result<Result<Kept>> {
        match self.remove_kept(checkpoint) {
            Some(Keeping { missing, kept, .. }) if missing.is_empty() => Ok(kept),
            Some(_) | None => {
                Err(Error::internal(format!("what barrier {checkpoint} overtook is not complete")))
            }
        }
    }

    /// Nobody asks for what this barrier overtook.
    pub fn drop_kept(&self, checkpoint: CheckpointId) {
        drop(self.remove_kept(checkpoint));
    }

    fn remove_kept(&self, checkpoint: CheckpointId) -> Option<Keeping> {
        let mut state = self.state.lock();
        let at = state.keeping.iter().position(|keeping| keeping.checkpoint == checkpoint)?;
        Some(state.keeping.swap_remove(at))
    }

    /// An element is about to be put into a channel.
    pub(super) fn arrives(&self, state: &mut State, channel: usize, element: &Element) {
        for keeping in &mut state.keeping {
            if !keeping.missing.contains(&channel) {
                continue;
            }
            if keeping.ends_with(element) {
                keeping.missing.retain(|missing| *missing != channel);
            } else {
                keeping.add(channel, element);
            }
        }
        let arrival = match element {
            Element::Barrier(barrier, target) => Arrival::Barrier(*barrier, target.clone()),
            Element::EndOfInput => Arrival::End,
            Element::Begin
            | Element::Batch(_)
            | Element::Watermark(_)
            | Element::Status(_)
            | Element::Broken(_) => return,
        };
        state.arrivals.push_back((channel, arrival));
        self.wake_reader(state);
    }
}
