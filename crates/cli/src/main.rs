//! The `flott` binary.
//!
//! `flott jobmanager` and `flott taskmanager` are the processes of a cluster, `start-cluster` and `stop-cluster`
//! start and end them in the background, `local` is all in one, `historyserver` shows what has been; `run`, `list`, `cancel`, `stop` and `savepoint` are
//! Flink's commands for the jobs of a cluster. `flott state` looks into checkpoints and savepoints.
//!
//! `flott sql` is the SQL client: an interactive shell, or a script (`-f`), or statements on the command line
//! (`-e`), or a script on standard input. Results go to standard output, everything else to standard error.
//!
//! | exit status | |
//! |---|---|
//! | 0 | all went well, or nobody reads standard output any more |
//! | 1 | a statement or a job failed; two snapshots differ |
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
mod daemons;
mod jobs;
mod output;
mod processes;
mod programs;
mod progress;
mod query;
mod remote;
mod restore;
mod script;
mod shell;
mod signals;
mod state;
mod stop;

use std::process::ExitCode;

use clap::Parser;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::prelude::*;

use crate::console::Console;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let console = Console::new(matches!(&args.command, args::Command::Sql(sql) if sql.quiet));
    let is_process = matches!(
        args.command,
        args::Command::JobManager(_)
            | args::Command::TaskManager(_)
            | args::Command::Local(_)
            | args::Command::HistoryServer(_)
    );
    start_logging(console, is_process);
    raise_open_files();
    let ended = match args.command {
        args::Command::Sql(sql) => script::run(&sql, console),
        args::Command::JobManager(process) => processes::job_manager(&process, console),
        args::Command::TaskManager(process) => processes::task_manager(&process, console),
        args::Command::Local(process) => processes::local(&process, console),
        args::Command::HistoryServer(process) => processes::history_server(&process, console),
        args::Command::StartCluster(start) => daemons::start(&start, console).map_err(stop::Stop::from),
        args::Command::StopCluster => daemons::stop(console).map_err(stop::Stop::from),
        args::Command::Run(run) if programs::is_program(&run.file) => programs::run(&run, console),
        args::Command::Run(run) => script::run_on_cluster(run, console),
        args::Command::Jobs(command) => remote::run(&command, console),
        args::Command::State(command) => state::run(&command, &mut std::io::stdout().lock()),
    };
    match ended {
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

/// Logs go to standard error; `FLOTT_LOG` chooses what is logged (`info`, `flott_cluster=debug`). When it is not
/// set, the client logs warnings, and a process of a cluster what happens in it.
fn start_logging(console: Console, is_process: bool) {
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(console.colored());
    match std::env::var("FLOTT_LOG").ok().filter(|text| !text.is_empty()) {
        None if is_process => {
            tracing_subscriber::registry().with(layer.with_filter(filter_fn(of_process))).init();
        }
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

/// What we say, and what others warn of.
fn of_process(event: &Metadata<'_>) -> bool {
    let most = if event.target().starts_with("flott") { Level::INFO } else { Level::WARN };
    *event.level() <= most
}

/// Warnings, except task failures: the client reports those as the failure or the restart of the job.
fn by_default(event: &Metadata<'_>) -> bool {
    let failed_task =
        event.target().starts_with("flott_cluster::job_master") && event.fields().field("reason").is_some();
    *event.level() <= Level::WARN && !failed_task
}
