//! One channel of a gate: a queue and how full it is.

use std::collections::VecDeque;

use flott_types::Waker;

use super::overtaking::Admit;
use super::{Element, Limits};

#[derive(Default, Debug)]
pub(super) struct Channel {
    /// Of batches the bytes.
    pub(super) queue: VecDeque<(Element, usize)>,
    pub(super) batches: usize,
    pub(super) rows: usize,
    pub(super) bytes: usize,
    pub(super) blocked: bool,
    /// So many elements at its front are replayed after a restore.
    pub(super) replayed: usize,
    /// It has nothing more to replay, but others have.
    pub(super) held: bool,
    /// The sender that was turned away and waits for room.
    pub(super) waiter: Option<Waiter>,
}

#[derive(Debug)]
pub(super) enum Waiter {
    /// On the channel's condition.
    Thread,
    Waker(Waker),
}

impl Channel {
    pub(super) fn is_full(&self, limits: Limits) -> bool {
        self.batches >= limits.batches || self.rows >= limits.rows || self.bytes >= limits.bytes
    }

    /// Half empty before the sender is woken: fewer context switches.
    pub(super) fn has_room_again(&self, limits: Limits) -> bool {
        self.batches <= limits.batches / 2 && self.rows <= limits.rows / 2 && self.bytes <= limits.bytes / 2
    }

    pub(super) fn is_ready(&self) -> bool {
        !self.blocked && !self.held && !self.queue.is_empty()
    }

    /// Whether what is at its front is admitted.
    pub(super) fn is_ready_for(&self, admit: Admit) -> bool {
        self.is_ready()
            && match admit {
                Admit::All => true,
                Admit::Control => !matches!(self.queue.front(), Some((Element::Batch(_), _))),
                Admit::Nothing => false,
            }
    }
}

pub(super) fn bytes_of(element: &Element) -> usize {
    match element {
        Element::Batch(batch) => batch.bytes(),
        Element::Begin
        | Element::Watermark(_)
        | Element::Status(_)
        | Element::Barrier(..)
        | Element::EndOfInput
        | Element::Broken(_) => 0,
    }
}
