//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// Flott: a stream processor with Flink's concepts and SQL.
#[derive(Parser, Debug)]
#[command(name = "flott", version, about)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// The SQL client: an interactive shell, or a script.
    Sql(SqlArgs),
}

#[derive(ClapArgs, Debug)]
pub(crate) struct SqlArgs {
    /// Runs the statements of a file and exits.
    #[arg(short, long, value_name = "FILE", conflicts_with = "execute")]
    pub file: Option<PathBuf>,

    /// Runs a statement, or several separated by semicolons, and exits.
    #[arg(short, long, value_name = "SQL")]
    pub execute: Option<String>,

    /// Runs the statements of a file first.
    #[arg(short, long, value_name = "FILE")]
    pub init: Option<PathBuf>,

    /// Sets a configuration key; may be given several times.
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    pub define: Vec<String>,

    /// The configuration file; without it `config.yaml` of the folder `FLOTT_CONF_DIR`, if that is set.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Starts the jobs from a snapshot: a path, or `latest` for the newest checkpoint below `execution.checkpointing.dir`.
    #[arg(long, value_name = "latest|PATH")]
    pub restore: Option<String>,

    /// How results are written.
    #[arg(long, value_enum)]
    pub output: Option<OutputMode>,

    /// Writes no progress lines.
    #[arg(short, long)]
    pub quiet: bool,
}

/// How results are written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OutputMode {
    /// A table that grows, with the kind of each change.
    Tableau,
    /// The final table of a bounded query.
    Table,
    /// Every change, as it comes.
    Changelog,
    /// JSON, one object a line: first the columns, then the rows with their kinds.
    Jsonl,
    /// CSV with a header; updated results have the kind of the change as a first column.
    Csv,
}
