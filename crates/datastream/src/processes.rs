//! A program as one of several processes: the JobManager of its job, or a TaskManager for it.
//!
//! All of them are the same executable, started with the same arguments apart from `program.role`. Each builds the
//! program up to `execute`; the JobManager submits it, and TaskManagers run its tasks with the functions that they have
//! built themselves. A plan names a function by its number, and its outline is compared when tasks are deployed, so that
//! another executable is refused.
//!
//! ```text
//!   ./program -D program.role=jobmanager    builds, submits, goes on when the job has ended ──┐ plan, checkpoints
//!   ./program -D program.role=taskmanager   builds, runs tasks, and ends with the program  <──┤
//!   ./program -D program.role=taskmanager                                                  <──┘
//! ```

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use flott_cluster::high_availability::ClusterFolder;
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
        let process = JobManagerProcess::start(configuration, registry, Arc::new(SystemClock::new()))?;
        tracing::info!(address = %process.address(), "waiting for TaskManagers");
        Ok(Arc::new(Executor::of_processes(process, programs)))
    }
}

/// Runs tasks of a program until its JobManager says that it has ended; then this process ends.
///
/// # Errors
/// If the program or its configuration is wrong, its JobManager refuses this process, or the job has failed.
pub(crate) fn work(
    graph: &Graph,
    settings: &Settings,
    configuration: &BTreeMap<String, String>,
) -> Result<Infallible> {
    refuse_standbys(configuration)?;
    let programs = Programs::default();
    let name = Executor::program_name(settings, 0);
    // Before the process is known to its JobManager, which may deploy at once.
    programs.add(&name, graph.build(&name, settings)?.1);
    let registry = Arc::new(programs.registry(Registry::default()));
    let clock = Arc::new(SystemClock::new());
    let process = TaskManagerProcess::start(configuration, registry, Arc::new(programs), clock)?;
    while process.run_for(TICK)? {}
    drop(process);
    std::process::exit(0)
}

fn refuse_standbys(configuration: &BTreeMap<String, String>) -> Result<()> {
    match ClusterFolder::parse(configuration)? {
        None => Ok(()),
        Some(_) => Err(Error::unsupported(
            "standby JobManagers ('high-availability.type') of a program; start it again with `--restore latest`",
        )),
    }
}
