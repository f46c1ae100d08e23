//! Open transactions of former attempts, which nobody will commit.
//!
//! They are looked for before anything is written, and a few times after that: a coordinator that moves to
//! another broker just then lists nothing, and the last requests of a process that was killed may reach theirs
//! late. Consumers that read what is committed would wait for such a transaction until it times out.

use std::sync::Arc;
use std::time::Duration;

use flott_connector::SinkContext;
use flott_kafka::{Client, Stop};
use flott_types::{CheckpointId, Error, Result};

use super::names::{Run, TransactionName};

/// When it is looked again, each after the one before.
const AGAIN: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(20), Duration::from_secs(120)];

/// Whether a transaction is in no checkpoint that counts: begun after the one that the job starts from, and
/// by no attempt that came later. What was begun before is in that checkpoint, or was committed with an
/// earlier one.
fn is_lingering(name: &TransactionName, run: Run, restored: Option<CheckpointId>) -> bool {
    let is_former = name.run.job != run.job || name.run.attempt < run.attempt;
    is_former && restored.is_none_or(|restored| name.after >= restored)
}

/// Whether it is so still, a while after the start. By then there may be a job that has taken over, and this
/// one may not know yet that it has lost its place: only its own former attempts are certain to be former.
fn is_still_lingering(name: &TransactionName, run: Run, restored: Option<CheckpointId>) -> bool {
    name.run.job == run.job && is_lingering(name, run, restored)
}

/// What a writer needs to tell its lingering transactions: each of them falls to one writer.
#[derive(Clone)]
pub(super) struct Lingering {
    prefix: String,
    run: Run,
    restored: Option<CheckpointId>,
    subtask: u32,
    parallelism: u32,
}

impl Lingering {
    pub(super) fn new(prefix: &str, run: Run, context: &SinkContext) -> Self {
        Lingering {
            prefix: prefix.to_owned(),
            run,
            restored: context.restored,
            subtask: context.subtask.0,
            parallelism: context.parallelism.max(1),
        }
    }

    /// Aborts those that the brokers list, before this writer writes anything.
    pub(super) fn abort(&self, client: &mut Client) -> Result<()> {
        self.abort_all(client, is_lingering)
    }

    fn abort_all(
        &self,
        client: &mut Client,
        is_lingering: fn(&TransactionName, Run, Option<CheckpointId>) -> bool,
    ) -> Result<()> {
        for open in client.open_transactions()? {
            let Some(name) = TransactionName::parse(&open.transactional_id, &self.prefix) else { continue };
            let is_mine = name.subtask % self.parallelism == self.subtask;
            if is_mine && is_lingering(&name, self.run, self.restored) {
                tracing::info!(
                    "Kafka: aborting the transaction '{}' of a former attempt",
                    open.transactional_id
                );
                // A new producer of the id ends what the former one has begun.
                client.init_producer(Some(&open.transactional_id), Duration::from_secs(60))?;
            }
        }
        Ok(())
    }

    /// Looks again later, on a thread of its own, as long as the writer has what this returns.
    pub(super) fn look_again(self, config: Arc<flott_kafka::ClientConfig>) -> Result<LooksAgain> {
        let stop = Arc::new(Stop::default());
        let of_thread = stop.clone();
        let look = move || {
            let mut client = Client::new(config, of_thread.clone());
            for pause in AGAIN {
                if of_thread.wait(pause) {
                    return;
                }
                if let Err(error) = self.abort_all(&mut client, is_still_lingering)
                    && !of_thread.is_set()
                {
                    tracing::warn!(
                        "Kafka: open transactions of former attempts were not looked for: {error}"
                    );
                }
            }
        };
        let spawned = std::thread::Builder::new().name("kafka lingering".to_owned()).spawn(look);
        spawned.map_err(|error| Error::external("cannot start a thread").with_source(error))?;
        Ok(LooksAgain(stop))
    }
}

/// Dropping it ends the search.
pub(super) struct LooksAgain(Arc<Stop>);

impl Drop for LooksAgain {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[cfg(test)]
mod tests {
    use flott_types::JobId;

    use super::*;

    #[test]
    fn what_a_checkpoint_may_hold_is_left_alone() {
        let (ours, other) = (Run { job: JobId(2), attempt: 1 }, Run { job: JobId(1), attempt: 1 });
        let name = |run, after| TransactionName {
            prefix: "p".to_owned(),
            subtask: 0,
            run,
            writer: 1,
            after: CheckpointId(after),
        };
        let restored = Some(CheckpointId(7));
        // Begun before checkpoint 7, so prepared with it or before.
        assert!(!is_lingering(&name(other, 6), ours, restored));
        assert!(is_lingering(&name(other, 7), ours, restored));
        assert!(is_lingering(&name(other, 9), ours, restored));
        assert!(!is_lingering(&name(ours, 7), ours, restored));
        // Without a checkpoint nothing is promised.
        assert!(is_lingering(&name(other, 0), ours, None));
        assert!(!is_lingering(&name(ours, 0), ours, None));
        // A former attempt of the same job, and a later one.
        assert!(is_lingering(&name(Run { attempt: 0, ..ours }, 8), ours, restored));
        assert!(!is_lingering(&name(Run { attempt: 2, ..ours }, 8), ours, restored));
        // Later on, another job may be the one that counts.
        assert!(!is_still_lingering(&name(other, 9), ours, restored));
        assert!(is_still_lingering(&name(Run { attempt: 0, ..ours }, 8), ours, restored));
    }
}
