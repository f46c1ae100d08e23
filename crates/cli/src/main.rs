//! The `flott` binary.
//!
//! `flott sql` is the SQL client: interactive, or with a script (`-f`), or with statements on the command line (`-e`). Results go
//! to standard output, everything else to standard error.

mod args;
mod client;
mod configuration;
mod output;
mod progress;
mod script;
mod signals;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    start_logging();
    let args::Command::Sql(sql) = args.command;
    match script::run(&sql) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("[ERROR] {error}");
            ExitCode::FAILURE
        }
    }
}

/// Logs go to standard error; `FLOTT_LOG` chooses what is logged (`info`, `flott_cluster=debug`), warnings when not set.
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("FLOTT_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
