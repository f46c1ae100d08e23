//! Batches of values of a user's own type, and the type-erased batch.

use std::any::Any;
use std::fmt;

use flott_types::{Error, Result, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ChangeBatch, copy};

/// What a value in a stream must be: serialisable and deserialisable. Any `serde` type is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a record of a stream",
    label = "a record must be `Serialize + Deserialize + Send + 'static`",
    note = "records leave the process and are part of snapshots: derive `serde::Serialize` and `serde::Deserialize` for `{Self}`"
)]
pub trait Record: Serialize + DeserializeOwned + Send + 'static {}

// The error for a type that lacks something says what records are, not which traits are missing.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Record for T {}

/// Values of a user's own type, with event timestamps where they were assigned.
#[derive(Clone, PartialEq, Debug)]
pub struct Records<T> {
    /// The values in order.
    pub values: Vec<T>,
    /// One timestamp per value, or none at all.
    pub timestamps: Option<Vec<Timestamp>>,
    /// One route per value, or none at all: the hash of its key on a keyed stream, or the number of its
    /// receiver where a function decides that.
    pub routes: Option<Vec<u64>>,
}

impl<T> Default for Records<T> {
    fn default() -> Self {
        Records::new(Vec::new())
    }
}

impl<T> Records<T> {
    /// Values without timestamps.
    pub fn new(values: Vec<T>) -> Self {
        Records { values, timestamps: None, routes: None }
    }

    /// Values with a timestamp each.
    pub fn with_timestamps(values: Vec<T>, timestamps: Vec<Timestamp>) -> Self {
        debug_assert_eq!(values.len(), timestamps.len());
        Records { values, timestamps: Some(timestamps), routes: None }
    }

    /// The timestamp of a value.
    #[inline]
    pub fn timestamp(&self, at: usize) -> Option<Timestamp> {
        self.timestamps.as_ref().map(|timestamps| timestamps[at])
    }
}

/// What the runtime must know about [`Records`] of any type.
pub trait AnyRecords: Any + Send {
    /// The number of values.
    fn len(&self) -> usize;
    /// Whether there are no values.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The approximate number of bytes that they keep in memory.
    fn bytes(&self) -> usize;
    /// A copy, for a second receiver. Values are serialised and deserialised, because they need not be
    /// `Clone`.
    ///
    /// # Errors
    /// If the type's own `Serialize` or `Deserialize` fails.
    fn try_clone(&self) -> Result<Box<dyn AnyRecords>>;
    /// Splits off the values from this one.
    fn split_off(&mut self, at: usize) -> Box<dyn AnyRecords>;
    /// All of it as bytes, for [`AnyRecords::reader`] within this process.
    ///
    /// # Errors
    /// If the type's own `Serialize` fails.
    fn to_bytes(&self) -> Result<Vec<u8>>;
    /// Reads records of this type from such bytes.
    fn reader(&self) -> fn(&[u8]) -> Result<Box<dyn AnyRecords>>;
    /// The name of the values' type, for messages.
    fn type_name(&self) -> &'static str;
    /// For the operator that knows the type.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
    /// The routes of the values, if they have any.
    fn routes(&self) -> Option<&[u64]>;
    /// Distributes the values: value `i` to part `targets[i]`, of this many parts. Their order is kept within
    /// a part.
    fn deal(self: Box<Self>, targets: &[u32], parts: usize) -> Vec<Option<Box<dyn AnyRecords>>>;
    /// Adds the values of another batch of the same type.
    ///
    /// # Errors
    /// If it is of another type.
    fn append(&mut self, other: Box<dyn AnyRecords>) -> Result<()>;
}

impl dyn AnyRecords {
    /// Whether the values are of this type.
    pub fn is<T: Record>(&self) -> bool {
        let any: &dyn Any = self;
        any.is::<Records<T>>()
    }
}

impl<T: Record> AnyRecords for Records<T> {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn bytes(&self) -> usize {
        Records::bytes(self)
    }

    fn split_off(&mut self, at: usize) -> Box<dyn AnyRecords> {
        Box::new(Records {
            values: self.values.split_off(at),
            timestamps: self.timestamps.as_mut().map(|timestamps| timestamps.split_off(at)),
            routes: self.routes.as_mut().map(|routes| routes.split_off(at)),
        })
    }

    fn try_clone(&self) -> Result<Box<dyn AnyRecords>> {
        let values = read::<T, _>(&write::<T, _>(&self.values)?)?;
        let (timestamps, routes) = (self.timestamps.clone(), self.routes.clone());
        Ok(Box::new(Records::<T> { values, timestamps, routes }))
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        write::<T, _>(&(&self.values, &self.timestamps, &self.routes))
    }

    fn reader(&self) -> fn(&[u8]) -> Result<Box<dyn AnyRecords>> {
        |bytes| {
            let (values, timestamps, routes) = read::<T, _>(bytes)?;
            Ok(Box::new(Records::<T> { values, timestamps, routes }))
        }
    }

    fn type_name(&self) -> &'static str {
        std::any::type_name::<T>()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }

    fn routes(&self) -> Option<&[u64]> {
        self.routes.as_deref()
    }

    fn deal(self: Box<Self>, targets: &[u32], parts: usize) -> Vec<Option<Box<dyn AnyRecords>>> {
        debug_assert_eq!(targets.len(), self.values.len());
        let mut counts = vec![0usize; parts];
        targets.iter().for_each(|target| counts[*target as usize] += 1);
        if let Some(only) = counts.iter().position(|count| *count == targets.len()) {
            let mut dealt: Vec<Option<Box<dyn AnyRecords>>> = (0..parts).map(|_| None).collect();
            if !targets.is_empty() {
                dealt[only] = Some(self);
            }
            return dealt;
        }
        let Records { values, timestamps, routes } = *self;
        let empty = |count: &usize| Records {
            values: Vec::with_capacity(*count),
            timestamps: timestamps.as_ref().map(|_| Vec::with_capacity(*count)),
            routes: routes.as_ref().map(|_| Vec::with_capacity(*count)),
        };
        let mut dealt: Vec<Records<T>> = counts.iter().map(empty).collect();
        for (value, target) in values.into_iter().zip(targets) {
            dealt[*target as usize].values.push(value);
        }
        for (timestamp, target) in timestamps.into_iter().flatten().zip(targets) {
            dealt[*target as usize].timestamps.get_or_insert_default().push(timestamp);
        }
        for (route, target) in routes.into_iter().flatten().zip(targets) {
            dealt[*target as usize].routes.get_or_insert_default().push(route);
        }
        let part = |part: Records<T>| -> Option<Box<dyn AnyRecords>> {
            (!part.values.is_empty()).then(|| Box::new(part) as Box<dyn AnyRecords>)
        };
        dealt.into_iter().map(part).collect()
    }

    fn append(&mut self, other: Box<dyn AnyRecords>) -> Result<()> {
        let other = downcast::<T>(other)?;
        extend(&mut self.timestamps, self.values.len(), other.timestamps, other.values.len(), i64::MIN);
        extend(&mut self.routes, self.values.len(), other.routes, other.values.len(), 0);
        self.values.extend(other.values);
        Ok(())
    }
}

/// Names instead of positions, to support whatever a type does with serde.
fn write<T, V: Serialize>(values: &V) -> Result<Vec<u8>> {
    copy::write(values).map_err(|error| refused::<T>(&error))
}

fn read<T, V: DeserializeOwned>(bytes: &[u8]) -> Result<V> {
    copy::read(bytes).map_err(|error| refused::<T>(&error))
}

fn refused<T>(error: &dyn fmt::Display) -> Error {
    let name = std::any::type_name::<T>();
    Error::data(format!("a value of type {name} cannot be copied for a second receiver: {error}"))
}

/// Appends one optional column to another; if only one exists, the other's values are `none`.
fn extend<V: Clone>(column: &mut Option<Vec<V>>, len: usize, more: Option<Vec<V>>, count: usize, none: V) {
    match (column.as_mut(), more) {
        (None, None) => {}
        (Some(column), Some(more)) => column.extend(more),
        (Some(column), None) => column.resize(len + count, none),
        (None, Some(more)) => {
            let mut all = vec![none; len];
            all.extend(more);
            *column = Some(all);
        }
    }
}

/// Records with the type that the caller knows.
///
/// # Errors
/// If they are of another type: a defect of the plan.
pub fn downcast<T: Record>(records: Box<dyn AnyRecords>) -> Result<Records<T>> {
    let found = records.type_name();
    match records.into_any().downcast::<Records<T>>() {
        Ok(records) => Ok(*records),
        Err(_) => {
            let wanted = std::any::type_name::<T>();
            Err(Error::internal(format!(
                "records of type {found} arrived where records of type {wanted} were expected"
            )))
        }
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
    /// The number of selected rows, or of values.
    pub fn num_rows(&self) -> usize {
        match self {
            Batch::Changes(changes) => changes.num_rows(),
            Batch::Records(records) => records.len(),
        }
    }

    /// A copy, for a second receiver. Columns are shared; values are copied one by one.
    ///
    /// # Errors
    /// As [`AnyRecords::try_clone`].
    pub fn try_clone(&self) -> Result<Batch> {
        Ok(match self {
            Batch::Changes(changes) => Batch::Changes(changes.clone()),
            Batch::Records(records) => Batch::Records(records.try_clone()?),
        })
    }

    /// Values of this type.
    ///
    /// # Errors
    /// If the batch holds something else: a defect of the plan.
    pub fn into_records<T: Record>(self) -> Result<Records<T>> {
        match self {
            Batch::Records(records) => downcast(records),
            Batch::Changes(_) => Err(Error::internal("columns arrived where records were expected")),
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

impl<T: Record> From<Records<T>> for Batch {
    fn from(records: Records<T>) -> Self {
        Batch::Records(Box::new(records))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_dealt_in_order_with_what_belongs_to_them() {
        let mut records = Records::with_timestamps(vec!["a", "b", "c", "d"], vec![1, 2, 3, 4]);
        records.routes = Some(vec![10, 20, 30, 40]);
        let records = Records {
            values: records.values.iter().map(|value| value.to_string()).collect(),
            timestamps: records.timestamps,
            routes: records.routes,
        };
        let dealt = Box::new(records).deal(&[2, 0, 2, 2], 3);
        let part = |at: usize| dealt[at].as_ref().map(|part| part.try_clone().unwrap());
        let last = downcast::<String>(part(2).unwrap()).unwrap();
        assert_eq!(last.values, ["a", "c", "d"]);
        assert_eq!((last.timestamps, last.routes), (Some(vec![1, 3, 4]), Some(vec![10, 30, 40])));
        assert!(part(1).is_none());
        assert_eq!(downcast::<String>(part(0).unwrap()).unwrap().values, ["b"]);
    }

    #[test]
    fn what_belongs_to_values_stays_with_them_when_batches_are_joined() {
        let mut records = Records::new(vec![1u8, 2]);
        records.append(Box::new(Records::with_timestamps(vec![3u8], vec![7]))).unwrap();
        assert_eq!(records.values, [1, 2, 3]);
        assert_eq!(records.timestamps, Some(vec![i64::MIN, i64::MIN, 7]));
        assert!(records.append(Box::new(Records::new(vec![1u16]))).is_err());
    }
}
