//! The register of a job: its starts, one after the other, under a key that stays the same.
//!
//! ```text
//! <checkpoints>/jobs/<name>-<hash of the key>/lock              locked by the process that runs the job
//! <checkpoints>/jobs/<name>-<hash of the key>/id                which register this is, wherever it is reached from
//! <checkpoints>/jobs/<name>-<hash of the key>/epoch-<n>/claim   who has started it, and as which job
//! <checkpoints>/jobs/<name>-<hash of the key>/epoch-<n>/began   what it continues from
//! <checkpoints>/jobs/<name>-<hash of the key>/epoch-<n>/alive   when the owner last sent a heartbeat
//! <checkpoints>/jobs/<name>-<hash of the key>/epoch-<n>/end     how it ended
//! ```
//!
//! The checkpoints themselves are in the folder of the job's id, which is new at each start: two processes
//! never write to the same folder, whatever goes wrong between them.

use bytes::Bytes;
use flott_checkpoint::manifest::Checksum;
use flott_storage::Folder;
use flott_types::{Error, FastSet, JobId, JobKey, Result};

use super::records::{Alive, Began, Claim, End, Epoch, Id, Outcome, VERSION, bytes_of, read};
use super::{CheckpointStorage, JobStorage};

/// The folder of the registers.
pub(super) const JOBS: &str = "jobs";
pub(super) const LOCK: &str = "lock";
const ID: &str = "id";
pub(super) const CLAIM: &str = "claim";
const BEGAN: &str = "began";
const ALIVE: &str = "alive";
const END: &str = "end";
/// How many characters of a key the name of its folder has at most.
const NAME: usize = 40;

/// The starts of one job.
#[derive(Clone, Debug)]
pub struct JobRegister {
    pub(super) storage: CheckpointStorage,
    pub(super) folder: Folder,
}

/// One start of a job.
#[derive(Clone, Debug)]
pub struct Start {
    /// Its number.
    pub epoch: Epoch,
    /// Who started it, and as which job.
    pub claim: Claim,
    /// What it continued from; `None` if it did not get that far.
    pub began: Option<Began>,
    /// How it ended; `None` if it is running or was killed.
    pub end: Option<End>,
}

impl Start {
    /// Whether it completed all its work.
    pub fn finished(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.outcome == Outcome::Finished)
    }

    /// See [`Began::lineage`].
    pub fn lineage(&self) -> Epoch {
        self.began.as_ref().map_or(self.epoch, |began| began.lineage)
    }
}

impl JobRegister {
    /// The register of the job with this key.
    pub fn new(storage: &CheckpointStorage, key: &JobKey) -> Self {
        let letter = |c: char| if c.is_ascii_alphanumeric() || "._".contains(c) { c } else { '-' };
        let name: String = key.0.chars().take(NAME).map(letter).collect();
        let folder = format!("{name}-{}", Checksum::of(key.0.as_bytes()));
        JobRegister::at(storage, &folder)
    }

    fn at(storage: &CheckpointStorage, folder: &str) -> Self {
        JobRegister { storage: storage.clone(), folder: storage.folder().child(JOBS).child(folder) }
    }

    /// The registers of all jobs.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub async fn all(storage: &CheckpointStorage) -> Result<Vec<Self>> {
        let folders = storage.folder().child(JOBS).list().await?.folders;
        Ok(folders.iter().map(|name| JobRegister::at(storage, name)).collect())
    }

    /// The folder, for messages.
    pub fn url(&self) -> String {
        self.folder.url()
    }

    /// Its id. It gets this one, which nobody else has, if it has none yet.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub async fn id(&self, new: JobId) -> Result<JobId> {
        if let Some(Id { id, .. }) = read(&self.folder, ID).await? {
            return Ok(id);
        }
        if self.folder.put_new(ID, bytes_of(&Id { version: VERSION, id: new })?).await? {
            return Ok(new);
        }
        let other = read::<Id>(&self.folder, ID).await?;
        other
            .map(|Id { id, .. }| id)
            .ok_or_else(|| Error::state(format!("'{}' was removed", self.folder.url_of(ID))))
    }

    /// The numbers of the starts, ascending.
    pub(super) async fn epochs(&self) -> Result<Vec<Epoch>> {
        let folders = self.folder.list().await?.folders;
        let epoch = |name: &String| name.strip_prefix("epoch-")?.parse().ok().map(Epoch);
        let mut epochs: Vec<Epoch> = folders.iter().filter_map(epoch).collect();
        epochs.sort_unstable();
        Ok(epochs)
    }

    pub(super) fn epoch(&self, epoch: Epoch) -> Folder {
        self.folder.child(&format!("epoch-{epoch}"))
    }

    /// A start; `None` if nobody has claimed that number.
    pub(super) async fn start(&self, epoch: Epoch) -> Result<Option<Start>> {
        let folder = self.epoch(epoch);
        let Some(claim) = read(&folder, CLAIM).await? else { return Ok(None) };
        Ok(Some(Start { epoch, claim, began: read(&folder, BEGAN).await?, end: read(&folder, END).await? }))
    }

    /// The known starts, oldest first.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if a record is damaged.
    pub async fn starts(&self) -> Result<Vec<Start>> {
        let mut starts = Vec::new();
        for epoch in self.epochs().await? {
            starts.extend(self.start(epoch).await?);
        }
        Ok(starts)
    }

    /// The last start, if there was one.
    ///
    /// # Errors
    /// As [`JobRegister::starts`].
    pub async fn newest(&self) -> Result<Option<Start>> {
        for epoch in self.epochs().await?.into_iter().rev() {
            // A folder without a claim belongs to a process that died while making it.
            if let Some(start) = self.start(epoch).await? {
                return Ok(Some(start));
            }
        }
        Ok(None)
    }

    /// The checkpoints of a start.
    pub fn checkpoints_of(&self, start: &Start) -> JobStorage {
        self.storage.job(start.claim.job)
    }

    pub(super) async fn alive(&self, epoch: Epoch) -> Result<Option<Alive>> {
        read(&self.epoch(epoch), ALIVE).await
    }

    pub(super) async fn note_alive(&self, epoch: Epoch, alive: &Alive) -> Result<()> {
        self.epoch(epoch).put(ALIVE, bytes_of(alive)?).await
    }

    pub(super) async fn note_began(&self, epoch: Epoch, began: &Began) -> Result<()> {
        self.create(epoch, BEGAN, bytes_of(began)?).await
    }

    pub(super) async fn note_end(&self, epoch: Epoch, end: &End) -> Result<()> {
        self.create(epoch, END, bytes_of(end)?).await
    }

    async fn create(&self, epoch: Epoch, name: &str, record: Bytes) -> Result<()> {
        let folder = self.epoch(epoch);
        if folder.put_new(name, record.clone()).await? || folder.get(name).await? == Some(record) {
            return Ok(());
        }
        Err(Error::state(format!("'{}' is there already and says something else", folder.url_of(name))))
    }

    /// Deletes what starts before `epoch` left behind and nobody needs: everything of those that finished,
    /// with all that they continued from; files of those that never completed a checkpoint; and leftovers of
    /// interrupted deletions. With `lineage`, a checkpoint of the start `epoch` supersedes those of all
    /// starts that it descends from. Files named by a manifest that stays are kept. Only the holder of the
    /// lease of `epoch` may call this.
    ///
    /// # Errors
    /// If something cannot be read or deleted; the call may be repeated.
    pub(super) async fn sweep(&self, epoch: Epoch, lineage: Option<Epoch>) -> Result<()> {
        let starts = self.starts().await?;
        let done: FastSet<Epoch> =
            starts.iter().filter(|start| start.finished()).map(Start::lineage).chain(lineage).collect();
        let (mut gone, mut stays, mut kept) = (Vec::new(), Vec::new(), FastSet::default());
        for start in &starts {
            let job = self.checkpoints_of(start);
            let own = start.epoch >= epoch;
            // A start that is not the first of its lineage and has not begun owns nothing yet.
            let superseded = !own && done.contains(&start.lineage());
            let empty = job.checkpoints().await?.is_empty() && job.stopped().await?.is_none();
            if superseded || (!own && (empty || start.end.as_ref().is_some_and(|end| end.discarded))) {
                gone.push((start, job));
            } else {
                kept.extend(job.urls().await?);
                stays.extend((!own).then_some(job));
            }
        }
        for job in stays {
            job.sweep_except(&kept).await?;
        }
        for (start, job) in gone {
            job.discard_except(&kept).await?;
            self.forget(start.epoch).await?;
        }
        Ok(())
    }

    /// Deletes the records of a start, the claim last.
    async fn forget(&self, epoch: Epoch) -> Result<()> {
        let folder = self.epoch(epoch);
        let mut files = folder.list().await?.files;
        files.sort_by_key(|name| name == CLAIM);
        for file in files {
            folder.delete(&file).await?;
        }
        Ok(())
    }

    /// The jobs that a register in this folder knows.
    pub(super) async fn registered(storage: &CheckpointStorage) -> Result<FastSet<JobId>> {
        let mut jobs = FastSet::default();
        for register in JobRegister::all(storage).await? {
            for start in register.starts().await? {
                jobs.insert(start.claim.job);
            }
        }
        Ok(jobs)
    }
}
