//! JobManager and TaskManager as processes of their own, with everything that is built in.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flott_cluster::{ClusterClient, LocalCluster};
use flott_connector::Registry;
use flott_network::process::{JobManagerProcess, TaskManagerProcess};
use flott_operators::SqlOperators;
use flott_rest::{Rest, RestOptions};
use flott_types::{Clock, Configuration, Error, Result, SystemClock};

/// Where Flink's REST server listens.
const REST_PORT: &str = "8081";

/// A JobManager with its REST server. Dropping it suspends its jobs.
pub struct JobManager {
    rest: Rest,
    process: JobManagerProcess,
}

impl JobManager {
    /// Starts one, with these connectors. The REST server listens on `rest.port`, 8081 by default.
    ///
    /// # Errors
    /// If a port is taken, or a value of the configuration cannot work.
    pub fn start(connectors: Registry, configuration: &Configuration) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let settings = settings(configuration);
        let rest = rest_options(&settings, &clock)?;
        let process = JobManagerProcess::start(&settings, Arc::new(connectors), clock)?;
        Ok(JobManager { rest: Rest::start(rest, process.dispatcher())?, process })
    }

    /// Where TaskManagers find it.
    pub fn address(&self) -> SocketAddr {
        self.process.address()
    }

    /// Where clients find it.
    pub fn rest_address(&self) -> SocketAddr {
        self.rest.address()
    }

    /// All slots, and the free ones.
    pub fn slots(&self) -> (u32, u32) {
        self.process.slots()
    }
}

/// JobManager and TaskManager in one process, with a REST server. Dropping it suspends its jobs.
pub struct Local {
    rest: Rest,
    _cluster: LocalCluster,
}

impl Local {
    /// Starts it, with these connectors. The REST server listens on `rest.port`, 8081 by default.
    ///
    /// # Errors
    /// If the port is taken, or a value of the configuration cannot work.
    pub fn start(connectors: Registry, configuration: Configuration) -> Result<Self> {
        let rest =
            rest_options(&settings(&configuration), &(Arc::new(SystemClock::new()) as Arc<dyn Clock>))?;
        let cluster = crate::sql::local_cluster(
            &Arc::new(connectors),
            &Arc::new(SqlOperators::new(flott_functions::builtin())),
            &configuration,
        )?;
        Ok(Local { rest: Rest::start(rest, cluster.dispatcher())?, _cluster: cluster })
    }

    /// Where clients find it.
    pub fn rest_address(&self) -> SocketAddr {
        self.rest.address()
    }
}

/// A TaskManager. Dropping it ends its tasks.
pub struct TaskManager(TaskManagerProcess);

impl TaskManager {
    /// Starts one, with these connectors. It looks for its JobManager (`jobmanager.rpc.address`) until there is
    /// one.
    ///
    /// # Errors
    /// If a port is taken, or a value of the configuration cannot work.
    pub fn start(connectors: Registry, configuration: &Configuration) -> Result<Self> {
        let operators = Arc::new(SqlOperators::new(flott_functions::builtin()));
        let clock = Arc::new(SystemClock::new());
        let process =
            TaskManagerProcess::start(&settings(configuration), Arc::new(connectors), operators, clock)?;
        Ok(TaskManager(process))
    }

    /// Where other TaskManagers find it.
    pub fn address(&self) -> &str {
        self.0.address()
    }

    /// Lets it run so long.
    ///
    /// # Errors
    /// If it can never belong to its JobManager: it is of another version.
    pub fn run_for(&self, time: Duration) -> Result<()> {
        self.0.run_for(time)
    }
}

/// The cluster whose REST server is at this address, such as `http://localhost:8081`.
///
/// # Errors
/// If this is no address, or there is no cluster of this version.
pub fn connect(address: &str) -> Result<ClusterClient> {
    flott_network::client::connect(address)
}

fn rest_options(settings: &BTreeMap<String, String>, clock: &Arc<dyn Clock>) -> Result<RestOptions> {
    let mut settings = settings.clone();
    if !settings.contains_key("rest.bind-port") {
        settings.entry("rest.port".to_owned()).or_insert_with(|| REST_PORT.to_owned());
    }
    RestOptions::parse(&settings, clock.clone())?
        .ok_or_else(|| Error::internal("the REST server has no port"))
}

fn settings(configuration: &Configuration) -> BTreeMap<String, String> {
    configuration.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
