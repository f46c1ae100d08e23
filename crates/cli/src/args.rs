//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// Flott: a stream processor with Flink's concepts and SQL.
#[derive(Parser, Debug)]
#[command(name = "flott", version, about, after_help = "Try: flott sql -e \"SELECT 'hello', 1 + 1\"")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// The SQL client: a shell, a script, or a statement.
    ///
    /// Without -f and -e it is an interactive shell on a terminal, and runs standard input as a script
    /// otherwise. Results go to standard output, everything else to standard error. A script ends at its
    /// first error, and waits for the jobs that its INSERTs started.
    #[command(verbatim_doc_comment)]
    Sql(SqlArgs),
}

#[derive(ClapArgs, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SqlArgs {
    /// Run the statements of a file, and exit.
    #[arg(short, long, value_name = "FILE", conflicts_with = "execute")]
    pub file: Option<PathBuf>,

    /// Run a statement, or several separated by semicolons, and exit.
    #[arg(short, long, value_name = "SQL")]
    pub execute: Option<String>,

    /// Run the statements of a file first: tables, views, settings.
    #[arg(short, long, value_name = "FILE")]
    pub init: Option<PathBuf>,

    /// Set a configuration key; may be given several times.
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    pub define: Vec<String>,

    /// The configuration file; by default `config.yaml` in the folder that FLOTT_CONF_DIR names.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Start the script's job from a snapshot: `latest`, or the path of a checkpoint or savepoint.
    ///
    /// `latest` is the newest checkpoint or savepoint of the same job below `execution.checkpointing.dir`; if
    /// there is none yet, the job starts from the beginning. The script may have one INSERT or statement set.
    /// When the job has finished, its checkpoints are deleted, including those of earlier starts.
    #[arg(verbatim_doc_comment, long, value_name = "latest|PATH")]
    pub restore: Option<String>,

    /// How results are written; by default as SET 'sql-client.execution.result-mode' says.
    #[arg(long, value_enum)]
    pub output: Option<OutputMode>,

    /// Print only warnings and errors.
    #[arg(short, long)]
    pub quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  flott sql                                        the shell
  flott sql -f job.sql -D parallelism.default=4    a script
  flott sql -i tables.sql -e 'SELECT ...' --output csv > result.csv
  flott sql -f job.sql --restore latest            go on where the job was, also after kill -9

Exit status: 0 all went well, 1 a statement or job failed, 2 the command line is wrong, 130 Ctrl-C, 143 SIGTERM.
Environment: FLOTT_CONF_DIR (folder of config.yaml), FLOTT_LOG (what is logged: info, flott_cluster=debug), NO_COLOR.";

/// How results are written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OutputMode {
    /// A table that grows, with the kind of each change.
    Tableau,
    /// The final table.
    Table,
    /// Every change, as it comes.
    Changelog,
    /// JSON, one object per line: first the columns, then the rows with their kinds.
    Jsonl,
    /// CSV with a header; updating results have the kind of the change as the first column.
    Csv,
}
