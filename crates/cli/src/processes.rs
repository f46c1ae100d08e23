//! `flott jobmanager`, `flott taskmanager`, `flott local` and `flott historyserver`.

use std::net::SocketAddr;

use flott::processes::{HistoryServer, JobManager, Local, TaskManager, has_dashboard};

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
    tell_servers(manager.metrics_addresses(), &manager.rest_url(), console);
    until_told(&signals, || {
        if let Some(address) = manager.run_for(TICK)? {
            console.info(&format!("JobManager: {address}, which leads the cluster"));
        }
        Ok(!manager.is_ending())
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
    tell_servers(cluster.metrics_addresses(), &cluster.rest_url(), console);
    until_told(&signals, || {
        std::thread::park_timeout(TICK);
        Ok(!cluster.is_ending())
    })
}

/// Shows jobs that have ended, until it is told to end.
pub(crate) fn history_server(args: &ProcessArgs, console: Console) -> Result<()> {
    let configuration = configuration::load(args.config.as_deref(), &args.define, console)?;
    let signals = Signals::listen()?;
    let server = HistoryServer::start(&configuration)?;
    tell_servers(std::iter::empty(), &server.rest_url(), console);
    until_told(&signals, || {
        std::thread::park_timeout(TICK);
        Ok(true)
    })
}

/// Where metrics are found, the dashboard if this binary has it, and the REST server.
fn tell_servers(metrics: impl Iterator<Item = SocketAddr>, rest: &str, console: Console) {
    metrics.for_each(|address| console.info(&format!("Metrics: http://{address}/metrics")));
    if has_dashboard() {
        console.info(&format!("Dashboard: {rest}/"));
    } else {
        console.info("Dashboard: none; this binary was built without it (`make dashboard`)");
    }
    // The last line: who starts a process in the background waits for it.
    console.info(&format!("REST: {rest}"));
}

/// Until a signal comes, or `tick` says that it does not go on.
fn until_told(signals: &Signals, mut tick: impl FnMut() -> Result<bool>) -> Result<()> {
    loop {
        if !tick()? {
            return Ok(());
        }
        if signals.terminated() {
            return Err(Stop::Terminated);
        }
        if signals.interrupted() {
            signals.leave();
            return Err(Stop::Interrupted);
        }
    }
}
