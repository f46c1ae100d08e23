//! Functions of one record without state: loops around closures.

use std::marker::PhantomData;

use flott_batch::{Batch, Record, Records};
use flott_operator::{Context, Operator};
use flott_types::Result;

use crate::Collector;
use crate::output::OutputBuffer;
use crate::transform::Of;

/// One value for each.
pub(crate) struct Map<T, U, F> {
    function: F,
    of: Of<(T, U)>,
}

impl<T, U, F> Map<T, U, F> {
    pub fn new(function: F) -> Self {
        Map { function, of: PhantomData }
    }
}

impl<T: Record, U: Record, F: FnMut(T) -> Result<U> + Send> Operator for Map<T, U, F> {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<T>()?;
        let values = values.into_iter().map(&mut self.function).collect::<Result<Vec<U>>>()?;
        context.output.emit(Batch::from(Records { values, timestamps, routes: None }))
    }
}

/// Keeps some values.
pub(crate) struct Filter<T, F> {
    function: F,
    of: Of<T>,
}

impl<T, F> Filter<T, F> {
    pub fn new(function: F) -> Self {
        Filter { function, of: PhantomData }
    }
}

impl<T: Record, F: FnMut(&T) -> bool + Send> Operator for Filter<T, F> {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { mut values, mut timestamps, .. } = batch.into_records::<T>()?;
        match &mut timestamps {
            None => values.retain(&mut self.function),
            Some(timestamps) => {
                let keep: Vec<bool> = values.iter().map(&mut self.function).collect();
                let mut kept = keep.iter();
                values.retain(|_| kept.next().copied().unwrap_or(true));
                let mut kept = keep.iter();
                timestamps.retain(|_| kept.next().copied().unwrap_or(true));
            }
        }
        context.output.emit(Batch::from(Records { values, timestamps, routes: None }))
    }
}

/// Any number of values for each.
pub(crate) struct FlatMap<T, U, F> {
    function: F,
    buffer: OutputBuffer<U>,
    of: Of<T>,
}

impl<T, U: Record, F> FlatMap<T, U, F> {
    pub fn new(function: F) -> Self {
        FlatMap { function, buffer: OutputBuffer::default(), of: PhantomData }
    }
}

impl<T, U, F> Operator for FlatMap<T, U, F>
where
    T: Record,
    U: Record,
    F: FnMut(T, &mut Collector<'_, U>) -> Result<()> + Send,
{
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<T>()?;
        for (at, value) in values.into_iter().enumerate() {
            self.buffer.at(timestamps.as_ref().map(|timestamps| timestamps[at]));
            (self.function)(value, &mut self.buffer.collector(context.output))?;
        }
        self.buffer.flush(context.output)
    }
}

/// A function of all records of a subtask, called once, at the end.
pub(crate) struct MapPartition<T, U, F> {
    function: F,
    values: Vec<T>,
    buffer: OutputBuffer<U>,
}

impl<T, U: Record, F> MapPartition<T, U, F> {
    pub fn new(function: F) -> Self {
        MapPartition { function, values: Vec::new(), buffer: OutputBuffer::default() }
    }
}

const PARTITION: &str = "partition";

impl<T, U, F> Operator for MapPartition<T, U, F>
where
    T: Record,
    U: Record,
    F: FnMut(Vec<T>, &mut Collector<'_, U>) + Send,
{
    fn open(&mut self, mut restored: flott_state::RestoredState, _: &mut Context<'_>) -> Result<()> {
        let unreadable =
            |error| flott_types::Error::state("cannot read a record of a partition").with_source(error);
        for entry in restored.take_list(PARTITION) {
            self.values.push(serde_json::from_str(&entry).map_err(unreadable)?);
        }
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, _: &mut Context<'_>) -> Result<()> {
        self.values.extend(batch.into_records::<T>()?.values);
        Ok(())
    }

    fn snapshot(&mut self, _: flott_types::CheckpointId, _: bool) -> Result<flott_state::OperatorSnapshot> {
        let unwritable =
            |error| flott_types::Error::data("a record of a partition cannot be written").with_source(error);
        let entry = |value| serde_json::to_string(value).map_err(unwritable);
        let list = flott_state::ListState {
            name: PARTITION.to_owned(),
            redistribution: flott_state::Redistribution::Split,
            entries: self.values.iter().map(entry).collect::<Result<_>>()?,
        };
        Ok(flott_state::OperatorSnapshot { keyed: Vec::new(), lists: vec![list] })
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        let values = std::mem::take(&mut self.values);
        (self.function)(values, &mut self.buffer.collector(context.output));
        self.buffer.flush(context.output)
    }
}
