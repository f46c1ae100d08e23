//! Where functions put their results.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::{AnyRecords, Batch, Record, Records};
use flott_operator::Output;
use flott_types::{Error, Result, Timestamp};

/// A type parameter without a value.
pub type Of<T> = PhantomData<fn() -> T>;

/// This many values are buffered before they are sent on within a call.
const FULL: usize = 4_096;

/// Names a side output and the type of its values.
///
/// ```
/// # use flott_datastream::OutputTag;
/// let late = OutputTag::<String>::new("late");
/// assert_eq!(late.id(), "late");
/// ```
pub struct OutputTag<T> {
    id: Arc<str>,
    of: Of<T>,
}

impl<T> OutputTag<T> {
    /// A side output of this name.
    pub fn new(id: &str) -> Self {
        OutputTag { id: id.into(), of: PhantomData }
    }

    #[doc(hidden)]
    pub fn arc(&self) -> Arc<str> {
        self.id.clone()
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl<T> Clone for OutputTag<T> {
    fn clone(&self) -> Self {
        OutputTag { id: self.id.clone(), of: PhantomData }
    }
}

/// What an operator has emitted in a call and not sent on. Kept between calls to reuse its memory.
pub struct OutputBuffer<O> {
    values: Vec<O>,
    timestamps: Vec<Timestamp>,
    /// Whether values have timestamps.
    timed: bool,
    /// The timestamp of current output.
    current: Option<Timestamp>,
    sides: Vec<Side>,
    fault: Option<Error>,
}

struct Side {
    id: Arc<str>,
    values: Box<dyn SideValues>,
}

/// The values of one side output, of some type.
trait SideValues: Any + Send {
    fn take(&mut self) -> Option<Box<dyn AnyRecords>>;
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<X: Record> SideValues for Records<X> {
    fn take(&mut self) -> Option<Box<dyn AnyRecords>> {
        let taken = std::mem::take(self);
        (!taken.values.is_empty()).then(|| Box::new(taken) as Box<dyn AnyRecords>)
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl<O: Record> Default for OutputBuffer<O> {
    fn default() -> Self {
        OutputBuffer {
            values: Vec::new(),
            timestamps: Vec::new(),
            timed: false,
            current: None,
            sides: Vec::new(),
            fault: None,
        }
    }
}

impl<O: Record> OutputBuffer<O> {
    /// Sets the timestamp of subsequent output.
    #[inline]
    pub fn at(&mut self, timestamp: Option<Timestamp>) {
        self.current = timestamp;
    }

    /// The target of output.
    pub fn collector<'a>(&'a mut self, output: &'a mut dyn Output) -> Collector<'a, O> {
        Collector { buffer: self, output }
    }

    /// Flushes the buffered values.
    pub fn flush(&mut self, output: &mut dyn Output) -> Result<()> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if !self.values.is_empty() {
            let capacity = self.values.len();
            let values = std::mem::replace(&mut self.values, Vec::with_capacity(capacity));
            let timestamps = self.timed.then(|| std::mem::take(&mut self.timestamps));
            self.timed = false;
            output.emit(Batch::from(Records { values, timestamps, routes: None }))?;
        }
        for side in &mut self.sides {
            if let Some(records) = side.values.take() {
                output.emit_side(&side.id, Batch::Records(records))?;
            }
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, value: O, timestamp: Option<Timestamp>) {
        match timestamp {
            Some(timestamp) => {
                if !self.timed {
                    self.timed = true;
                    self.timestamps.clear();
                    self.timestamps.resize(self.values.len(), Timestamp::MIN);
                }
                self.timestamps.push(timestamp);
            }
            None if self.timed => self.timestamps.push(Timestamp::MIN),
            None => {}
        }
        self.values.push(value);
    }
}

/// Takes a function's results: values for the next operator, and values for side outputs.
pub struct Collector<'a, O> {
    buffer: &'a mut OutputBuffer<O>,
    output: &'a mut dyn Output,
}

impl<O> Collector<'_, O> {
    pub(crate) fn reborrow(&mut self) -> Collector<'_, O> {
        Collector { buffer: self.buffer, output: self.output }
    }
}

impl<O: Record> Collector<'_, O> {
    /// Emits a value with the timestamp of the record that is being processed or of the timer that fires.
    #[inline]
    pub fn collect(&mut self, value: O) {
        let timestamp = self.buffer.current;
        self.buffer.push(value, timestamp);
        if self.buffer.values.len() >= FULL {
            self.send();
        }
    }

    /// Emits a value with its own timestamp.
    pub fn collect_with_timestamp(&mut self, value: O, timestamp: Timestamp) {
        self.buffer.push(value, Some(timestamp));
        if self.buffer.values.len() >= FULL {
            self.send();
        }
    }

    /// Emits a value to a side output.
    pub fn output<X: Record>(&mut self, tag: &OutputTag<X>, value: X) {
        let current = self.buffer.current;
        let sides = &mut self.buffer.sides;
        let at = match sides.iter().position(|side| *side.id == *tag.id) {
            Some(at) => at,
            None => {
                let values = Box::new(Records::<X>::default());
                sides.push(Side { id: tag.id.clone(), values });
                sides.len() - 1
            }
        };
        match sides[at].values.as_any().downcast_mut::<Records<X>>() {
            Some(records) => {
                records.values.push(value);
                if let Some(timestamp) = current {
                    let before = records.values.len() - 1;
                    let timestamps = records.timestamps.get_or_insert_with(|| vec![Timestamp::MIN; before]);
                    timestamps.push(timestamp);
                } else if let Some(timestamps) = &mut records.timestamps {
                    timestamps.push(Timestamp::MIN);
                }
                if records.values.len() >= FULL {
                    self.send();
                }
            }
            None => {
                let message = format!("side output '{}' is used with two types of values", tag.id);
                self.fail(Error::invalid(message));
            }
        }
    }

    /// Makes the task fail with this error when the function has returned. The first error wins.
    pub(crate) fn fail(&mut self, error: Error) {
        self.buffer.fault.get_or_insert(error);
    }

    #[cold]
    fn send(&mut self) {
        if let Err(error) = self.buffer.flush(self.output) {
            self.fail(error);
        }
    }
}
