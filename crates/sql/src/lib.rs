//! SQL: from text to a plan that the runtime executes.
//!
//! ```text
//! text --flott_sql_parser--> statement --session--> catalog changes, or
//!      query --bind--> logical plan --optimize--> logical plan --plan--> StreamGraph (crate plan)
//! ```
//!
//! * [`catalog`] holds catalogs, databases, tables, views and temporary objects, in memory.
//! * [`bind`](mod@bind) resolves names and types. Types are Flink's at every step: `flott_expr` types each call as Flink does, so an
//!   invalid statement is refused by the binder, with its position. A clause that the binder does not know is
//!   refused by name; nothing is ignored.
//! * [`logical`] is the plan in terms of relational algebra plus Flink's own nodes (watermarks, window table functions).
//! * [`optimize`](mod@optimize) contains rewrites that preserve the meaning: subqueries become joins, filters
//!   and projections move towards the sources, window aggregation and Top-N are recognised.
//! * [`plan`](mod@plan) chooses operators, exchanges, parallelism and uids. Which changes each operator emits,
//!   and which of them somebody needs, is found by `changelog`.
//! * [`compiled`] is a plan that is stored in a file.
//! * [`session`] executes statements; for those that need a cluster, it returns a job graph to the caller.
//!
//! Why our own binder instead of a library's: `docs/decisions/0002-own-binder.md`.

pub mod bind;
pub mod catalog;
mod changelog;
pub mod compiled;
mod disjunction;
mod field;
mod join_bound;
pub mod logical;
mod lookup_hint;
pub mod optimize;
pub mod plan;
pub mod session;
mod user_function;
