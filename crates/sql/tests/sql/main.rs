//! Tests of the planner through its public face: scripts in, plans, answers and errors out.
//!
//! A snapshot that changes on purpose is rewritten with `UPDATE_EXPECT=1 cargo test -p flott-sql`.

mod alter;
mod catalogs;
mod collections;
mod depth;
mod edits;
mod errors_ddl;
mod errors_insert;
mod errors_into;
mod errors_query;
mod errors_window;
mod exchanges;
mod explain_aggregate;
mod explain_calc;
mod explain_changelog;
mod explain_conditions;
mod explain_fields;
mod explain_join;
mod explain_lookup;
mod explain_patterns;
mod explain_sets;
mod explain_sinks;
mod explain_subquery;
mod explain_top_n;
mod explain_window;
mod hints;
mod join_rows;
mod materialized;
mod models;
mod regressions;
mod settings;
mod show;
mod support;
mod tables;
mod types;
mod uids;
mod unsupported;
mod views;
