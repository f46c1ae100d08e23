//! The producer's thread: what is sent when.

use std::collections::VecDeque;
use std::sync::Arc;

use flott_types::{FastMap, FastSet};

use super::round::{Identity, InFlight};
use super::{PreparedTransaction, Segment, Shared};
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::records::BatchBuilder;
use crate::stop::Stop;

/// What there is to do next.
enum Work {
    /// Batches to be sent; of a transaction with this id.
    Send(Option<String>, Vec<((usize, i32), BatchBuilder)>),
    /// The first segment is all acknowledged, and ended.
    End,
    Stop,
}

pub(super) struct Sending {
    pub(super) client: Client,
    /// Of the segment at hand.
    pub(super) identity: Option<Identity>,
    /// By partition, the number of the next record of the identity.
    pub(super) sequences: FastMap<(usize, i32), i32>,
    /// Partitions that are part of the transaction.
    pub(super) added: FastSet<(usize, i32)>,
    /// Who leads them.
    pub(super) leaders: FastMap<(usize, i32), i32>,
}

pub(super) fn run(shared: &Arc<Shared>) {
    let mut sending = Sending {
        client: Client::new(shared.client.clone(), shared.stop.clone()),
        identity: None,
        sequences: FastMap::default(),
        added: FastSet::default(),
        leaders: FastMap::default(),
    };
    loop {
        let done = match next(shared) {
            Work::Stop => break,
            Work::End => {
                end(shared, &mut sending);
                Ok(())
            }
            Work::Send(id, batches) => send(shared, &mut sending, id, batches),
        };
        if let Err(failure) = done {
            if !failure.is_stopped() {
                fail(shared, &failure);
            }
            break;
        }
    }
    abort(shared, sending.identity);
}

/// Waits for something to do.
fn next(shared: &Shared) -> Work {
    let mut state = shared.state.lock();
    loop {
        if shared.stop.is_set() {
            return Work::Stop;
        }
        let flush = state.flush;
        let is_last = state.segments.len() == 1;
        let Some(segment) = state.segments.front_mut() else { return Work::Stop };
        let all = flush || !is_last || segment.ended.is_some();
        let batches = ready(segment, all);
        if !batches.is_empty() {
            return Work::Send(segment.transactional_id.clone(), batches);
        }
        if segment.ended.is_some() {
            return Work::End;
        }
        state.flush = false;
        shared.changed.wait(&mut state);
    }
}

/// Of each partition the first batch, if it is full or all are to be sent.
fn ready(segment: &mut Segment, all: bool) -> Vec<((usize, i32), BatchBuilder)> {
    let mut batches = Vec::new();
    for (partition, waiting) in &mut segment.batches {
        if waiting.len() > 1 || (all && waiting.front().is_some_and(|batch| !batch.is_empty())) {
            batches.extend(waiting.pop_front().map(|batch| (*partition, batch)));
        }
    }
    batches
}

/// The first segment is finished: there may be a transaction to commit.
fn end(shared: &Shared, sending: &mut Sending) {
    let mut state = shared.state.lock();
    let Some(segment) = state.segments.pop_front() else { return };
    let is_transaction = shared.config.transactions.is_some();
    // An identity that nothing was written under is good for the next one.
    let wrote = is_transaction && !sending.added.is_empty();
    let prepared = if wrote { sending.identity.take().and_then(Identity::into_transaction) } else { None };
    if wrote {
        sending.sequences.clear();
        sending.added.clear();
    }
    // Whoever waits for it may have gone: then nobody commits it.
    if let Some(ended) = segment.ended {
        let _ = ended.send(Ok(prepared));
    }
}

fn send(
    shared: &Shared,
    sending: &mut Sending,
    id: Option<String>,
    batches: Vec<((usize, i32), BatchBuilder)>,
) -> Result<()> {
    let taken: usize = batches.iter().map(|(_, batch)| batch.len()).sum();
    let empty = batches.len() * BatchBuilder::new(0).len();
    identify(shared, sending, id)?;
    let mut round = Vec::new();
    for (partition, batch) in batches {
        round.push(InFlight::new(partition, batch, sending, &shared.config)?);
    }
    sending.send(shared, round)?;
    let mut state = shared.state.lock();
    let was_full = state.bytes >= shared.config.buffer;
    state.bytes = state.bytes.saturating_sub(taken.saturating_sub(empty));
    let wakes = was_full && state.bytes < shared.config.buffer;
    drop(state);
    if wakes {
        shared.waker.wake();
    }
    Ok(())
}

/// Who writes: asked for once, or once for each transaction.
fn identify(shared: &Shared, sending: &mut Sending, id: Option<String>) -> Result<()> {
    if sending.identity.is_some() {
        return Ok(());
    }
    sending.identity = Some(match (&shared.config.transactions, id) {
        (Some(transactions), Some(id)) => {
            let (producer_id, epoch) = sending.client.init_producer(Some(&id), transactions.timeout)?;
            Identity::Transaction(PreparedTransaction { transactional_id: id, producer_id, epoch })
        }
        (Some(_), None) => return Err(Failure::last("a transaction has no id")),
        (None, _) if shared.config.is_idempotent => {
            let (id, epoch) = sending.client.init_producer(None, std::time::Duration::ZERO)?;
            Identity::Idempotent(id, epoch)
        }
        (None, _) => Identity::None,
    });
    Ok(())
}

/// Nothing more is written.
fn fail(shared: &Shared, failure: &Failure) {
    let text = failure.to_string();
    let mut state = shared.state.lock();
    for ended in state.segments.iter_mut().filter_map(|segment| segment.ended.take()) {
        let _ = ended.send(Err(text.clone()));
    }
    state.segments = VecDeque::from([Segment::default()]);
    state.bytes = 0;
    state.failed = Some(text);
    drop(state);
    shared.waker.wake();
}

/// Lets nobody wait for a transaction that will not be committed. The coordinator does it too, later.
fn abort(shared: &Shared, identity: Option<Identity>) {
    let Some(transaction) = identity.and_then(Identity::into_transaction) else { return };
    let mut client = Client::new(shared.client.clone(), Arc::new(Stop::default()));
    if let Err(failure) = client.end_transaction(&transaction, false) {
        tracing::warn!("Kafka: {failure}; the broker aborts it when its time is over");
    }
}
