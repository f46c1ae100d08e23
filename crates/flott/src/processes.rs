//! JobManager and TaskManager as processes of their own, with everything that is built in.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use flott_cluster::high_availability::ClusterFolder;
use flott_cluster::history::History;
use flott_cluster::{ClusterClient, LocalCluster};
use flott_connector::Registry;
pub use flott_network::client::Pass;
use flott_network::client::Place;
use flott_network::process::{JobManagerProcess, TaskManagerProcess};
use flott_network::standby::{Standby, Standing, Told};
use flott_operators::SqlOperators;
use flott_rest::{Leads, Reporters, Rest, RestOptions};
use flott_types::{Clock, Configuration, Error, Result, SystemClock};

pub use flott_rest::has_dashboard;

use crate::gateway;

/// Where Flink's REST server listens.
const REST_PORT: &str = "8081";

/// A JobManager with its REST server. Dropping it suspends its jobs.
pub struct JobManager {
    /// Set by a user of the REST server.
    ending: Arc<AtomicBool>,
    rest: Rest,
    reporters: Reporters,
    kind: Kind,
}

enum Kind {
    Alone(JobManagerProcess),
    OneOfSeveral(Standby),
}

impl JobManager {
    /// Starts one, with these connectors. The REST server listens on `rest.port`, 8081 by default. With
    /// `high-availability.type` it stands by until it is elected.
    ///
    /// # Errors
    /// If a port is taken, or a value of the configuration cannot work.
    pub fn start(connectors: Registry, configuration: &Configuration) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let settings = settings(configuration);
        flott_storage::configure(configuration.iter())?;
        let mut rest = rest_options(&settings, &clock)?;
        let ending = rest.ending.insert(Arc::default()).clone();
        let connectors = Arc::new(connectors);
        let sessions =
            |dispatcher| gateway::sessions(ClusterClient::new(dispatcher), connectors.clone(), &settings);
        let Some(folder) = ClusterFolder::parse(&settings)? else {
            let process = JobManagerProcess::start(&settings, connectors.clone(), clock.clone(), None)?;
            rest.sql = Some(sessions(process.dispatcher()));
            let rest = Rest::start(rest, process.dispatcher())?;
            let reporters = Reporters::start(&settings, process.dispatcher(), clock)?;
            return Ok(JobManager { ending, rest, reporters, kind: Kind::Alone(process) });
        };
        let host = announced(&settings)?;
        let mut standby = Standby::new(folder, settings.clone(), connectors.clone(), clock.clone())?;
        let standing = standby.standing();
        rest.leads = Some(Arc::new(move || match standing() {
            Standing::Here => Leads::Here,
            Standing::There(address) => Leads::There(address),
            Standing::Nobody => Leads::Nobody,
        }));
        rest.sql = Some(sessions(standby.dispatcher()));
        let rest = Rest::start(rest, standby.dispatcher())?;
        standby.stand(format!("{}://{host}:{}", rest.scheme(), rest.address().port()))?;
        let reporters = Reporters::start(&settings, standby.dispatcher(), clock)?;
        Ok(JobManager { ending, rest, reporters, kind: Kind::OneOfSeveral(standby) })
    }

    /// Whether a user has ended the cluster.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// Where TaskManagers find it, from the beginning.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.kind {
            Kind::Alone(process) => Some(process.address()),
            Kind::OneOfSeveral(_) => None,
        }
    }

    /// Where Prometheus finds metrics.
    pub fn metrics_addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.reporters.addresses()
    }

    /// Where clients find it, for people.
    pub fn rest_url(&self) -> String {
        format!("{}://{}", self.rest.scheme(), self.rest.address())
    }

    /// Lets it run so long. Says where TaskManagers find it, if it leads the cluster from now on.
    ///
    /// # Errors
    /// If it leads the cluster no longer: then its process has to end.
    pub fn run_for(&self, time: Duration) -> Result<Option<SocketAddr>> {
        match &self.kind {
            Kind::Alone(_) => {
                std::thread::park_timeout(time);
                Ok(None)
            }
            Kind::OneOfSeveral(standby) => match standby.run_for(time) {
                Some(Told::Leads(address, _)) => Ok(Some(address)),
                Some(Told::Ended(error)) => Err(error),
                None => Ok(None),
            },
        }
    }
}

/// The name by which other machines find the REST server.
fn announced(settings: &BTreeMap<String, String>) -> Result<String> {
    let named = |key: &str| settings.get(key).map(|name| name.trim()).filter(|name| !name.is_empty());
    let host = named("rest.address").or_else(|| named("rest.bind-address")).unwrap_or("localhost");
    match host {
        "0.0.0.0" | "::" | "[::]" => Err(Error::invalid(format!(
            "the REST server listens at {host}, which is every address of the machine: set 'rest.address' to the one at which \
             clients find this JobManager when it leads"
        ))),
        _ => Ok(host.to_owned()),
    }
}

/// JobManager and TaskManager in one process, with a REST server. Dropping it suspends its jobs.
pub struct Local {
    /// Set by a user of the REST server.
    ending: Arc<AtomicBool>,
    rest: Rest,
    reporters: Reporters,
    _cluster: LocalCluster,
}

impl Local {
    /// Starts it, with these connectors. The REST server listens on `rest.port`, 8081 by default.
    ///
    /// # Errors
    /// If the port is taken, or a value of the configuration cannot work.
    pub fn start(connectors: Registry, configuration: Configuration) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let (settings, connectors) = (settings(&configuration), Arc::new(connectors));
        let mut rest = rest_options(&settings, &clock)?;
        let ending = rest.ending.insert(Arc::default()).clone();
        let cluster = crate::sql::local_cluster(
            &connectors,
            &Arc::new(SqlOperators::new(crate::functions::builtin())),
            &configuration,
        )?;
        let reporters = Reporters::start(&settings, cluster.dispatcher(), clock)?;
        rest.sql = Some(gateway::sessions(cluster.clients(), connectors, &settings));
        let rest = Rest::start(rest, cluster.dispatcher())?;
        Ok(Local { ending, rest, reporters, _cluster: cluster })
    }

    /// Whether a user has ended the cluster.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// Where Prometheus finds metrics.
    pub fn metrics_addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.reporters.addresses()
    }

    /// Where clients find it, for people.
    pub fn rest_url(&self) -> String {
        format!("{}://{}", self.rest.scheme(), self.rest.address())
    }
}

/// A history server: shows jobs that JobManagers have archived. Dropping it ends it.
pub struct HistoryServer {
    rest: Rest,
    /// Dropping it ends the thread that looks for new jobs.
    stop: Option<Sender<()>>,
    refreshing: Option<JoinHandle<()>>,
}

impl HistoryServer {
    /// Starts one. What is archived already is there when this returns.
    ///
    /// # Errors
    /// If the port is taken, or a value of the configuration cannot work.
    pub fn start(configuration: &Configuration) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let settings = settings(configuration);
        flott_storage::configure(configuration.iter())?;
        let history = Arc::new(History::parse(&settings, clock.clone())?);
        let every = history.refresh_interval();
        history.refresh();
        let rest = Rest::start(history_options(settings, &clock)?, history.clone())?;
        let (stop, stopped) = channel();
        let refreshing = std::thread::Builder::new().name("history".to_owned()).spawn(move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                history.refresh();
            }
        });
        let failed = |error| Error::external("there is no thread for the history server").with_source(error);
        Ok(HistoryServer { rest, stop: Some(stop), refreshing: Some(refreshing.map_err(failed)?) })
    }

    /// Where clients find it, for people.
    pub fn rest_url(&self) -> String {
        format!("{}://{}", self.rest.scheme(), self.rest.address())
    }
}

impl Drop for HistoryServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A folder that does not answer keeps no process from ending.
        drop(self.refreshing.take());
    }
}

/// Its REST server is that of a JobManager, at another port.
fn history_options(mut settings: BTreeMap<String, String>, clock: &Arc<dyn Clock>) -> Result<RestOptions> {
    for (own, of_rest, default) in [
        ("historyserver.web.port", "rest.bind-port", "8082"),
        ("historyserver.web.address", "rest.bind-address", "localhost"),
        ("historyserver.web.ssl.enabled", "security.ssl.rest.enabled", "false"),
    ] {
        let value = settings.get(own).cloned().unwrap_or_else(|| default.to_owned());
        settings.insert(of_rest.to_owned(), value);
    }
    let mut options = rest_options(&settings, clock)?;
    options.is_history = true;
    Ok(options)
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
        let operators = Arc::new(SqlOperators::new(crate::functions::builtin()));
        let clock = Arc::new(SystemClock::new());
        flott_storage::configure(configuration.iter())?;
        let process = TaskManagerProcess::start(
            &settings(configuration),
            Arc::new(connectors),
            operators,
            clock,
            None,
        )?;
        Ok(TaskManager(process))
    }

    /// Where other TaskManagers find it.
    pub fn address(&self) -> &str {
        self.0.address()
    }

    /// Lets it run so long. Whether it goes on then: see [`TaskManagerProcess::run_for`].
    ///
    /// # Errors
    /// If it can never belong to its JobManager: it is of another version.
    pub fn run_for(&self, time: Duration) -> Result<bool> {
        self.0.run_for(time)
    }
}

/// Which cluster, and how to get in.
#[derive(Clone, Default, Debug)]
pub struct Access {
    /// Its REST server, such as `http://localhost:8081`. Without one it is the cluster of the configuration: whoever
    /// leads it, by `high-availability.type`, or that at `rest.address` and `rest.port`.
    pub address: Option<String>,
    /// The token, and the authorities that are trusted; by default those of `security.ssl.rest.truststore`.
    pub pass: Pass,
}

/// A client of a cluster.
///
/// # Errors
/// If this is no address, or there is no cluster of this version, or it does not let this client in.
pub fn connect(access: &Access, configuration: &Configuration) -> Result<ClusterClient> {
    let settings = settings(configuration);
    let mut pass = access.pass.clone();
    if pass.authorities.is_none() {
        let trusted = settings.get("security.ssl.rest.truststore").map(|path| path.trim().to_owned());
        pass.authorities = trusted.filter(|path| !path.is_empty());
    }
    let place = match access.address.as_deref().filter(|address| !address.is_empty()) {
        Some(address) => Place::Url(address.to_owned()),
        None => match ClusterFolder::parse(&settings)? {
            Some(folder) => Place::Leader(folder),
            None => Place::Url(rest_url(&settings)),
        },
    };
    flott_network::client::connect(place, &pass)
}

fn rest_url(settings: &BTreeMap<String, String>) -> String {
    let named = |key: &str| settings.get(key).map(|value| value.trim()).filter(|value| !value.is_empty());
    let host = named("rest.address").or_else(|| named("rest.bind-address")).unwrap_or("localhost");
    let port = named("rest.port").or_else(|| named("rest.bind-port")).unwrap_or(REST_PORT);
    // Of a range, the first.
    let port = port.split('-').next().unwrap_or(port);
    let secure = named("security.ssl.rest.enabled").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    format!("{}://{host}:{port}", if secure { "https" } else { "http" })
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
