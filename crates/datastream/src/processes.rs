//! A program as one of several processes: the JobManager of its job, or a TaskManager for it.
//!
//! All of them are the same executable, started with the same arguments apart from `program.role`. Each builds the
//! program up to `execute`; the JobManager submits it, and TaskManagers run its tasks with the functions that they have
//! built themselves. Who is not the same executable is not let in. A plan names a function by its number, and its outline is
//! compared when tasks are deployed: arguments may have made another program of the same executable.
//!
//! ```text
//!   ./program -D program.role=jobmanager    builds, submits, goes on when the job has ended ──┐ plan, checkpoints
//!   ./program -D program.role=taskmanager   builds, runs tasks, and ends with the program  <──┤
//!   ./program -D program.role=taskmanager                                                  <──┘
//! ```

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flott_cluster::high_availability::ClusterFolder;
use flott_cluster::programs::{hosted, identity};
use flott_connector::Registry;
use flott_network::process::{JobManagerProcess, TaskManagerProcess};
use flott_types::{Error, Result, SystemClock};

use crate::graph::{Graph, Settings};
use crate::job::Executor;
use crate::program::Programs;

/// How often a TaskManager looks whether its program has ended.
const TICK: Duration = Duration::from_millis(100);

impl Executor {
    /// A JobManager in this process, for TaskManagers in others.
    ///
    /// # Errors
    /// If a value of the configuration cannot work, or the port is taken.
    pub(crate) fn job_manager(configuration: &BTreeMap<String, String>) -> Result<Arc<Executor>> {
        refuse_standbys(configuration)?;
        let programs = Programs::default();
        let registry = Arc::new(programs.registry(Registry::default()));
        let clock = Arc::new(SystemClock::new());
        let process = match hosted()? {
            Some(session) => {
                JobManagerProcess::of_session(configuration, registry, clock, executable()?, session)?
            }
            None => JobManagerProcess::start(configuration, registry, clock, Some(executable()?))?,
        };
        tracing::info!(address = %process.address(), "waiting for TaskManagers");
        Ok(Arc::new(Executor::of_processes(process, programs)))
    }
}

/// Runs tasks of a program until its JobManager says that it has ended; then this process ends.
///
/// # Errors
/// If the program or its configuration is wrong.
pub(crate) fn work(
    graph: &Graph,
    settings: &Settings,
    configuration: &BTreeMap<String, String>,
) -> Result<Infallible> {
    refuse_standbys(configuration)?;
    if let Some(session) = hosted()? {
        session.ends_with_parent()?;
    }
    let programs = Programs::default();
    let name = Executor::program_name(settings, 0);
    // Before the process is known to its JobManager, which may deploy at once.
    programs.add(&name, graph.build(&name, settings)?.1);
    let registry = Arc::new(programs.registry(Registry::default()));
    let clock = Arc::new(SystemClock::new());
    let process =
        TaskManagerProcess::start(configuration, registry, Arc::new(programs), clock, Some(executable()?))?;
    let ended = loop {
        match process.run_for(TICK) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(process);
    // What the program does after `execute` is done once, where its JobManager is.
    match ended {
        Ok(()) => std::process::exit(0),
        Err(error) => {
            tracing::error!(%error, "this TaskManager ends");
            std::process::exit(1)
        }
    }
}

/// What tells this executable from others: a checksum, and its length.
fn executable() -> Result<String> {
    // The file that runs, also if there is another one at its path by now.
    let running = Path::new("/proc/self/exe");
    let path = if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() };
    let unreadable = |error| Error::external("the program's executable cannot be read").with_source(error);
    identity(&mut File::open(path.map_err(unreadable)?).map_err(unreadable)?)
}

fn refuse_standbys(configuration: &BTreeMap<String, String>) -> Result<()> {
    match ClusterFolder::parse(configuration)? {
        None => Ok(()),
        Some(_) => Err(Error::unsupported(
            "standby JobManagers ('high-availability.type') of a program; start it again with `--restore latest`",
        )),
    }
}
