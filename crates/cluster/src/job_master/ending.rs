//! The last thing that a job waits for.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::worker::Finishing;

use super::JobMessage;

/// How long a job that has ended waits for its store.
const STORE_ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How often it checks in the meantime whether it has to end.
const STORE_LOOK: Duration = Duration::from_millis(50);

/// Waits for what is still being written or deleted at the end of a job. A job that has finished must not be
/// gone on with from a checkpoint that could not be deleted, so only who cancels it gives up on a store that
/// does not answer.
pub(super) fn await_storage(storage: Finishing, received: &Receiver<JobMessage>, finished: bool) {
    let mut patience = (!finished).then_some(STORE_ANSWERS_WITHIN);
    while !storage.wait_for(STORE_LOOK) {
        let told = received.try_iter().any(|told| matches!(told, JobMessage::Cancel | JobMessage::Suspend));
        if told {
            patience.get_or_insert(STORE_ANSWERS_WITHIN);
        }
        if let Some(left) = &mut patience {
            *left = left.saturating_sub(STORE_LOOK);
            if left.is_zero() {
                tracing::warn!("the checkpoint store does not respond; the job ends without it");
                storage.abandon();
                return;
            }
        }
    }
}
