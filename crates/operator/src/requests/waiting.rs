//! Input that waits for room.

use std::collections::VecDeque;

use super::{Control, Queue};
use crate::Backlog;

/// Input that has arrived but has no room in the [`Queue`] yet, in order.
pub struct Waiting<T>(VecDeque<Next<T>>);

/// The next element.
pub enum Next<T> {
    /// Input for a request.
    Input(T),
    /// An element that nothing may overtake.
    Control(Control),
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Waiting(VecDeque::new())
    }
}

impl<T> Waiting<T> {
    /// Adds input for a request.
    pub fn push(&mut self, input: T) {
        self.0.push_back(Next::Input(input));
    }

    /// Adds a control element; it replaces one of its kind directly before it.
    pub fn control(&mut self, control: Control) {
        match self.0.back_mut() {
            Some(Next::Control(before)) if control.is_like(before) => *before = control,
            _ => self.0.push_back(Next::Control(control)),
        }
    }

    /// Takes the next element, if there is one and there is room for it; control elements need none.
    pub fn next_if(&mut self, has_room: impl FnOnce(&T) -> bool) -> Option<Next<T>> {
        self.0.pop_front_if(|next| match next {
            Next::Input(input) => has_room(input),
            Next::Control(_) => true,
        })
    }

    /// The input for requests, in order.
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
