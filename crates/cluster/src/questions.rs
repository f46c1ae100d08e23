//! What TaskManagers are asked, and who waits for the answers.
//!
//! A question goes to one TaskManager or to several, under a number; each answers by itself. Who asks waits for those
//! that answer soon.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use flott_types::{Clock, SystemClock};
use parking_lot::Mutex;

use crate::messages::{Answer, Question, TaskManagerId, ToTaskManager, Work};
use crate::resource_manager::GrantedSlot;

/// A TaskManager that does not answer within this time is left out.
const WITHIN: Duration = Duration::from_secs(1);

/// Questions that are not answered yet, and where their answers go.
#[derive(Default)]
pub(crate) struct Questions {
    pending: Mutex<BTreeMap<u64, Sender<(TaskManagerId, Answer)>>>,
    asked: AtomicU64,
}

impl Questions {
    /// Asks these TaskManagers, and waits for those that answer soon.
    pub(crate) fn ask(&self, what: &Question, members: Vec<GrantedSlot>) -> Vec<(TaskManagerId, Answer)> {
        let question = self.asked.fetch_add(1, Ordering::Relaxed);
        let (answer, answers) = channel();
        self.pending.lock().insert(question, answer);
        let work = || Work::Answer { question, what: what.clone() };
        let asked = members
            .into_iter()
            .filter(|member| member.gateway.send(ToTaskManager::Work(member.slot.session, work())));
        let clock = SystemClock::new();
        let left = || WITHIN.saturating_sub(Duration::from_nanos(clock.nanos()));
        let heard = (0..asked.count()).map_while(|_| answers.recv_timeout(left()).ok()).collect();
        self.pending.lock().remove(&question);
        heard
    }

    /// A TaskManager has answered; perhaps too late.
    pub(crate) fn answered(&self, by: TaskManagerId, question: u64, answer: Answer) {
        if let Some(asker) = self.pending.lock().get(&question) {
            // Nobody waits any more.
            let _ = asker.send((by, answer));
        }
    }
}
