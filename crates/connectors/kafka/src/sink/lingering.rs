//! Open transactions of former attempts, which nobody will commit.

use std::time::Duration;

use flott_connector::SinkContext;
use flott_kafka::Client;
use flott_types::{CheckpointId, Result};

use super::names::{Run, TransactionName};

/// Whether a transaction is in no checkpoint that counts: begun after the one that the job starts from, and
/// not by this attempt. What was begun before is in that checkpoint, or was committed with an earlier one.
fn is_lingering(name: &TransactionName, run: Run, restored: Option<CheckpointId>) -> bool {
    name.run != run && restored.is_none_or(|restored| name.after >= restored)
}

/// Aborts the lingering transactions that fall to this writer: each of them to one.
pub(super) fn abort(client: &mut Client, prefix: &str, run: Run, context: &SinkContext) -> Result<()> {
    let mine = |name: &TransactionName| name.subtask % context.parallelism.max(1) == context.subtask.0;
    for open in client.open_transactions()? {
        let Some(name) = TransactionName::parse(&open.transactional_id, prefix) else { continue };
        if mine(&name) && is_lingering(&name, run, context.restored) {
            tracing::info!("Kafka: aborting the transaction '{}' of a former attempt", open.transactional_id);
            // A new producer of the id ends what the former one has begun.
            client.init_producer(Some(&open.transactional_id), Duration::from_secs(60))?;
        }
    }
    Ok(())
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
        // A former attempt of the same job.
        assert!(is_lingering(&name(Run { attempt: 0, ..ours }, 8), ours, restored));
    }
}
