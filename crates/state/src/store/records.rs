//! What is recorded of a job's starts: small JSON objects with checksums, each in a file of its own.

use bytes::Bytes;
use flott_checkpoint::manifest::{seal, unseal};
use flott_storage::Folder;
use flott_types::{CheckpointId, Error, JobId, JobKey, Result, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The number of a job's start. Only the highest may write.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl std::fmt::Display for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Who started the job, and what the job is. Written before everything else, by conditional creation: whoever
/// creates it holds the lease.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    pub(super) version: u32,
    /// The job.
    pub key: JobKey,
    /// Whether the user chose the name.
    pub named: bool,
    /// The start.
    pub epoch: Epoch,
    /// The id of the job at this start, which names the folder of its checkpoints.
    pub job: JobId,
    /// Where it reads and writes.
    pub meaning: Meaning,
    /// The process.
    pub owner: Owner,
    /// When it was claimed.
    pub at: Timestamp,
    /// Its owner does not hold the lock of the job: somebody who is frozen still did. Then a free lock does not mean
    /// that the owner is dead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) unlocked: bool,
}

/// Where a job reads and writes. It tells jobs with the same key apart.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// The tables that it reads.
    pub reads: Vec<Ends>,
    /// The tables that it writes to.
    pub writes: Vec<Ends>,
}

/// A table that a job reads or writes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ends {
    /// Its path in the catalog.
    pub table: String,
    /// Where its rows are, if that is known: a folder, an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// A process, for people, and for others on the same machine to find out whether it is alive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The machine.
    pub host: String,
    /// The machine's boot id, if it has one: it tells machines apart, and one machine before and after a
    /// reboot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// The process on it.
    pub pid: u32,
    /// What tells it from others that had or will have its pid, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessIdentity>,
}

/// Which of the processes that have a pid, one after the other.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessIdentity {
    /// Pids are names within it.
    namespace: String,
    /// When the process was started, in ticks since the machine was.
    started: u64,
}

impl ProcessIdentity {
    fn of_this() -> Option<Self> {
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?.to_str()?.to_owned();
        let (started, _) = started(&std::fs::read_to_string("/proc/self/stat").ok()?)?;
        Some(ProcessIdentity { namespace, started })
    }

    /// Whether it is known that this process, which had this pid, has ended.
    fn has_ended(&self, pid: u32) -> bool {
        if ProcessIdentity::of_this().is_none_or(|this| this.namespace != self.namespace) {
            return false;
        }
        match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => started(&stat).is_some_and(|(at, is_dead)| is_dead || at != self.started),
            // Unless processes of others are hidden: the first one belongs to somebody else.
            Err(error) => {
                error.kind() == std::io::ErrorKind::NotFound && std::path::Path::new("/proc/1/stat").exists()
            }
        }
    }
}

/// When a process was started, and whether it only waits for somebody to ask how it ended; from what the system
/// says of it.
fn started(stat: &str) -> Option<(u64, bool)> {
    // The name before it may contain anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let is_dead = matches!(fields.next()?, "Z" | "X");
    Some((fields.nth(18)?.parse().ok()?, is_dead))
}

impl Owner {
    /// This process.
    pub fn this_process() -> Self {
        let line = |path| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        let host = line("/proc/sys/kernel/hostname").or_else(|| std::env::var("HOSTNAME").ok());
        Owner {
            host: host.unwrap_or_else(|| "an unknown host".to_owned()),
            boot: line("/proc/sys/kernel/random/boot_id"),
            pid: std::process::id(),
            process: ProcessIdentity::of_this(),
        }
    }

    /// Whether it is known that the process has ended: it ran where this one can see processes, and is not
    /// there.
    pub(super) fn has_ended(&self) -> bool {
        let on_this_machine = self.same_machine(&Owner::this_process());
        on_this_machine && self.process.as_ref().is_some_and(|process| process.has_ended(self.pid))
    }

    /// Whether the two see each other's locks, because they share a kernel.
    pub fn same_machine(&self, other: &Owner) -> bool {
        self.boot.is_some() && self.boot == other.boot
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

/// What a start continues from. Written before the first task is deployed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Began {
    pub(super) version: u32,
    /// The snapshot; `None` if the start began from nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Origin>,
    /// The first of the starts that continue from each other: this start may delete the checkpoints of all of
    /// them once it has one of its own. A start from nothing, or from a snapshot that the user named, is the
    /// first.
    pub lineage: Epoch,
}

/// A snapshot that a start continued from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The job that wrote it.
    pub job: JobId,
    /// Its id.
    pub checkpoint: CheckpointId,
    /// Its location.
    pub url: String,
}

/// How a start ended. Written before anything of it is deleted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    pub(super) version: u32,
    /// How.
    pub outcome: Outcome,
    /// The last checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointId>,
    /// Its checkpoints are deleted, as the configuration says: nothing can continue from here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub discarded: bool,
    /// When.
    pub at: Timestamp,
}

/// How a start can end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All inputs ended and all output is committed: there is nothing to continue.
    Finished,
    /// With a savepoint, from which the next start continues.
    Stopped,
    /// The user cancelled it.
    Canceled,
    /// It failed.
    Failed,
    /// The process was told to exit.
    Suspended,
}

/// When the owner last sent a heartbeat. Overwritten by each heartbeat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Alive {
    pub version: u32,
    pub at: Timestamp,
}

/// Which register it is: the same folder may have many names, and the same name mean many folders.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Id {
    pub version: u32,
    pub id: JobId,
}

/// The version of all these records.
pub(super) const VERSION: u32 = 1;

impl Began {
    /// A record of what a start continues from and descends from.
    pub fn new(from: Option<Origin>, lineage: Epoch) -> Self {
        Began { version: VERSION, from, lineage }
    }
}

impl End {
    /// A record of how a start ended.
    pub fn new(outcome: Outcome, at: Timestamp) -> Self {
        End { version: VERSION, outcome, checkpoint: None, discarded: false, at }
    }
}

/// Reads a record; `None` if it is not there.
pub(super) async fn read<T: DeserializeOwned>(folder: &Folder, name: &str) -> Result<Option<T>> {
    let Some(bytes) = folder.get(name).await? else { return Ok(None) };
    let damaged = |error: Error| error.context(format_args!("'{}'", folder.url_of(name)));
    let json = unseal(&bytes).map_err(damaged)?;
    let json =
        json.ok_or_else(|| damaged(Error::state("it is damaged: it does not begin with its checksum")))?;
    let wrong = |e| damaged(Error::state("it was written by another version of Flott").with_source(e));
    serde_json::from_slice(&json).map(Some).map_err(wrong)
}

/// A record as it is stored.
pub(super) fn bytes_of<T: Serialize>(record: &T) -> Result<Bytes> {
    let json = serde_json::to_vec(record)
        .map_err(|e| Error::internal("a record of a job cannot be written").with_source(e))?;
    Ok(seal(&json)?.into())
}
