//! The `flott` binary.
//!
//! `flott sql` is the SQL client: an interactive shell, or a script (`-f`), or statements on the command line
//! (`-e`), or a script on standard input. Results go to standard output, everything else to standard error.
//!
//! | exit status | |
//! |---|---|
//! | 0 | all went well, or nobody reads standard output any more |
//! | 1 | a statement or a job failed |
//! | 2 | the command line is wrong |
//! | 130 | Ctrl-C ended a script |
//! | 143 | SIGTERM |
//!
//! Whatever waits does so in ticks, and checks flags that signals set ([`signals`]); signal handlers do
//! nothing else. A reason to end early travels to `main` as a [`stop::Stop`], so that on every way out the
//! cluster is dropped and its jobs are suspended.

mod args;
mod client;
mod configuration;
mod console;
mod jobs;
mod output;
mod progress;
mod query;
mod restore;
mod script;
mod shell;
mod signals;
mod stop;

use std::process::ExitCode;

use clap::Parser;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::prelude::*;

use crate::console::Console;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let args::Command::Sql(sql) = args.command;
    let console = Console::new(sql.quiet);
    start_logging(console);
    raise_open_files();
    match script::run(&sql, console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            stop.tell(console);
            stop.exit_code()
        }
    }
}

/// Raises the limit of open files to what the system allows; shells often start a process with fewer. A sink
/// with many partitions needs them; if this fails, it works within the limit.
fn raise_open_files() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::info!("the limit of open files is unchanged: {error}");
    }
}

/// Logs go to standard error; `FLOTT_LOG` chooses what is logged (`info`, `flott_cluster=debug`), warnings
/// when not set.
fn start_logging(console: Console) {
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(console.colored());
    match std::env::var("FLOTT_LOG").ok().filter(|text| !text.is_empty()) {
        None => {
            let layer = layer.without_time().with_target(false);
            tracing_subscriber::registry().with(layer.with_filter(filter_fn(by_default))).init();
        }
        Some(text) => match EnvFilter::builder().parse(&text) {
            Ok(filter) => tracing_subscriber::registry().with(layer.with_filter(filter)).init(),
            Err(error) => {
                console.warn(&format!("FLOTT_LOG is '{text}', which is not a valid filter: {error}"))
            }
        },
    }
}

/// Warnings, except task failures: the client reports those as the failure or the restart of the job.
fn by_default(event: &Metadata<'_>) -> bool {
    let failed_task =
        event.target().starts_with("flott_cluster::job_master") && event.fields().field("reason").is_some();
    *event.level() <= Level::WARN && !failed_task
}
