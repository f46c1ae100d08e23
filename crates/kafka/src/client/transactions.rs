//! Transactions: begun, ended, listed.
//!
//! A transaction may be ended by anybody who knows its id, producer and epoch. This is how one that was
//! prepared before a crash is finished after it.

use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, EndTxnRequest, InitProducerIdRequest, ListTransactionsRequest, ProducerId,
    TransactionalId,
};
use kafka_protocol::protocol::StrBytes;

use super::{Client, CoordinatorOf, name};
use crate::failure::{Failure, Result};
use crate::producer::PreparedTransaction;

/// How the end of a transaction went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TransactionEnd {
    /// It has ended so, now or before.
    Done,
    /// It had ended otherwise, for this reason.
    Otherwise(String),
    /// The coordinator knows nothing of it any more: it ended long ago.
    Forgotten,
}

/// A transaction that is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedTransaction {
    /// Its id.
    pub transactional_id: String,
    /// Its producer.
    pub producer_id: i64,
}

fn transactional(id: &str) -> TransactionalId {
    StrBytes::from_string(id.to_owned()).into()
}

impl Client {
    /// A producer of a transactional id: its id and epoch. Whatever was open under the id is aborted, and
    /// older producers of it can do no more. Without an id, a producer whose records are written once.
    ///
    /// # Errors
    /// If the coordinator does not allow it.
    pub fn init_producer(&mut self, id: Option<&str>, timeout: Duration) -> Result<(i64, i16)> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(id.map(transactional))
            .with_transaction_timeout_ms(i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX))
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        self.retry("a producer", |client| {
            let response = match id {
                Some(id) => client.ask_coordinator(CoordinatorOf::Transaction, id, &request)?,
                None => client.ask_any(&request)?,
            };
            let what =
                || id.map_or("an idempotent producer".to_owned(), |id| format!("transactional id '{id}'"));
            Failure::check(response.error_code, what)?;
            Ok((response.producer_id.0, response.producer_epoch))
        })
    }

    /// Partitions become part of a transaction, before anything is written to them.
    pub(crate) fn add_to_transaction(
        &mut self,
        transaction: &PreparedTransaction,
        partitions: &[(&str, i32)],
    ) -> Result<()> {
        let id = transaction.transactional_id.as_str();
        let mut topics: Vec<AddPartitionsToTxnTopic> = Vec::new();
        for (topic, index) in partitions {
            match topics.iter_mut().find(|known| known.name.as_str() == *topic) {
                Some(known) => known.partitions.push(*index),
                None => topics.push(
                    AddPartitionsToTxnTopic::default().with_name(name(topic)).with_partitions(vec![*index]),
                ),
            }
        }
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(transactional(id))
            .with_v3_and_below_producer_id(ProducerId(transaction.producer_id))
            .with_v3_and_below_producer_epoch(transaction.epoch)
            .with_v3_and_below_topics(topics);
        self.retry(&format!("the transaction '{id}'"), |client| {
            let response = client.ask_coordinator(CoordinatorOf::Transaction, id, &request)?;
            let mut not_attempted = Ok(());
            for topic in response.results_by_topic_v3_and_below {
                for partition in topic.results_by_partition {
                    let index = partition.partition_index;
                    let result = Failure::check(partition.partition_error_code, || {
                        format!("partition {}-{index}", topic.name.as_str())
                    });
                    // What is wrong stands at another partition.
                    if partition.partition_error_code == ResponseError::OperationNotAttempted.code() {
                        not_attempted = result;
                    } else {
                        result?;
                    }
                }
            }
            not_attempted
        })
    }

    /// Commits or aborts a transaction, perhaps not for the first time.
    ///
    /// # Errors
    /// If the coordinator cannot be asked, or does not allow it.
    pub fn end_transaction(
        &mut self,
        transaction: &PreparedTransaction,
        commit: bool,
    ) -> Result<TransactionEnd> {
        let id = transaction.transactional_id.as_str();
        let request = EndTxnRequest::default()
            .with_transactional_id(transactional(id))
            .with_producer_id(ProducerId(transaction.producer_id))
            .with_producer_epoch(transaction.epoch)
            .with_committed(commit);
        let what = format!("{} the transaction '{id}'", if commit { "committing" } else { "aborting" });
        let ended = self.retry(&what, |client| {
            let response = client.ask_coordinator(CoordinatorOf::Transaction, id, &request)?;
            Failure::check(response.error_code, || format!("producer {}", transaction.producer_id))
        });
        match ended {
            Ok(()) => Ok(TransactionEnd::Done),
            Err(failure) => match failure.error_code() {
                Some(ResponseError::InvalidProducerIdMapping) => Ok(TransactionEnd::Forgotten),
                Some(
                    ResponseError::InvalidTxnState
                    | ResponseError::InvalidProducerEpoch
                    | ResponseError::ProducerFenced,
                ) => Ok(TransactionEnd::Otherwise(failure.to_string())),
                _ => Err(failure),
            },
        }
    }

    /// The open transactions of the cluster that the user may see.
    ///
    /// # Errors
    /// If not all brokers answer.
    pub fn open_transactions(&mut self) -> Result<Vec<ListedTransaction>> {
        self.transactions(&["Ongoing"])
    }

    /// The transactions whose end is decided and not everywhere to be seen yet.
    ///
    /// # Errors
    /// If not all brokers answer.
    pub fn ending_transactions(&mut self) -> Result<Vec<ListedTransaction>> {
        self.transactions(&["PrepareCommit", "PrepareAbort"])
    }

    fn transactions(&mut self, states: &[&'static str]) -> Result<Vec<ListedTransaction>> {
        let states = states.iter().map(|state| StrBytes::from_static_str(state)).collect();
        let request = ListTransactionsRequest::default().with_state_filters(states);
        self.retry("the list of transactions", |client| {
            client.topics_once(Some(&[]), false)?;
            let mut open = Vec::new();
            let mut brokers: Vec<i32> = client.brokers.keys().copied().collect();
            brokers.sort_unstable();
            for broker in brokers {
                let response = client.ask(broker, &request)?;
                Failure::check(response.error_code, || format!("broker {broker}"))?;
                open.extend(response.transaction_states.iter().map(|state| ListedTransaction {
                    transactional_id: state.transactional_id.to_string(),
                    producer_id: state.producer_id.0,
                }));
            }
            Ok(open)
        })
    }
}
