//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use flott::processes::{Access, Pass};

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
    /// A JobManager: takes jobs, gives them slots of its TaskManagers, takes their checkpoints.
    ///
    /// Listens for TaskManagers on `jobmanager.rpc.port` (6123) and for clients on `rest.port` (8081), on
    /// loopback unless `jobmanager.bind-host` and `rest.bind-address` say otherwise.
    #[command(name = "jobmanager", verbatim_doc_comment)]
    JobManager(ProcessArgs),
    /// A TaskManager: runs tasks of a JobManager's jobs in its slots.
    ///
    /// Finds its JobManager at `jobmanager.rpc.address` and `jobmanager.rpc.port`, and waits for it if there is
    /// none; has `taskmanager.numberOfTaskSlots` slots.
    #[command(name = "taskmanager", verbatim_doc_comment)]
    TaskManager(ProcessArgs),
    /// JobManager and TaskManager in one process, with the REST server: a cluster to try things with.
    Local(ProcessArgs),
    /// Start a JobManager and TaskManagers in the background of this machine.
    ///
    /// Process ids are kept in FLOTT_PID_DIR (the system's temporary folder), logs in FLOTT_LOG_DIR (`log`).
    #[command(verbatim_doc_comment)]
    StartCluster(StartArgs),
    /// End what start-cluster has started.
    StopCluster,
    /// Shows jobs that have ended, also of clusters that are gone: those in `historyserver.archive.fs.dir`.
    ///
    /// JobManagers keep them there when their `jobmanager.archive.fs.dir` is that folder. Listens on
    /// `historyserver.web.port` (8082).
    #[command(name = "historyserver", verbatim_doc_comment)]
    HistoryServer(ProcessArgs),
    /// Run a program or a script on a cluster.
    ///
    /// A program is an executable of the DataStream API. It is uploaded, and its processes run beside those of the
    /// cluster. A script is run as `flott sql --cluster -f` does. Options come before the file.
    #[command(verbatim_doc_comment)]
    Run(RunArgs),
    #[command(flatten)]
    Jobs(JobCommand),
    /// Look into checkpoints and savepoints.
    #[command(subcommand)]
    State(StateCommand),
}

/// What is done with checkpoints and savepoints.
#[derive(Subcommand, Debug)]
pub(crate) enum StateCommand {
    /// Print what is in one: operators, states with their columns, sizes.
    Show {
        /// The folder of a checkpoint or savepoint, or that of a job, which means its newest.
        path: String,
        /// Print a CREATE TABLE for each state instead, with the connector `savepoint`.
        #[arg(long)]
        sql: bool,
    },
    /// Read all files of one and compare them with their checksums.
    Check {
        /// The folder of a checkpoint or savepoint, or that of a job, which means its newest.
        path: String,
    },
    /// Print how two differ, state by state. Exit status 1 if they do.
    Diff {
        /// The older one.
        first: String,
        /// The newer one.
        second: String,
    },
    /// Write a new savepoint made of the state of others. The old ones stay as they are.
    Edit {
        /// The folder of a checkpoint or savepoint, or that of a job, which means its newest checkpoint.
        path: String,
        /// The folder of the new savepoint, which is empty or not there yet.
        #[arg(long)]
        to: String,
        /// Leave the state of an operator out.
        #[arg(long, value_name = "UID")]
        remove: Vec<String>,
        /// Give the state of an operator to the one of another uid.
        #[arg(long, value_name = "OLD=NEW")]
        rename: Vec<String>,
        /// Take the state of an operator from another savepoint.
        #[arg(long, value_name = "UID=PATH")]
        replace: Vec<String>,
    },
}

/// What Flink's command line does with jobs of a cluster.
#[derive(Subcommand, Debug)]
pub(crate) enum JobCommand {
    /// The jobs of a cluster.
    List {
        /// Those that have ended, too.
        #[arg(short, long)]
        all: bool,
        #[command(flatten)]
        cluster: ClusterArgs,
    },
    /// Cancel a job.
    Cancel {
        /// Its id.
        job: String,
        #[command(flatten)]
        cluster: ClusterArgs,
    },
    /// Stop a job with a savepoint.
    Stop {
        /// Its id.
        job: String,
        /// The folder of the savepoint; by default `execution.checkpointing.savepoint-dir` of the job.
        #[arg(short = 'p', long, value_name = "FOLDER")]
        savepoint_path: Option<String>,
        /// End the inputs first, as if they had come to their ends: windows fire.
        #[arg(short, long)]
        drain: bool,
        #[command(flatten)]
        cluster: ClusterArgs,
    },
    /// Take a savepoint of a job, which goes on; or delete a savepoint.
    Savepoint {
        /// Its id.
        #[arg(required_unless_present = "dispose")]
        job: Option<String>,
        /// The folder of the savepoint; by default `execution.checkpointing.savepoint-dir` of the job.
        folder: Option<String>,
        /// Delete this savepoint instead.
        #[arg(short, long, value_name = "PATH", conflicts_with_all = ["job", "folder"])]
        dispose: Option<String>,
        #[command(flatten)]
        cluster: ClusterArgs,
    },
}

/// How to get into a cluster.
#[derive(ClapArgs)]
pub(crate) struct PassArgs {
    /// The token of a user of the cluster; by default FLOTT_TOKEN of the environment, which others do not see.
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,

    /// A PEM file with the authorities that are trusted; by default `security.ssl.rest.truststore`.
    #[arg(long, value_name = "FILE")]
    ca: Option<String>,
}

impl std::fmt::Debug for PassArgs {
    /// Not the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PassArgs").field("ca", &self.ca).finish_non_exhaustive()
    }
}

impl PassArgs {
    /// To the cluster at this address.
    pub fn access(&self, address: Option<String>) -> Access {
        let of_environment = || std::env::var("FLOTT_TOKEN").ok();
        let token = self.token.clone().or_else(of_environment).filter(|token| !token.is_empty());
        Access { address, pass: Pass { token, authorities: self.ca.clone() } }
    }
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ClusterArgs {
    /// The cluster's REST server; by default that of the leader, if the configuration says
    /// `high-availability.storageDir`, or `rest.address` and `rest.port`, which is http://localhost:8081.
    #[arg(short = 'm', long, value_name = "URL")]
    pub cluster: Option<String>,

    #[command(flatten)]
    pub pass: PassArgs,

    /// Set a configuration key; may be given several times.
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    pub define: Vec<String>,

    /// The configuration file; by default `config.yaml` in the folder that FLOTT_CONF_DIR names.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct RunArgs {
    /// The program, or the SQL script.
    pub file: PathBuf,

    /// What follows the program's name on its command line.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<String>,

    /// Do not wait for the job of a program, or the jobs of INSERTs.
    #[arg(short, long)]
    pub detached: bool,

    /// `parallelism.default`
    #[arg(short, long, value_name = "N")]
    pub parallelism: Option<u32>,

    /// Start the job from a snapshot: `latest`, or the path of a checkpoint or savepoint.
    #[arg(short = 's', long = "from-savepoint", value_name = "latest|PATH")]
    pub restore: Option<String>,

    #[command(flatten)]
    pub cluster: ClusterArgs,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct StartArgs {
    /// How many TaskManagers.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 1)]
    pub taskmanagers: usize,

    #[command(flatten)]
    pub process: ProcessArgs,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ProcessArgs {
    /// Set a configuration key; may be given several times.
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    pub define: Vec<String>,

    /// The configuration file; by default `config.yaml` in the folder that FLOTT_CONF_DIR names.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(ClapArgs, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SqlArgs {
    /// Run the statements of a file, and exit.
    #[arg(short, long, value_name = "FILE", conflicts_with = "execute")]
    pub file: Option<PathBuf>,

    /// Run a statement, or several separated by semicolons, and exit.
    #[arg(short, long, value_name = "SQL", allow_hyphen_values = true)]
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

    /// Run jobs on the cluster whose REST server is at this address, such as http://localhost:8081.
    ///
    /// Without an address it is that of the configuration: the leader that `high-availability.storageDir` names, or
    /// what is at `rest.address` and `rest.port`.
    ///
    /// Statements are planned here; tables are read and written where the tasks run. Jobs do not end with this
    /// process, unless Ctrl-C cancels them.
    #[arg(verbatim_doc_comment, long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    pub cluster: Option<String>,

    #[command(flatten)]
    pub pass: PassArgs,

    /// On a cluster: do not wait for the jobs of INSERTs.
    #[arg(long, requires = "cluster")]
    pub detached: bool,

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
Environment: FLOTT_CONF_DIR (folder of config.yaml), FLOTT_LOG (what is logged: info, flott_cluster=debug),
             FLOTT_TOKEN (as --token), NO_COLOR.";

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
