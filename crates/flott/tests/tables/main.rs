//! Streams and tables in one program.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod changes;
mod crossing;
mod failures;
mod queries;
mod refused;
mod statements;
mod time;
mod wire;

use flott::prelude::*;
use flott::table::StreamTableEnvironment;

/// An environment of one subtask, and its tables.
fn environment() -> (StreamExecutionEnvironment, StreamTableEnvironment) {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(1);
    let tables = StreamTableEnvironment::new(&env).unwrap();
    (env, tables)
}

/// The values of a stream, in order.
fn values<T: Record>(stream: &DataStream<T>) -> Vec<T> {
    stream.execute_and_collect("test").unwrap().collect::<Result<_>>().unwrap()
}
