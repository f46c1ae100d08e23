//! The streaming operators of SQL.
//!
//! [`build`] turns an [`OperatorSpec`](flott_plan::OperatorSpec) into an
//! [`Operator`](flott_operator::Operator); [`SqlOperators`] provides them, and everything else that SQL
//! computes in a task, to the runtime. Each operator has its own file or folder:
//!
//! | folder | operators |
//! |---|---|
//! | [`stateless`] | Calc, Expand, Union, Unnest, WatermarkAssigner |
//! | [`aggregate`] | GroupAggregate in one phase and in two |
//! | [`window`] | WindowTableFunction, WindowAggregate by slices in one phase and in two, sessions |
//! | [`join`], [`temporal_join`] | Join of two changelogs; of a stream with the versions of a table |
//! | [`lookup_join`] | Join of a stream with a table outside, by key |
//! | [`rank`], [`sort`] | TopN, Limit, ORDER BY; TemporalSort |
//! | [`over`] | OverAggregate |
//! | [`pattern`] | MatchRecognize |
//! | [`batch`] | BatchRows, BatchOver: operators that wait for the end |
//! | [`normalize`] | ChangelogNormalize |
//! | [`accumulate`] | the aggregate functions, as columns of accumulators by slot |
//! | [`support`] | building changelogs, expressions, time |
//! | [`values`], [`constraint`] | what sources and sinks compute for the plan: constant rows, NOT NULL |
//!
//! # Invariants
//!
//! - Everything an operator remembers is in tables of [`flott_state`], which track changes: a snapshot costs
//!   only what changed.
//! - State belongs to a key, so that it can be restored at another parallelism; a table's columns are named
//!   after their contents.
//! - Output is deterministic: keys are emitted in the order in which the input first touched them.
//! - Within a batch only the net change of a key is emitted: +I, -D, or an adjacent -U and +U.
//! - Operators work a batch at a time: keys are interned to slots once, accumulators are typed arrays by
//!   slot, results are gathered columns. No row objects, no boxed values, no virtual call per record.

mod accumulate;
mod aggregate;
mod batch;
mod build;
mod constraint;
#[cfg(test)]
mod expiry;
mod factory;
#[cfg(test)]
mod full;
#[cfg(test)]
mod harness;
mod join;
mod keyed_columns;
mod lookup_join;
mod normalize;
mod over;
mod pattern;
mod process_table;
mod rank;
mod sort;
mod stateless;
mod support;
mod temporal_join;
mod values;
#[cfg(test)]
mod wide;
mod window;

pub use build::{BuildContext, build};
pub use factory::{SETTINGS, SqlOperators};
