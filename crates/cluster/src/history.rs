//! Jobs of clusters that may be gone, as their JobManagers have archived them ([`crate::archive`]).
//!
//! A history answers the messages of clients as a JobManager does to whom nothing happens any more: it has jobs, all
//! of them ended, and no TaskManagers. So the same REST server and the same pages serve it. Archives are held in
//! memory as they were written, and read when they are asked for; `historyserver.archive.retained-jobs` limits them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use flott_checkpoint::JobStatus;
use flott_runtime::Failure;
use flott_runtime::options::Reader;
use flott_storage::{Folder, block_on};
use flott_types::{Clock, Error, JobId, Result, Timestamp};
use parking_lot::Mutex;

use crate::archive::ArchivedJob;
use crate::client_messages::{ClientAnswer, ClientRequest, DispatcherGateway};

const FOLDERS: &str = "historyserver.archive.fs.dir";
const RETAINED: &str = "historyserver.archive.retained-jobs";
const FOR: &str = "historyserver.archive.retained-ttl";
const EVERY: &str = "historyserver.archive.fs.refresh-interval";
const CLEAN: &str = "historyserver.archive.clean-expired-jobs";

/// The jobs that are in some folders.
pub struct History {
    /// The URLs. One that is not there yet may come.
    folders: Vec<String>,
    retained: Retained,
    every: Duration,
    jobs: Mutex<BTreeMap<JobId, Held>>,
    /// Archives that could not be read, and in which folder they are: nobody changes one.
    unread: Mutex<BTreeSet<(usize, JobId)>>,
    clock: Arc<dyn Clock>,
}

/// Which jobs stay, of each folder.
struct Retained {
    /// The newest of them.
    most: Option<usize>,
    /// Those that have ended since.
    millis: Option<i64>,
    /// One whose archive somebody has deleted is forgotten.
    forget: bool,
}

/// An archive.
#[derive(Clone)]
struct Held {
    /// The position of its folder.
    folder: usize,
    name: String,
    status: JobStatus,
    began: Timestamp,
    ended: Timestamp,
    bytes: Bytes,
}

impl History {
    /// From a configuration; nothing is read yet.
    ///
    /// # Errors
    /// If it names no folder, or a value cannot work.
    pub fn parse(configuration: &BTreeMap<String, String>, clock: Arc<dyn Clock>) -> Result<Self> {
        let read = Reader(configuration);
        let folders = read.text(FOLDERS).unwrap_or_default().split(',').map(str::trim);
        let folders: Vec<String> = folders.filter(|url| !url.is_empty()).map(str::to_owned).collect();
        if folders.is_empty() {
            return Err(Error::invalid(format!(
                "'{FOLDERS}' is missing: the folders in which JobManagers keep the jobs that have ended ('{}')",
                crate::archive::FOLDER
            )));
        }
        // A folder that cannot be one is told now.
        folders.iter().try_for_each(|url| {
            Folder::open(url).map(drop).map_err(|error| error.context(format_args!("'{FOLDERS}'")))
        })?;
        let most = match read.text(RETAINED) {
            None | Some("" | "-1") => None,
            Some(text) => match text.parse() {
                Ok(most) if most > 0 => Some(most),
                _ => return Err(read.wrong(RETAINED, "a number of jobs, or -1 for all")),
            },
        };
        let retained = Retained { most, millis: read.duration(FOR)?, forget: read.flag(CLEAN, false)? };
        let every = match read.duration(EVERY)?.unwrap_or(10_000) {
            millis if millis >= 10 => Duration::from_millis(millis.unsigned_abs()),
            _ => return Err(read.wrong(EVERY, "at least '10 ms'")),
        };
        Ok(History { folders, retained, every, jobs: Mutex::default(), unread: Mutex::default(), clock })
    }

    /// How often it is to be refreshed.
    pub fn refresh_interval(&self) -> Duration {
        self.every
    }

    /// Reads what is new, and deletes what is not retained. A folder that cannot be read is told in the log, and is
    /// looked at again the next time.
    pub fn refresh(&self) {
        for (position, url) in self.folders.iter().enumerate() {
            if let Err(error) = self.refresh_one(position, url) {
                tracing::warn!(folder = url, %error, "archives of jobs cannot be read");
            }
        }
    }

    fn refresh_one(&self, position: usize, url: &str) -> Result<()> {
        let Some(folder) = Folder::open(url)? else { return Ok(()) };
        let listing = block_on(folder.list())?;
        let there: BTreeSet<JobId> = listing.files.iter().filter_map(|name| name.parse().ok()).collect();
        let known: BTreeSet<JobId> = self.jobs.lock().keys().copied().collect();
        let mut unread = self.unread.lock();
        unread.retain(|(of, job)| *of != position || there.contains(job));
        for job in there.difference(&known) {
            if unread.contains(&(position, *job)) {
                continue;
            }
            match read(&folder, position, *job) {
                Ok(Some(held)) => _ = self.jobs.lock().insert(*job, held),
                // It was deleted in between.
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(file = folder.url_of(&job.to_string()), %error, "an archive cannot be read");
                    unread.insert((position, *job));
                }
            }
        }
        if self.retained.forget {
            self.jobs.lock().retain(|job, held| held.folder != position || there.contains(job));
        }
        for job in self.expired(position) {
            block_on(folder.delete(&job.to_string()))?;
            self.jobs.lock().remove(&job);
        }
        Ok(())
    }

    /// Those of a folder that do not stay.
    fn expired(&self, position: usize) -> Vec<JobId> {
        let jobs = self.jobs.lock();
        let mut own: Vec<_> = jobs
            .iter()
            .filter(|(_, held)| held.folder == position)
            .map(|(job, held)| (held.ended, *job))
            .collect();
        // The newest first.
        own.sort_by_key(|(ended, job)| (std::cmp::Reverse(*ended), *job));
        let now = self.clock.now();
        let is_old = |ended: Timestamp| self.retained.millis.is_some_and(|millis| now - ended > millis);
        let most = self.retained.most.unwrap_or(usize::MAX);
        let expired = own.iter().enumerate().filter(|(at, (ended, _))| *at >= most || is_old(*ended));
        expired.map(|(_, (_, job))| *job).collect()
    }

    fn jobs(&self) -> Vec<(JobId, String, JobStatus)> {
        let jobs = self.jobs.lock();
        let mut all: Vec<_> = jobs.iter().map(|(job, held)| (held.began, *job, held)).collect();
        all.sort_by_key(|(began, job, _)| (*began, *job));
        all.into_iter().map(|(_, job, held)| (job, held.name.clone(), held.status)).collect()
    }

    /// What is told of a job.
    fn tell(&self, job: JobId, tell: impl FnOnce(ArchivedJob) -> ClientAnswer) -> Result<ClientAnswer> {
        let held = self.jobs.lock().get(&job).map(|held| held.bytes.clone());
        let Some(bytes) = held else { return Ok(ClientAnswer::Unknown) };
        ArchivedJob::read(job, &bytes).map(tell)
    }

    fn refuse(&self) -> ClientAnswer {
        let error = Error::invalid("this is a history server: it shows jobs that have ended, and runs none");
        ClientAnswer::Refused(Failure::new(&error, self.clock.now()))
    }
}

fn read(folder: &Folder, position: usize, id: JobId) -> Result<Option<Held>> {
    let Some(bytes) = block_on(folder.get(&id.to_string()))? else { return Ok(None) };
    let job = ArchivedJob::read(id, &bytes)?;
    let (began, ended) = job.span();
    let (name, status) = (job.description.name, job.description.info.status);
    Ok(Some(Held { folder: position, name, status, began, ended, bytes }))
}

impl DispatcherGateway for History {
    fn call(&self, request: ClientRequest) -> Result<ClientAnswer> {
        Ok(match request {
            ClientRequest::Jobs => ClientAnswer::Jobs(self.jobs()),
            ClientRequest::Job { job }
            | ClientRequest::Plan { job }
            | ClientRequest::Info { job, .. }
            | ClientRequest::Metrics { job } => return self.tell(job, |of| of.answer(&request)),
            ClientRequest::TaskManagers => ClientAnswer::TaskManagers(Vec::new()),
            ClientRequest::Inspect { .. } => ClientAnswer::Inspected(Vec::new()),
            ClientRequest::Submit { .. }
            | ClientRequest::DisposeSavepoint { .. }
            | ClientRequest::Program(_) => self.refuse(),
            ClientRequest::Cancel { .. }
            | ClientRequest::Require { .. }
            | ClientRequest::Trigger { .. }
            | ClientRequest::Triggered { .. }
            | ClientRequest::Fetch { .. }
            | ClientRequest::AwaitRows { .. }
            | ClientRequest::Abandon { .. } => ClientAnswer::Unknown,
        })
    }

    fn wake_when_collected(&self, _: JobId, reader: Waker) {
        reader.wake();
    }
}
