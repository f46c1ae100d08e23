//! Batches of values of a user's own type, and the type-erased batch.

use std::any::Any;
use std::fmt;

use flott_types::Timestamp;

use crate::ChangeBatch;

/// Values of a user's own type, with event timestamps where they were assigned.
#[derive(Clone, PartialEq, Debug)]
pub struct Records<T> {
    /// The values in order.
    pub values: Vec<T>,
    /// One timestamp a value, or none at all.
    pub timestamps: Option<Vec<Timestamp>>,
}

impl<T> Records<T> {
    /// Values without timestamps.
    pub fn new(values: Vec<T>) -> Self {
        Records { values, timestamps: None }
    }
}

/// What the runtime must know of [`Records`] of any type.
pub trait AnyRecords: Any + Send {
    /// The number of values.
    fn len(&self) -> usize;
    /// Whether there are no values.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// For a broadcast exchange.
    fn clone_box(&self) -> Box<dyn AnyRecords>;
    /// For the operator that knows the type.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}

impl<T: Clone + Send + 'static> AnyRecords for Records<T> {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn clone_box(&self) -> Box<dyn AnyRecords> {
        Box::new(self.clone())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// A batch of either kind, as it moves between operators.
pub enum Batch {
    /// Columns of SQL and the Table API.
    Changes(ChangeBatch),
    /// Values of the DataStream API.
    Records(Box<dyn AnyRecords>),
}

impl Batch {
    /// The number of rows or values that count.
    pub fn num_rows(&self) -> usize {
        match self {
            Batch::Changes(changes) => changes.num_rows(),
            Batch::Records(records) => records.len(),
        }
    }
}

impl Clone for Batch {
    fn clone(&self) -> Self {
        match self {
            Batch::Changes(changes) => Batch::Changes(changes.clone()),
            Batch::Records(records) => Batch::Records(records.clone_box()),
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Batch::Changes(changes) => changes.fmt(f),
            Batch::Records(records) => write!(f, "{} records", records.len()),
        }
    }
}

impl From<ChangeBatch> for Batch {
    fn from(changes: ChangeBatch) -> Self {
        Batch::Changes(changes)
    }
}
