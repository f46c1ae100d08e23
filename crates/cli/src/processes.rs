//! `flott jobmanager`, `flott taskmanager` and `flott local`.

use std::net::SocketAddr;

use flott::processes::{JobManager, Local, TaskManager, has_dashboard};

use crate::args::ProcessArgs;
use crate::client::TICK;
use crate::configuration;
use crate::console::Console;
use crate::signals::Signals;
use crate::stop::{Result, Stop};

/// Runs a JobManager until it is told to end.
pub(crate) fn job_manager(args: &ProcessArgs, console: Console) -> Result<()> {
    let configuration = configuration::load(args.config.as_deref(), &args.define, console)?;
    let signals = Signals::listen()?;
    let manager = JobManager::start(flott::connectors::builtin(), &configuration)?;
    if let Some(address) = manager.address() {
        console.info(&format!("JobManager: {address}"));
    }
    tell_rest(manager.rest_address(), console);
    until_told(&signals, || {
        if let Some(address) = manager.run_for(TICK)? {
            console.info(&format!("JobManager: {address}, which leads the cluster"));
        }
        Ok(())
    })
}

/// Runs a TaskManager until it is told to end, or its JobManager refuses it.
pub(crate) fn task_manager(args: &ProcessArgs, console: Console) -> Result<()> {
    let configuration = configuration::load(args.config.as_deref(), &args.define, console)?;
    let signals = Signals::listen()?;
    let manager = TaskManager::start(flott::connectors::builtin(), &configuration)?;
    console.info(&format!("TaskManager: {}", manager.address()));
    until_told(&signals, || Ok(manager.run_for(TICK)?))
}

/// Runs a cluster in this process until it is told to end.
pub(crate) fn local(args: &ProcessArgs, console: Console) -> Result<()> {
    let configuration = configuration::load(args.config.as_deref(), &args.define, console)?;
    let signals = Signals::listen()?;
    let cluster = Local::start(flott::connectors::builtin(), configuration)?;
    tell_rest(cluster.rest_address(), console);
    until_told(&signals, || {
        std::thread::park_timeout(TICK);
        Ok(())
    })
}

/// Where the REST server is, and the dashboard if this binary has it.
fn tell_rest(address: SocketAddr, console: Console) {
    if has_dashboard() {
        console.info(&format!("Dashboard: http://{address}/"));
    } else {
        console.info("Dashboard: none; this binary was built without it (`make dashboard`)");
    }
    // The last line: who starts a process in the background waits for it.
    console.info(&format!("REST: http://{address}"));
}

fn until_told(signals: &Signals, mut tick: impl FnMut() -> Result<()>) -> Result<()> {
    loop {
        tick()?;
        if signals.terminated() {
            return Err(Stop::Terminated);
        }
        if signals.interrupted() {
            signals.leave();
            return Err(Stop::Interrupted);
        }
    }
}
