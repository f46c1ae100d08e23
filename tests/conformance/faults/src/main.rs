//! Runs the query of a conformance case while things go wrong, and returns its rows.
//! `tests/conformance/faults.py` chooses the cases and compares the rows with Flink's.
//!
//! The case's own plan runs on its own cluster in this process, with small batches, and with three changes:
//!
//! - **Sources are paced** ([`pace`], [`paced`]): their readers take a limited number of turns and then
//!   wait, so that the job is in the middle of its work when a checkpoint is taken, when it is stopped, or
//!   when a task fails. A file of twenty rows would otherwise be finished too early.
//! - **VALUES is a source** with a position ([`rows`]): its rows come a batch at a time and not all at once.
//! - **Rows are committed** ([`committed`]): every other run writes to a two-phase sink instead of to the
//!   client, so that commits are tested too; they fail before or after they take effect.
//!
//! Settings that must make no difference are random for each job: chaining, a time to live that is never
//! reached, mini-batches.
//!
//! A request is a line of JSON on standard input, an answer a line on standard output: one process runs many
//! cases, because starting one for each would take longer than the cases do. The request's seed determines
//! which moments are chosen; what the threads are doing at those moments is not deterministic, of course.

mod answer;
mod case;
mod committed;
mod pace;
mod paced;
mod panics;
mod rewrite;
mod rows;
mod run;
mod stage;

use std::io::{BufRead, Write};

use crate::answer::{Answer, Request};

fn main() -> std::io::Result<()> {
    panics::watch();
    let warnings = tracing_subscriber::EnvFilter::new("warn");
    tracing_subscriber::fmt().with_env_filter(warnings).with_writer(std::io::stderr).with_ansi(false).init();
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str::<Request>(&line?) {
            Ok(request) => run::case(&request),
            Err(error) => Answer::failed(format!("this is not a request: {error}")),
        };
        let text = serde_json::to_string(&answer)?;
        writeln!(out, "{text}")?;
        out.flush()?;
    }
    Ok(())
}
