//! Runs the query of a conformance case while things go wrong, and answers with its rows. `faults.py` beside it chooses the cases and
//! compares the rows with those of Flink.
//!
//! What runs is the case's own plan on a cluster of its own in this process, with small batches, and with three things changed:
//!
//! - **Sources keep a pace** ([`pace`], [`paced`]): their readers may take this many turns and then wait, so that the job is in the middle of
//!   something when a checkpoint is taken, when it is stopped, or when a task fails. A file of twenty rows is over before
//!   anybody could say stop.
//! - **VALUES is a source** with a position ([`rows`]): its rows come a batch at a time and not all at once.
//! - **Rows are committed** ([`committed`]): every other run writes to a sink with two phases instead of to the client, so that commits
//!   are tested too; they fail before or after they took effect.
//!
//! What must make no difference is set at random for each job: chaining, a time to live that nothing reaches, mini-batches.
//!
//! A request is a line of JSON on standard input, an answer a line on standard output: one process runs many cases, since starting one for
//! each would take longer than the cases do. Which moments are chosen follows from the request's seed; what the threads are
//! doing then does not, of course.

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
