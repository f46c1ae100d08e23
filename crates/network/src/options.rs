//! Where processes listen and where they find each other, under Flink's keys.

use std::collections::BTreeMap;
use std::time::Duration;

use flott_cluster::high_availability::ClusterFolder;
use flott_cluster::{Liveness, liveness};
use flott_runtime::options::Reader;
use flott_types::{Error, Result};

use crate::exchange::Compression;

const SLOTS: &str = "taskmanager.numberOfTaskSlots";
const RPC_PORT: &str = "jobmanager.rpc.port";
const RPC_ADDRESS: &str = "jobmanager.rpc.address";
const HA_PORT: &str = "high-availability.jobmanager.port";
const START_UP: &str = "resourcemanager.standalone.start-up-time";
const REGISTRATION: &str = "taskmanager.registration.timeout";
const COMPRESSION: &str = "taskmanager.network.compression.codec";

/// What a JobManager is started with.
#[derive(Clone, Debug)]
pub struct JobManagerOptions {
    /// `jobmanager.bind-host`
    pub host: String,
    /// `jobmanager.rpc.port`, or `high-availability.jobmanager.port` of several that stand by.
    pub port: u16,
    /// `jobmanager.rpc.address`, or where it listens: where TaskManagers find it, if there are several.
    pub announced_host: String,
    /// When a TaskManager counts as lost.
    pub liveness: Liveness,
    /// What jobs get that do not say otherwise.
    pub defaults: BTreeMap<String, String>,
}

/// What a TaskManager is started with.
#[derive(Clone, Debug)]
pub struct TaskManagerOptions {
    /// `jobmanager.rpc.address` and `jobmanager.rpc.port`
    pub job_manager: String,
    /// `taskmanager.bind-host`
    pub host: String,
    /// `taskmanager.data.bind-port`, else `taskmanager.data.port`; 0 is any.
    pub port: u16,
    /// `taskmanager.host`: where others find it.
    pub announced_host: String,
    /// `taskmanager.data.port`: where others find it, if that is not where it listens.
    pub announced_port: Option<u16>,
    /// `taskmanager.resource-id`
    pub name: Option<String>,
    /// `taskmanager.numberOfTaskSlots`
    pub slots: u32,
    /// `taskmanager.network.compression.codec`
    pub compression: Compression,
    /// When it counts itself as lost.
    pub liveness: Liveness,
    /// `taskmanager.registration.timeout`: how long there may be no JobManager.
    pub registration: Duration,
}

impl JobManagerOptions {
    /// From the configuration of the cluster.
    ///
    /// # Errors
    /// If a value cannot work, with its key.
    pub fn parse(configuration: &BTreeMap<String, String>) -> Result<Self> {
        let read = Reader(configuration);
        let mut liveness = liveness(configuration)?;
        if read.text(START_UP).is_none() {
            // TaskManagers start after the JobManager, and come back after they were lost: what is missing now
            // may be there soon. Jobs wait for `slot.request.timeout`.
            liveness.start_up_time = i64::MAX;
        }
        let host = text(&read, "jobmanager.bind-host").unwrap_or_else(localhost);
        let (announced, mut port_of) = (text(&read, RPC_ADDRESS), port(&read, RPC_PORT)?.unwrap_or(6123));
        if ClusterFolder::parse(configuration)?.is_some() {
            port_of = port(&read, HA_PORT)?.unwrap_or(0);
            if announced.is_none() && is_every(&host) {
                return Err(Error::invalid(format!(
                    "'jobmanager.bind-host' is {host}, which is every address of the machine: set '{RPC_ADDRESS}' to the one \
                     at which TaskManagers find this JobManager when it leads"
                )));
            }
        }
        Ok(JobManagerOptions {
            announced_host: announced.unwrap_or_else(|| host.clone()),
            host,
            port: port_of,
            liveness,
            defaults: defaults(configuration),
        })
    }
}

impl TaskManagerOptions {
    /// From the configuration of the process.
    ///
    /// # Errors
    /// If a value cannot work, with its key.
    pub fn parse(configuration: &BTreeMap<String, String>) -> Result<Self> {
        let read = Reader(configuration);
        let host = text(&read, "taskmanager.bind-host").unwrap_or_else(localhost);
        let announced = text(&read, "taskmanager.host");
        if announced.is_none() && is_every(&host) {
            return Err(Error::invalid(format!(
                "'taskmanager.bind-host' is {host}, which is every address of the machine: set 'taskmanager.host' to the one \
                 at which other TaskManagers find this one"
            )));
        }
        let slots = match read.number(SLOTS)?.map(u32::try_from) {
            None => 1,
            Some(Ok(slots)) if slots > 0 => slots,
            Some(_) => return Err(read.wrong(SLOTS, "a whole number of 1 or more")),
        };
        let compression = match text(&read, COMPRESSION).map(|name| name.to_ascii_lowercase()).as_deref() {
            None | Some("none") => Compression::None,
            Some("lz4") => Compression::Lz4,
            Some("zstd") => Compression::Zstd,
            Some(_) => return Err(read.wrong(COMPRESSION, "NONE, LZ4 or ZSTD")),
        };
        let (data_port, bind_port) =
            (port(&read, "taskmanager.data.port")?, port(&read, "taskmanager.data.bind-port")?);
        let job_manager = text(&read, RPC_ADDRESS).unwrap_or_else(localhost);
        Ok(TaskManagerOptions {
            job_manager: at(&job_manager, port(&read, RPC_PORT)?.unwrap_or(6123)),
            announced_host: announced.unwrap_or_else(|| host.clone()),
            host,
            port: bind_port.or(data_port).unwrap_or(0),
            announced_port: data_port.filter(|port| *port > 0),
            name: text(&read, "taskmanager.resource-id"),
            slots,
            compression,
            liveness: liveness(configuration)?,
            registration: Duration::from_millis(
                read.duration(REGISTRATION)?.unwrap_or(300_000).unsigned_abs(),
            ),
        })
    }
}

/// An address for people and for sockets.
pub(crate) fn at(host: &str, port: u16) -> String {
    match host.contains(':') && !host.starts_with('[') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// What a cluster may say for its jobs.
fn defaults(configuration: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    const OF_JOBS: [&str; 10] = [
        "execution.",
        "jobmanager.adaptive-scheduler.",
        "jobmanager.scheduler",
        "pipeline.",
        "restart-strategy",
        "scheduler-mode",
        "slot.",
        "state.",
        "table.",
        "task.",
    ];
    const OF_TASKS: [&str; 2] = ["taskmanager.memory.segment-size", "taskmanager.network.memory."];
    let of_jobs = |key: &str| OF_JOBS.iter().chain(&OF_TASKS).any(|prefix| key.starts_with(prefix));
    // The start of one job.
    let is_one_start = |key: &str| key.starts_with("execution.state-recovery.");
    let entries = configuration.iter().filter(|(key, _)| of_jobs(key) && !is_one_start(key));
    entries.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Where one listens at every address of the machine, nobody finds it by.
fn is_every(host: &str) -> bool {
    matches!(host, "0.0.0.0" | "::" | "[::]")
}

fn localhost() -> String {
    "localhost".to_owned()
}

fn text(read: &Reader<'_>, key: &str) -> Option<String> {
    read.text(key).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn port(read: &Reader<'_>, key: &str) -> Result<Option<u16>> {
    match read.number(key)?.map(u16::try_from) {
        None => Ok(None),
        Some(Ok(port)) => Ok(Some(port)),
        Some(Err(_)) => Err(read.wrong(key, "a port")),
    }
}
