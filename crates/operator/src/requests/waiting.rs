//! Input that waits for room.

use std::collections::VecDeque;

use super::{Control, Queue};
use crate::Backlog;

/// What has come and has no room in the [`Queue`] yet, in its order.
pub struct Waiting<T>(VecDeque<Next<T>>);

/// What comes next.
pub enum Next<T> {
    /// Something to make a request of.
    Input(T),
    /// What nothing passes.
    Control(Control),
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Waiting(VecDeque::new())
    }
}

impl<T> Waiting<T> {
    /// Something to make a request of has come.
    pub fn push(&mut self, input: T) {
        self.0.push_back(Next::Input(input));
    }

    /// A control element has come; it takes the place of one of its kind directly before it.
    pub fn control(&mut self, control: Control) {
        match self.0.back_mut() {
            Some(Next::Control(before)) if control.is_like(before) => *before = control,
            _ => self.0.push_back(Next::Control(control)),
        }
    }

    /// Takes the next, if there is one, and room for it; control elements need none.
    pub fn next_if(&mut self, has_room: impl FnOnce(&T) -> bool) -> Option<Next<T>> {
        self.0.pop_front_if(|next| match next {
            Next::Input(input) => has_room(input),
            Next::Control(_) => true,
        })
    }

    /// What requests are to be made of, in order.
    pub fn inputs(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(|next| match next {
            Next::Input(input) => Some(input),
            Next::Control(_) => None,
        })
    }

    /// The backlog of an operator with this queue.
    pub fn backlog<I, R, O>(&self, queue: &Queue<I, R, O>) -> Backlog {
        match (self.0.is_empty(), queue.is_empty()) {
            (false, _) => Backlog::Full,
            (true, false) => Backlog::Open,
            (true, true) => Backlog::None,
        }
    }
}
