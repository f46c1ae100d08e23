//! Commits prepared transactions, after a crash too.

use flott_connector::{CommitOutcome, CommitRequest, Committable, Committer, Payload};
use flott_kafka::{Client, PreparedTransaction, TransactionEnd};
use flott_types::Result;
use serde::{Deserialize, Serialize};

/// What a checkpoint holds of a transaction.
#[derive(Serialize, Deserialize)]
struct Handed {
    transactional_id: String,
    producer_id: i64,
    epoch: i16,
}

const VERSION: u32 = 1;

pub(super) fn to_committable(transaction: PreparedTransaction) -> Result<Committable> {
    let PreparedTransaction { transactional_id, producer_id, epoch } = transaction;
    Ok(Committable::new(Payload::json(VERSION, &Handed { transactional_id, producer_id, epoch })?))
}

fn from_committable(committable: &Committable) -> Result<PreparedTransaction> {
    let Handed { transactional_id, producer_id, epoch } =
        committable.payload.from_json(&[VERSION], "a transaction of Kafka")?;
    Ok(PreparedTransaction { transactional_id, producer_id, epoch })
}

pub(super) struct KafkaCommitter {
    client: Client,
}

impl KafkaCommitter {
    pub(super) fn new(client: Client) -> Self {
        KafkaCommitter { client }
    }

    fn commit_one(&mut self, request: &CommitRequest) -> Result<CommitOutcome> {
        let transaction = from_committable(&request.committable)?;
        let id = &transaction.transactional_id;
        Ok(match self.client.end_transaction(&transaction, true) {
            Ok(TransactionEnd::Done) => CommitOutcome::Committed,
            // Nobody else uses the id: its epoch has moved on because it was aborted.
            Ok(TransactionEnd::Otherwise(why)) => CommitOutcome::Failed(format!(
                "the rows of the transaction '{id}' are lost: it was aborted before it was committed, because it was open \
                 for longer than 'transaction.timeout.ms' or another job has the prefix ({why})"
            )),
            // Brokers forget ids a week after their last use, and abort what is open long before.
            Ok(TransactionEnd::Forgotten) if request.restored => {
                tracing::warn!(
                    "Kafka: the coordinator knows nothing of the transaction '{id}' any more; it was committed when the \
                     checkpoint was taken, or its rows are lost"
                );
                CommitOutcome::AlreadyCommitted
            }
            Ok(TransactionEnd::Forgotten) => CommitOutcome::Failed(format!(
                "the rows of the transaction '{id}' are lost: the coordinator knows nothing of it"
            )),
            Err(failure) if failure.is_retriable() => {
                CommitOutcome::Retry { after: None, reason: failure.to_string() }
            }
            Err(failure) => return Err(failure.into()),
        })
    }
}

impl Committer for KafkaCommitter {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        requests.iter().map(|request| self.commit_one(request)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form that checkpoints have.
    #[test]
    fn committables_of_the_first_version_are_read() {
        let text = r#"{"transactional_id":"p-0-1","producer_id":4001,"epoch":3}"#;
        let committable = Committable::new(Payload::new(1, text));
        let read = from_committable(&committable).unwrap();
        assert_eq!((read.transactional_id.as_str(), read.producer_id, read.epoch), ("p-0-1", 4001, 3));
        assert_eq!(to_committable(read).unwrap(), committable);
        assert!(from_committable(&Committable::new(Payload::new(2, text))).is_err());
    }
}
