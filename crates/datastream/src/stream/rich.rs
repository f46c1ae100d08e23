//! Simple functions with a life cycle.

use std::sync::Arc;

use flott_batch::Record;

use crate::stream::DataStream;
use crate::stream::transform::{factory, transform};
use flott_function::process::ProcessFunction;
use flott_function::rich::{FilterFunction, FlatMapFunction, MapFunction};
use flott_function::rich::{Filtering, FlatMapping, Mapping};
use flott_function_operators::process::Process;

impl<T: Record> DataStream<T> {
    /// One value for each, by a [`MapFunction`].
    pub fn map_with<F: MapFunction<T> + Clone>(&self, function: F) -> DataStream<F::Out> {
        self.process_as("Map", Mapping(function))
    }

    /// Any number of values for each, by a [`FlatMapFunction`].
    pub fn flat_map_with<F: FlatMapFunction<T> + Clone>(&self, function: F) -> DataStream<F::Out> {
        self.process_as("Flat Map", FlatMapping(function))
    }

    /// Only the values that a [`FilterFunction`] accepts.
    pub fn filter_with<F: FilterFunction<T> + Clone>(&self, function: F) -> DataStream<T> {
        self.process_as("Filter", Filtering(function))
    }

    fn process_as<F: ProcessFunction<T> + Clone>(
        &self,
        name: &'static str,
        function: F,
    ) -> DataStream<F::Out> {
        let factory = factory(function, |function, _, options| {
            Ok(Box::new(Process::<T, F>::new(function, Arc::new(options.clone()))))
        });
        transform(&self.shared, name, self.inputs(), factory)
    }
}
