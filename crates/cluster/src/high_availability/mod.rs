//! High availability without a server of its own: a folder that all processes reach says who leads the cluster
//! and which jobs it has.
//!
//! ```text
//! <storageDir>/<cluster-id>/leader/lock-<n>             locked by a process that leads, or has led
//! <storageDir>/<cluster-id>/leader/term-<n>/claim       who has led since when, for the n-th time
//! <storageDir>/<cluster-id>/leader/term-<n>/alive       that it still does, and where it is found
//! <storageDir>/<cluster-id>/leader/term-<n>/resigned    that it does so no longer, by its own will
//! <storageDir>/<cluster-id>/jobs/<job>/plan             what runs
//! <storageDir>/<cluster-id>/jobs/<job>/run-<n>          as what, since the n-th leader
//! <storageDir>/<cluster-id>/jobs/<job>/began-<n>        that this run has begun
//! <storageDir>/<cluster-id>/jobs/<job>/end-<n>          how it ended
//! ```
//!
//! Every record but `alive` is created once, by a write that fails if the name exists, and never changed.
//!
//! - **Whoever creates the claim of the next term leads.** Standbys try it when the leader is gone: its lock is
//!   free (it has died on this machine), it has resigned, or a standby has not seen it renew its record for the
//!   time of a lease, by the standby's own clock. No clocks are compared.
//! - **A deposed leader can do no harm.** It ends itself when it sees a later term, or could not say for the time
//!   of a lease that it is alive. What it does before that has no effect: each leader runs a job under an id of
//!   its own (a *run*), which names the folder of its checkpoints, its channels and what its tasks write; the
//!   lease of the job ([`flott_state::store::Lease`]) decides whose checkpoints count. To take that lease, a
//!   leader looks at the lease, then whether it still leads, then claims: if it does not lead any more, its
//!   successor was there first, and the claim fails, or comes later, and finds the run among those of the job.
//! - **Ends count for the last run only.** So an end that a deposed leader notes after its successor has begun a
//!   run means nothing.
//! - **A job that is accepted is in the folder before its client hears so.** A leader looks for jobs that it does
//!   not know as long as it leads: what a deposed leader has accepted in its last moment is not lost either.
//!
//! - **A key is never taken from another job.** Whether a run has begun is recorded after it has claimed the lease of
//!   the job. A job that has begun and whose start is not found is not begun anew: its checkpoints are somewhere else.
//!   One that has not is what it was when it was submitted, and is refused if another job has its key.
//! - **What cannot be taken over at the moment is tried again**, and counts as initializing; one record that cannot be
//!   read holds up its own job only.
//! - **A job counts as ended when that is recorded**, and not before: else the next leader would run it again.
//!
//! Clients know a job by the id under which it was submitted, for ever. Jobs that collect rows for a client are not
//! here: nobody continues them.

mod leader;
mod records;
mod registry;

pub use self::leader::{Candidate, Leader, Leading, Term};
pub use self::registry::JobRegistry;
pub(crate) use self::registry::{Ended, Entry};

use std::collections::BTreeMap;
use std::time::Duration;

use flott_runtime::options::Reader;
use flott_storage::Folder;
use flott_types::{Error, Result};

const TYPE: &str = "high-availability.type";
/// The key of Flink before 1.17.
const OLD_TYPE: &str = "high-availability";
const STORAGE: &str = "high-availability.storageDir";
const CLUSTER: &str = "high-availability.cluster-id";
const LEASE: &str = "high-availability.filesystem.lease-duration";

/// The folder of a cluster. See [`self`].
#[derive(Clone, Debug)]
pub struct ClusterFolder {
    folder: Folder,
    lease: Duration,
}

impl ClusterFolder {
    /// From a configuration; `None` if it asks for no high availability.
    ///
    /// # Errors
    /// If it asks for one that there is not, or names no folder.
    pub fn parse(configuration: &BTreeMap<String, String>) -> Result<Option<Self>> {
        let read = Reader(configuration);
        let text = |key| read.text(key).filter(|text| !text.is_empty());
        let Some((key, kind)) = [TYPE, OLD_TYPE].into_iter().find_map(|key| Some((key, text(key)?))) else {
            return Ok(None);
        };
        match kind.to_ascii_lowercase().as_str() {
            "none" => return Ok(None),
            "filesystem" => {}
            _ => {
                return Err(Error::unsupported(format!(
                    "'{key}': '{kind}': leaders are elected in a folder that all processes reach; set it to 'filesystem', \
                     and '{STORAGE}' to the folder"
                )));
            }
        }
        let Some(storage) = text(STORAGE) else {
            return Err(Error::invalid(format!(
                "'{key}' is 'filesystem', and '{STORAGE}' is missing: a folder that all processes of the cluster reach"
            )));
        };
        let cluster = text(CLUSTER).unwrap_or("/default");
        let parts: Vec<&str> = cluster.split('/').filter(|part| !part.is_empty()).collect();
        let plain = |part: &&str| !part.chars().all(|c| c == '.') && !part.contains(|c: char| c.is_control());
        if parts.is_empty() || !parts.iter().all(plain) {
            return Err(read.wrong(CLUSTER, "a name, as part of a path"));
        }
        let lease = read.duration(LEASE)?.unwrap_or(15_000);
        if lease < 100 {
            return Err(read.wrong(LEASE, "at least '100 ms'"));
        }
        let folder =
            Folder::create_private(storage).map_err(|error| error.context(format_args!("'{STORAGE}'")))?;
        Ok(Some(ClusterFolder {
            folder: folder.child(&parts.join("/")),
            lease: Duration::from_millis(lease.unsigned_abs()),
        }))
    }

    /// How long a silent leader counts as one.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// Its URL, for people.
    pub fn url(&self) -> String {
        self.folder.url()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Option<ClusterFolder>> {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        ClusterFolder::parse(&pairs.collect())
    }

    #[test]
    fn a_folder_is_all_that_it_needs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert!(parse(&[]).unwrap().is_none());
        assert!(parse(&[(TYPE, "NONE"), (STORAGE, path)]).unwrap().is_none());
        let found = parse(&[(TYPE, "filesystem"), (STORAGE, path), (CLUSTER, "/a/b")]).unwrap().unwrap();
        assert!(found.url().ends_with("/a/b"), "{}", found.url());
        assert_eq!(found.lease(), Duration::from_secs(15));
        let told = |pairs: &[(&str, &str)]| parse(pairs).unwrap_err().to_string();
        assert!(told(&[(OLD_TYPE, "zookeeper")]).contains("set it to 'filesystem'"));
        assert!(told(&[(TYPE, "filesystem")]).contains("'high-availability.storageDir' is missing"));
        let elsewhere = told(&[(TYPE, "filesystem"), (STORAGE, path), (CLUSTER, "../other")]);
        assert!(elsewhere.contains("high-availability.cluster-id"), "{elsewhere}");
        assert!(told(&[(TYPE, "filesystem"), (STORAGE, path), (LEASE, "5 ms")]).contains("100 ms"));
    }
}
