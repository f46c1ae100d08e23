//! Lookups: rows of a table by key, to be joined with the rows of a stream.
//!
//! A connector that can be queried by key creates a [`LookupTable`], one in each task, like a source. It
//! creates a [`Lookup`], which takes many keys at once: columns of keys in, columns of rows out, with the
//! number of the key for each row ([`Found`]). It is synchronous ([`SyncLookup`]) or asynchronous
//! ([`AsyncLookup`]).
//!
//! Two caches can be put in front of a table, by any connector:
//!
//! | | |
//! |---|---|
//! | [`FullCache`] | reads a bounded [`Source`](crate::Source) to its end and answers from memory; reads it again from time to time |
//! | [`PartialCache`] | remembers what was answered last, of a lookup of either kind |
//!
//! Keys contain no NULL: NULL is equal to nothing, so it is never looked up, and rows whose key is NULL are
//! never found.

mod full_cache;
mod index;
mod model;
pub mod options;
mod partial_cache;
mod read;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use flott_operator::MetricGroup;
use flott_types::{Clock, Error, Result, SubtaskIndex};

pub use full_cache::FullCache;
pub use model::ModelProvider;
pub use partial_cache::{CacheLimits, PartialCache};

/// A table that can be asked for keys. Holds the configuration and nothing that changes.
pub trait LookupTable: Send + Sync {
    /// What a subtask asks.
    ///
    /// # Errors
    /// If it cannot be asked.
    fn lookup(&self, context: LookupContext) -> Result<Lookup>;

    /// Whether it answers later, so that it matters how many requests are under way and how long one may take. One that answers from
    /// memory does not, also if it must be read first.
    fn is_async(&self) -> bool;
}

/// What a lookup may use.
#[derive(Clone, Debug)]
pub struct LookupContext {
    /// The subtask that asks.
    pub subtask: SubtaskIndex,
    /// How many there are.
    pub parallelism: u32,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Metrics of the table's own.
    pub metrics: MetricGroup,
}

/// How a table answers.
pub enum Lookup {
    /// At once: the task waits for it, and does nothing else meanwhile.
    Sync(Box<dyn SyncLookup>),
    /// Later: the task goes on with other rows.
    Async(Box<dyn AsyncLookup>),
}

/// Answers at once.
pub trait SyncLookup: Send {
    /// The rows of each of these keys. The columns are those of the spec's keys, in its order; a key may be there twice.
    ///
    /// # Errors
    /// If there is no answer.
    fn lookup(&mut self, keys: &RecordBatch) -> Result<Found>;
}

/// Answers later.
pub trait AsyncLookup: Send {
    /// As [`SyncLookup::lookup`]. Several may be under way at once, and may be dropped at any time. The future is polled wherever whoever
    /// asks sees fit: one that needs a runtime brings it.
    fn lookup(&mut self, keys: RecordBatch) -> LookupFuture;
}

/// An answer that comes later.
pub type LookupFuture = Pin<Box<dyn Future<Output = Result<Found>> + Send>>;

/// The rows that were found.
#[derive(Clone, Debug)]
pub struct Found {
    rows: RecordBatch,
    keys: Vec<u32>,
}

impl Found {
    /// Rows, with the columns of the spec's projection, and for each the number of its key among those asked for, in ascending order.
    ///
    /// # Errors
    /// If the numbers are not as many as the rows, or not in order.
    pub fn new(rows: RecordBatch, keys: Vec<u32>) -> Result<Self> {
        if rows.num_rows() != keys.len() {
            return Err(Error::internal(format!(
                "{} rows were found of {} keys",
                rows.num_rows(),
                keys.len()
            )));
        }
        if !keys.is_sorted() {
            return Err(Error::internal("rows that were found are not in the order of their keys"));
        }
        Ok(Found { rows, keys })
    }

    /// The rows.
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// The number of the key of each row, in ascending order.
    pub fn keys(&self) -> &[u32] {
        &self.keys
    }
}
