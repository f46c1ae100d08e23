//! The table's side: the keys to ask for, and asynchronous answers.

use std::sync::Arc;
use std::task::{Poll, Wake};

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use flott_batch::{ChangeBatch, arrow_type};
use flott_connector::lookup::{Found, LookupFuture};
use flott_operator::Context;
use flott_plan::{ChainedNode, LookupJoinSpec, LookupKey, Schema};
use flott_types::{Error, Result, Waker};
use parking_lot::Mutex;

use super::is_complete;
use super::matched::Pairing;
use crate::BuildContext;
use crate::support::{Expression, kernel, record_batch, take_columns};

/// The keys by which rows are looked up.
pub(super) struct Keys {
    keys: Vec<Key>,
    schema: SchemaRef,
    /// NULL is a key like any other.
    nulls: bool,
}

enum Key {
    Column(usize),
    Constant(Expression),
    /// One value, known after `open`.
    Value(ArrayRef),
}

impl Keys {
    pub fn new(node: &ChainedNode, spec: &LookupJoinSpec, context: &BuildContext) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let LookupJoinSpec { lookup, keys, .. } = spec;
        let columns = lookup.keys.iter().map(|key| lookup.table.schema.columns.get(*key));
        let columns: Option<Vec<_>> = columns.collect();
        let nulls = lookup.function.is_some();
        let columns = columns.filter(|columns| columns.len() == keys.len() && (nulls || !keys.is_empty()));
        let columns = columns.ok_or_else(|| Error::internal("a lookup has a key for each of its columns"))?;
        // NULL is not looked up.
        let fields =
            columns.iter().map(|column| (column.name.clone(), column.ty.clone().with_nullable(nulls)));
        let schema = arrow_type::schema(Schema::new(fields).iter());
        let keys = keys.iter().map(|key| match key {
            LookupKey::Column(column) if *column < input.len() => Ok(Key::Column(*column)),
            LookupKey::Column(column) => Err(Error::internal(format!("there is no column {column}"))),
            LookupKey::Constant(expr) => {
                Ok(Key::Constant(Expression::new(expr, &Schema::default(), context)?))
            }
        });
        Ok(Keys { keys: keys.collect::<Result<_>>()?, schema, nulls })
    }

    /// Computes the constants.
    pub fn open(&mut self, context: &Context<'_>) -> Result<()> {
        let one = record_batch(&Arc::new(ArrowSchema::empty()), Vec::new(), 1)?;
        for key in &mut self.keys {
            if let Key::Constant(expression) = key {
                *key = Key::Value(expression.evaluate(&one, context)?);
            }
        }
        Ok(())
    }

    /// The rows to ask for: those whose keys are not NULL and that can have partners at all.
    pub fn asked(&self, rows: &ChangeBatch, pairing: &Pairing, context: &Context<'_>) -> Result<Vec<u32>> {
        let columns = rows.columns();
        if self.nulls {
            return Ok((0..columns.num_rows() as u32).collect());
        }
        let constants = self.keys.iter().all(|key| match key {
            Key::Value(value) => value.is_valid(0),
            Key::Column(_) | Key::Constant(_) => true,
        });
        if !constants {
            return Ok(Vec::new());
        }
        let read: Vec<usize> = self
            .keys
            .iter()
            .filter_map(|key| match key {
                Key::Column(column) => Some(*column),
                Key::Constant(_) | Key::Value(_) => None,
            })
            .collect();
        let keys = columns.project(&read).map_err(kernel)?;
        let wanted = pairing.wanted(columns, context)?;
        let is_asked = |row: &u32| {
            let row = *row as usize;
            wanted.as_ref().is_none_or(|wanted| wanted.value(row)) && is_complete(&keys, row)
        };
        Ok((0..columns.num_rows() as u32).filter(is_asked).collect())
    }

    /// The keys of these rows.
    pub fn of(&self, columns: &RecordBatch, rows: &[u32]) -> Result<RecordBatch> {
        let mut keys = Vec::with_capacity(self.keys.len());
        let whole = rows.len() == columns.num_rows();
        for key in &self.keys {
            keys.push(match key {
                Key::Column(column) if whole => columns.column(*column).clone(),
                Key::Column(column) => {
                    let one = take_columns(std::slice::from_ref(columns.column(*column)), rows)?;
                    one.into_iter().next().ok_or_else(|| Error::internal("a column was taken"))?
                }
                Key::Value(value) => {
                    take(value, &UInt32Array::from(vec![0; rows.len()]), None).map_err(kernel)?
                }
                Key::Constant(_) => return Err(Error::internal("the operator is not open")),
            });
        }
        record_batch(&self.schema, keys, rows.len())
    }
}

/// An asynchronous answer. Dropping this cancels it.
pub(super) struct InFlightLookup {
    future: LookupFuture,
    waker: std::task::Waker,
}

impl InFlightLookup {
    pub fn new(future: LookupFuture, woken: &Arc<Woken>, number: u64) -> Self {
        InFlightLookup { future, waker: Arc::new(WakeRequest { number, woken: woken.clone() }).into() }
    }
}

/// The answer, if it has arrived.
pub(super) fn poll(in_flight: &mut InFlightLookup) -> Option<Result<Found>> {
    let mut context = std::task::Context::from_waker(&in_flight.waker);
    match in_flight.future.as_mut().poll(&mut context) {
        Poll::Ready(found) => Some(found),
        Poll::Pending => None,
    }
}

/// The requests that can make progress.
#[derive(Default)]
pub(super) struct Woken {
    numbers: Mutex<Vec<u64>>,
    task: Mutex<Waker>,
}

impl Woken {
    /// Sets the task to wake.
    pub fn wakes(&self, task: &Waker) {
        *self.task.lock() = task.clone();
    }

    /// Takes all of them.
    pub fn take(&self) -> Vec<u64> {
        std::mem::take(&mut *self.numbers.lock())
    }
}

struct WakeRequest {
    number: u64,
    woken: Arc<Woken>,
}

impl Wake for WakeRequest {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let first = {
            let mut numbers = self.woken.numbers.lock();
            numbers.push(self.number);
            numbers.len() == 1
        };
        if first {
            self.woken.task.lock().wake();
        }
    }
}
