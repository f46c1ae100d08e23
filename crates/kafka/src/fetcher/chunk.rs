//! What one fetch brought of a partition.

use std::collections::VecDeque;
use std::sync::Arc;

use flott_types::FastSet;

use crate::client::Aborted;
use crate::config::Isolation;
use crate::records::{Batch, Message};

/// Consecutive records of a partition, read one by one.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Of this topic.
    pub topic: Arc<str>,
    /// Of this partition.
    pub index: i32,
    /// The next offset that will be written, as of this fetch.
    pub high_watermark: i64,
    /// The offset after the last record, also after those that are not shown.
    end: i64,
    /// The next offset to be shown.
    next: i64,
    batches: VecDeque<Batch>,
    /// Where in the first batch.
    at: (usize, i32),
}

impl Chunk {
    /// What is to be seen of these batches from an offset on.
    pub(super) fn new(
        (topic, index): (Arc<str>, i32),
        high_watermark: i64,
        offset: i64,
        batches: Vec<Batch>,
        aborted: &[Aborted],
        isolation: Isolation,
    ) -> Self {
        let end = batches.last().map_or(offset, |batch| batch.last_offset.saturating_add(1)).max(offset);
        let batches = visible(batches, aborted, isolation);
        Chunk { topic, index, high_watermark, end, next: offset, batches, at: (0, 0) }
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.batches.iter().map(Batch::bytes).sum()
    }

    /// The offset from which on a new fetch goes on.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    /// The offset after what was read of it; after the last record it is past those that are not shown.
    pub fn position(&self) -> i64 {
        if self.batches.is_empty() { self.end } else { self.next }
    }

    /// Whether there is nothing left.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Hands over records before an offset until `take` says that it is enough, with the batch that each is
    /// in.
    ///
    /// # Errors
    /// If a record is damaged, or what `take` says.
    pub fn read<E: From<Damaged>>(
        &mut self,
        before: i64,
        mut take: impl FnMut(&Batch, Message<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        while let Some(batch) = self.batches.front() {
            let mut messages = batch.messages_at(self.at.0, self.at.1);
            while let Some(message) = messages.next() {
                let message = message.map_err(Damaged)?;
                if message.offset >= before {
                    // Nothing that follows is before it.
                    self.batches.clear();
                    self.end = before;
                    return Ok(());
                }
                self.at = messages.place();
                if message.offset < self.next {
                    continue;
                }
                self.next = message.offset + 1;
                if !take(batch, message)? {
                    return Ok(());
                }
            }
            self.next = self.next.max(batch.last_offset.saturating_add(1));
            self.batches.pop_front();
            self.at = (0, 0);
        }
        Ok(())
    }
}

/// A record cannot be taken apart.
#[derive(Debug)]
pub struct Damaged(pub String);

impl From<Damaged> for flott_types::Error {
    fn from(damaged: Damaged) -> Self {
        flott_types::Error::data(damaged.0)
    }
}

/// Without marks, and without what belongs to transactions that were aborted.
fn visible(batches: Vec<Batch>, aborted: &[Aborted], isolation: Isolation) -> VecDeque<Batch> {
    let mut aborting: FastSet<i64> = FastSet::default();
    let mut aborted = aborted.iter().peekable();
    let mut seen = VecDeque::new();
    for batch in batches {
        while let Some(one) = aborted.next_if(|one| one.first_offset <= batch.last_offset) {
            aborting.insert(one.producer_id);
        }
        if batch.is_control {
            if batch.aborts() {
                aborting.remove(&batch.producer_id);
            }
            continue;
        }
        let hidden = isolation == Isolation::ReadCommitted
            && batch.is_transactional
            && aborting.contains(&batch.producer_id);
        if !hidden {
            seen.push_back(batch);
        }
    }
    seen
}
