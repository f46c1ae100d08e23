//! Nexmark queries, written by hand for this one purpose: a single thread, a loop, a hash map. They are a
//! yardstick for an engine, not a way to run queries: there is no SQL, no durable state, no late event, and
//! no other query.
//!
//! `loops q12 --events 20000000` prints the number of rows, a checksum over them that does not depend on
//! their order, elapsed seconds and CPU seconds.

mod bids;
mod joins;
mod output;
mod queries;
mod windows;

use std::sync::Arc;

use clap::{Parser, ValueEnum};
use flott_connector_nexmark::Config;
use flott_types::{Clock, SystemClock};

use crate::bids::Bids;
use crate::output::Output;

/// Nexmark queries as hand-written loops.
#[derive(Parser)]
struct Arguments {
    /// Which query.
    query: Query,
    /// How many events.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Events for each second of event time.
    #[arg(long, default_value_t = 10_000_000)]
    rate: u64,
    /// Which events.
    #[arg(long, default_value_t = 0)]
    seed: i64,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Query {
    Q1,
    Q2,
    Q3,
    Q4,
    Q5,
    Q7,
    Q8,
    Q9,
    Q11,
    Q12,
    Q17,
    Q18,
}

fn main() {
    let arguments = Arguments::parse();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let config = Config { rate: arguments.rate, seed: arguments.seed, ..Config::default() };
    let bids = Bids::new(config, arguments.events);
    let mut output = Output::default();
    let (wall, cpu) = (clock.nanos(), cpu_nanos());
    match arguments.query {
        Query::Q1 => queries::q1(&bids, &mut output),
        Query::Q2 => queries::q2(&bids, &mut output),
        Query::Q3 => joins::q3(&bids, &mut output),
        Query::Q4 => joins::q4(&bids, &mut output),
        Query::Q5 => windows::q5(&bids, &mut output),
        Query::Q7 => windows::q7(&bids, &mut output),
        Query::Q8 => windows::q8(&bids, &mut output),
        Query::Q9 => joins::q9(&bids, &mut output),
        Query::Q11 => queries::q11(&bids, &mut output),
        Query::Q12 => queries::q12(&bids, &*clock, &mut output),
        Query::Q17 => queries::q17(&bids, &mut output),
        Query::Q18 => joins::q18(&bids, &mut output),
    }
    let seconds = |nanos: u64| format!("{:.3}", nanos as f64 / 1e9);
    let wall = seconds(clock.nanos() - wall);
    let cpu = match (cpu, cpu_nanos()) {
        (Some(before), Some(after)) => seconds(after - before),
        _ => "unknown".to_owned(),
    };
    println!(
        "query {} events {} rows {} checksum {:016x} wall {wall} cpu {cpu}",
        format!("{:?}", arguments.query).to_lowercase(),
        arguments.events,
        output.rows(),
        output.checksum()
    );
}

/// How long the processor has worked for this thread, where the system tells (Linux).
fn cpu_nanos() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// What a query gives for a hundred thousand events.
#[cfg(test)]
fn of_small(query: impl Fn(&Bids, &mut Output), rate: u64) -> Output {
    let mut output = Output::default();
    query(&Bids::new(Config { rate, ..Config::default() }, 100_000), &mut output);
    output
}
