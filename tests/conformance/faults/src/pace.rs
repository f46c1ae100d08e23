//! How fast sources read: this many turns at a time.

use std::time::Duration;

use flott::types::Waker;
use parking_lot::{Condvar, Mutex};

/// The turns that all readers of a job share. A turn is one call of a reader: a batch, or that it has come to
/// the end of something.
pub struct Pace {
    state: Mutex<State>,
    used: Condvar,
}

struct State {
    /// Turns left; `None`: as many as they like.
    left: Option<u64>,
    waiting: Vec<Waker>,
    /// This many turns from now, a reader fails.
    fails_in: Option<u64>,
}

/// What a reader may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// It reads.
    Go,
    /// It waits to be woken.
    Wait,
    /// It fails.
    Fail,
}

impl Pace {
    /// Without a limit.
    pub fn open() -> Self {
        Pace {
            state: Mutex::new(State { left: None, waiting: Vec::new(), fails_in: None }),
            used: Condvar::new(),
        }
    }

    /// From now on there are this many turns; `None` is no limit.
    pub fn allow(&self, turns: Option<u64>) {
        let mut state = self.state.lock();
        state.left = turns;
        if turns != Some(0) {
            state.waiting.drain(..).for_each(|waker| waker.wake());
        }
    }

    /// A reader fails, this many turns from now.
    pub fn fail_in(&self, turns: u64) {
        self.state.lock().fails_in = Some(turns);
    }

    /// Takes a turn.
    pub fn take(&self, waker: &Waker) -> Turn {
        let mut state = self.state.lock();
        match &mut state.left {
            Some(0) => {
                state.waiting.push(waker.clone());
                return Turn::Wait;
            }
            Some(left) => {
                *left -= 1;
                if *left == 0 {
                    self.used.notify_all();
                }
            }
            None => {}
        }
        match &mut state.fails_in {
            Some(0) => {
                state.fails_in = None;
                return Turn::Fail;
            }
            Some(turns) => *turns -= 1,
            None => {}
        }
        Turn::Go
    }

    /// Waits until all turns are taken, at most this long; says whether they are.
    pub fn wait(&self, timeout: Duration) -> bool {
        let mut state = self.state.lock();
        !self.used.wait_while_for(&mut state, |state| state.left != Some(0), timeout).timed_out()
    }
}
