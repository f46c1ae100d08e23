//! Who leads. See [`super`].

use std::fs::{File, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flott_state::store::Owner;
use flott_storage::Folder;
use flott_types::{Error, ErrorKind, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::ClusterFolder;
use super::records::{VERSION, bytes_of, read};

const CLAIM: &str = "claim";
const ALIVE: &str = "alive";
const RESIGNED: &str = "resigned";

/// The number of a leadership; a later one is larger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Term(pub u64);

/// Who leads, for those who look for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leader {
    /// Since it was elected.
    pub term: Term,
    /// The process, for people.
    pub owner: String,
    /// Where TaskManagers find it, once it listens.
    pub rpc: Option<String>,
    /// Where clients find it, once it knows its jobs.
    pub rest: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    version: u32,
    term: Term,
    owner: Owner,
    /// The file in the folder of leaders that it has locked, where there are locks.
    lock: Option<String>,
    at: Timestamp,
}

/// Overwritten each time that it says so.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alive {
    version: u32,
    /// How often it has said so.
    count: u64,
    rpc: Option<String>,
    rest: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Resigned {
    version: u32,
    at: Timestamp,
}

impl ClusterFolder {
    fn leaders(&self) -> Folder {
        self.folder.child("leader")
    }

    fn term(&self, term: Term) -> Folder {
        self.leaders().child(&format!("term-{}", term.0))
    }

    /// The terms, ascending.
    async fn terms(&self) -> Result<Vec<Term>> {
        let folders = self.leaders().list().await?.folders;
        let term = |name: &String| name.strip_prefix("term-")?.parse().ok().map(Term);
        let mut terms: Vec<Term> = folders.iter().filter_map(term).collect();
        terms.sort_unstable();
        Ok(terms)
    }

    /// The last claim, or why it cannot be read: it is damaged, or of another version.
    async fn newest(&self) -> Result<Option<(Term, Result<Claim>)>> {
        for term in self.terms().await?.into_iter().rev() {
            match read(&self.term(term), CLAIM).await {
                Ok(Some(claim)) => return Ok(Some((term, Ok(claim)))),
                // A folder without a claim belongs to a process that died while making it.
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::State => return Ok(Some((term, Err(error)))),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Who leads, or did last; `None` if nobody ever has.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub async fn leader(&self) -> Result<Option<Leader>> {
        let Some((_, claim)) = self.newest().await? else { return Ok(None) };
        let claim = claim?;
        let alive: Alive = read(&self.term(claim.term), ALIVE).await?.unwrap_or_default();
        Ok(Some(Leader {
            term: claim.term,
            owner: claim.owner.to_string(),
            rpc: alive.rpc,
            rest: alive.rest,
        }))
    }
}

/// A process that would lead.
#[derive(Debug)]
pub struct Candidate {
    folder: ClusterFolder,
    /// The last that it has seen of whoever leads, and when by its own clock.
    seen: Option<(Term, Option<Bytes>, u64)>,
}

impl Candidate {
    /// One for the cluster of this folder.
    pub fn new(folder: ClusterFolder) -> Self {
        Candidate { folder, seen: None }
    }

    /// Leads from now on, if nobody does. `nanos` is the time by a clock that never goes back.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    pub async fn stand(&mut self, now: Timestamp, nanos: u64) -> Result<Option<Leading>> {
        let newest = self.folder.newest().await?;
        if let Some((term, claim)) = &newest
            && self.leads(*term, claim.as_ref().ok(), nanos).await?
        {
            return Ok(None);
        }
        let term = Term(newest.as_ref().map_or(0, |(term, _)| term.0) + 1);
        let leaders = self.folder.leaders();
        let name = format!("lock-{:016x}", RandomState::new().hash_one((std::process::id(), now, nanos)));
        let lock = match lock(&leaders, &name)? {
            Lock::Free(file) => Some(file),
            Lock::Taken | Lock::Unknown | Lock::Missing => None,
        };
        let claim = Claim {
            version: VERSION,
            term,
            owner: Owner::this_process(),
            lock: lock.is_some().then(|| name.clone()),
            at: now,
        };
        let leading = Leading { folder: self.folder.clone(), claim, count: AtomicU64::new(0), _lock: lock };
        let won = self.folder.term(term).put_new(CLAIM, bytes_of(&leading.claim)?).await?;
        // The folder of an old term may have been deleted, so that it could be claimed anew.
        if !won || leading.check().await.is_err() {
            leaders.delete(&name).await?;
            return Ok(None);
        }
        self.seen = None;
        if let Some((_, Ok(before))) = newest {
            leading.clean_up(&before).await;
        }
        Ok(Some(leading))
    }

    /// Whether whoever made this claim leads, as far as can be known. That it says anything new is enough: it may be
    /// of a version that cannot be read here.
    async fn leads(&mut self, term: Term, claim: Option<&Claim>, nanos: u64) -> Result<bool> {
        let folder = self.folder.term(term);
        if folder.get(RESIGNED).await?.is_some() {
            return Ok(false);
        }
        if let Some(claim) = claim.filter(|claim| claim.owner.same_machine(&Owner::this_process()))
            && let Some(name) = &claim.lock
            && matches!(look_at(&self.folder.leaders(), name)?, Lock::Free(_))
        {
            return Ok(false);
        }
        let alive = folder.get(ALIVE).await?;
        match &self.seen {
            Some((seen, last, since)) if *seen == term && *last == alive => {
                Ok(Duration::from_nanos(nanos.saturating_sub(*since)) < self.folder.lease)
            }
            _ => {
                self.seen = Some((term, alive, nanos));
                Ok(true)
            }
        }
    }
}

/// A term that this process leads in, until somebody else is elected.
#[derive(Debug)]
pub struct Leading {
    folder: ClusterFolder,
    claim: Claim,
    count: AtomicU64,
    /// Locked for as long as it is open.
    _lock: Option<File>,
}

impl Leading {
    /// Its number.
    pub fn term(&self) -> Term {
        self.claim.term
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder.folder
    }

    /// Whether it still leads.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if somebody else has been elected, with who.
    pub async fn check(&self) -> Result<()> {
        let own = self.claim.term;
        for term in self.folder.terms().await?.into_iter().rev().take_while(|term| *term > own) {
            let by = match read::<Claim>(&self.folder.term(term), CLAIM).await {
                Ok(Some(claim)) => claim.owner.to_string(),
                // A process that died while it was making its claim leads nothing.
                Ok(None) => continue,
                Err(_) => "another process".to_owned(),
            };
            return Err(Error::state(format!(
                "this JobManager no longer leads its cluster: {by} does (term {}, this was {}); it writes and commits nothing more",
                term.0, own.0
            )));
        }
        Ok(())
    }

    /// Says that it is alive, and where it is found.
    ///
    /// # Errors
    /// As [`Leading::check`], or if that cannot be written.
    pub async fn renew(&self, rpc: Option<&str>, rest: Option<&str>) -> Result<()> {
        self.check().await?;
        let alive = Alive {
            version: VERSION,
            count: self.count.fetch_add(1, Ordering::Relaxed) + 1,
            rpc: rpc.map(str::to_owned),
            rest: rest.map(str::to_owned),
        };
        self.folder.term(self.claim.term).put(ALIVE, bytes_of(&alive)?).await
    }

    /// Leads no longer: a standby need not wait.
    ///
    /// # Errors
    /// If that cannot be written.
    pub async fn resign(&self, now: Timestamp) -> Result<()> {
        let record = bytes_of(&Resigned { version: VERSION, at: now })?;
        self.folder.term(self.claim.term).put_new(RESIGNED, record).await.map(|_| ())
    }

    /// What terms before the last one have left behind, which stays: a process may be about to look at it.
    async fn clean_up(&self, last: &Claim) {
        let clean = async {
            let kept = [last.lock.as_ref(), self.claim.lock.as_ref()];
            let leaders = self.folder.leaders();
            for file in leaders.list().await?.files {
                if !kept.contains(&Some(&file)) && matches!(look_at(&leaders, &file), Ok(Lock::Free(_))) {
                    leaders.delete(&file).await?;
                }
            }
            for term in self.folder.terms().await?.into_iter().filter(|term| *term < last.term) {
                let folder = self.folder.term(term);
                for file in folder.list().await?.files {
                    folder.delete(&file).await?;
                }
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = clean.await {
            tracing::warn!(%error, "what earlier leaders have left behind could not be deleted");
        }
    }
}

enum Lock {
    Free(File),
    Taken,
    Unknown,
    Missing,
}

/// Locks a file, which is made.
fn lock(folder: &Folder, name: &str) -> Result<Lock> {
    let Some(path) = folder.local_file(name)? else { return Ok(Lock::Unknown) };
    let failed = |e| Error::external(format!("'{}' cannot be opened", path.display())).with_source(e);
    locked(File::options().write(true).create(true).truncate(false).open(&path).map_err(failed)?)
}

/// Locks a file that is there.
fn look_at(folder: &Folder, name: &str) -> Result<Lock> {
    let Some(path) = folder.local_file(name)? else { return Ok(Lock::Unknown) };
    match File::options().write(true).open(&path) {
        Ok(file) => locked(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Lock::Missing),
        Err(error) => {
            Err(Error::external(format!("'{}' cannot be opened", path.display())).with_source(error))
        }
    }
}

fn locked(file: File) -> Result<Lock> {
    match file.try_lock() {
        Ok(()) => Ok(Lock::Free(file)),
        Err(TryLockError::WouldBlock) => Ok(Lock::Taken),
        // A file system without locks.
        Err(TryLockError::Error(_)) => Ok(Lock::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use flott_storage::block_on;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn folder(dir: &tempfile::TempDir) -> ClusterFolder {
        ClusterFolder {
            folder: Folder::create(dir.path().to_str().unwrap()).unwrap(),
            lease: Duration::from_secs(15),
        }
    }

    fn stand(candidate: &mut Candidate, nanos: u64) -> Option<Leading> {
        block_on(candidate.stand(7, nanos)).unwrap()
    }

    #[test]
    fn one_leads_and_another_one_follows_when_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (mut first, mut second) = (Candidate::new(folder(&dir)), Candidate::new(folder(&dir)));
        let leading = stand(&mut first, 0).unwrap();
        block_on(leading.renew(Some("a:1"), None)).unwrap();
        assert!(stand(&mut second, 0).is_none());
        let known = block_on(folder(&dir).leader()).unwrap().unwrap();
        assert_eq!((known.term, known.rpc.as_deref(), known.rest), (Term(1), Some("a:1"), None));
        // It was killed: its lock went with it, and nobody has to wait.
        drop(leading);
        let leading = stand(&mut second, 0).unwrap();
        assert_eq!(leading.term(), Term(2));
        assert!(stand(&mut first, 100 * SECOND).is_none(), "what is seen for the first time is new");
        block_on(leading.resign(7)).unwrap();
        assert_eq!(stand(&mut first, 100 * SECOND).unwrap().term(), Term(3));
        // Only the last term is kept, besides the current one.
        assert_eq!(block_on(folder(&dir).terms()).unwrap(), [Term(2), Term(3)]);
    }

    #[test]
    fn a_frozen_leader_is_deposed_and_hears_so() {
        let dir = tempfile::tempdir().unwrap();
        let (mut first, mut second) = (Candidate::new(folder(&dir)), Candidate::new(folder(&dir)));
        let frozen = stand(&mut first, 0).unwrap();
        for at in [0, 14] {
            assert!(stand(&mut second, at * SECOND).is_none());
        }
        // It is alive after all.
        block_on(frozen.renew(None, None)).unwrap();
        for at in [15, 29] {
            assert!(stand(&mut second, at * SECOND).is_none());
        }
        let leading = stand(&mut second, 30 * SECOND).unwrap();
        assert_eq!(leading.term(), Term(2));
        let error = block_on(frozen.renew(None, None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
        assert!(error.to_string().contains("(term 2, this was 1)"), "{error}");
        block_on(leading.check()).unwrap();
        // The lock of the frozen one is still taken, and that of its successor counts.
        drop(leading);
        assert_eq!(stand(&mut first, 0).unwrap().term(), Term(3));
    }
}
