//! The jobs of a cluster, for its next leader. See [`super`].

use std::sync::Arc;

use flott_checkpoint::JobStatus;
use flott_runtime::Failure;
use flott_storage::Folder;
use flott_types::{FastSet, JobId, Result, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::leader::{Leading, Term};
use super::records::{VERSION, bytes_of, read};

const PLAN: &str = "plan";

/// The jobs, as their leader sees and writes them.
#[derive(Debug)]
pub struct JobRegistry {
    leading: Arc<Leading>,
    jobs: Folder,
    /// Those that this leader takes care of, or has.
    known: Mutex<FastSet<JobId>>,
}

/// A job that another leader has left.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub job: JobId,
    /// Its graph as JSON.
    pub graph: String,
    /// As what it has run, the last one at the end.
    pub runs: Vec<JobId>,
    /// One of these came so far as to run, so that its client may have heard of it.
    pub accepted: bool,
    /// One of these has held the lease of the job, so that its start is among those of the job.
    pub leased: bool,
    /// How it has ended, if it has.
    pub ended: Option<Ended>,
}

/// How a job has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ended {
    version: u32,
    pub status: JobStatus,
    pub failure: Option<Failure>,
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    version: u32,
    submitted_at: Timestamp,
    graph: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    version: u32,
    run: JobId,
}

/// That a run came so far as to run.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Began {
    version: u32,
    leased: bool,
}

impl Ended {
    pub(crate) fn new(status: JobStatus, failure: Option<Failure>, at: Timestamp) -> Self {
        Ended { version: VERSION, status, failure, at }
    }
}

impl JobRegistry {
    /// That of a cluster, for who leads it.
    pub fn new(leading: Arc<Leading>) -> Self {
        JobRegistry { jobs: leading.folder().child("jobs"), leading, known: Mutex::default() }
    }

    /// The term in which it writes.
    pub(crate) fn leading(&self) -> &Arc<Leading> {
        &self.leading
    }

    fn job(&self, job: JobId) -> Folder {
        self.jobs.child(&job.to_string())
    }

    fn name(&self, what: &str) -> String {
        format!("{what}-{}", self.leading.term().0)
    }

    /// A job is accepted, and runs under its own id.
    pub(crate) async fn add(&self, job: JobId, graph: &str, now: Timestamp) -> Result<()> {
        self.known.lock().insert(job);
        let plan = Plan { version: VERSION, submitted_at: now, graph: graph.to_owned() };
        let folder = self.job(job);
        // The run first: whoever finds the plan finds all of it.
        self.begin(job, job).await?;
        folder.put_new(PLAN, bytes_of(&plan)?).await?;
        self.leading.check().await
    }

    /// This leader runs it, under this id; or under that under which it has tried to before. Returns which.
    pub(crate) async fn begin(&self, job: JobId, run: JobId) -> Result<JobId> {
        let (folder, name) = (self.job(job), self.name("run"));
        if folder.put_new(&name, bytes_of(&Run { version: VERSION, run })?).await? {
            return Ok(run);
        }
        let before: Option<Run> = read(&folder, &name).await?;
        Ok(before.map_or(run, |before| before.run))
    }

    /// The run of this leader has begun, and holds the lease of the job if it has one.
    pub(crate) async fn began(&self, job: JobId, leased: bool) -> Result<()> {
        let record = bytes_of(&Began { version: VERSION, leased })?;
        self.job(job).put_new(&self.name("began"), record).await?;
        self.leading.check().await
    }

    /// It has ended. That counts if no other leader has begun to run it.
    pub(crate) async fn end(&self, job: JobId, ended: &Ended) -> Result<()> {
        self.leading.check().await?;
        self.job(job).put_new(&self.name("end"), bytes_of(ended)?).await?;
        Ok(())
    }

    /// There never was such a job, or nobody wants to know of it any more.
    pub(crate) async fn forget(&self, job: JobId) -> Result<()> {
        self.leading.check().await?;
        let folder = self.job(job);
        // Without its plan it is none.
        folder.delete(PLAN).await?;
        for file in folder.list().await?.files {
            folder.delete(&file).await?;
        }
        self.known.lock().remove(&job);
        Ok(())
    }

    /// The jobs that this leader does not know yet, or why one of them cannot be read. From now on it knows them.
    pub(crate) async fn unknown(&self) -> Result<Vec<(JobId, Result<Entry>)>> {
        let mut found = Vec::new();
        for name in self.jobs.list().await?.folders {
            let Ok(job) = name.parse::<JobId>() else { continue };
            if self.known.lock().contains(&job) {
                continue;
            }
            let Some(entry) = self.entry(job).await.transpose() else { continue };
            self.known.lock().insert(job);
            found.push((job, entry));
        }
        Ok(found)
    }

    /// Whether this leader takes care of it, or has.
    pub(crate) fn knows(&self, job: JobId) -> bool {
        self.known.lock().contains(&job)
    }

    /// A job as it is now; `None` if there is none.
    pub(crate) async fn entry(&self, job: JobId) -> Result<Option<Entry>> {
        let folder = self.job(job);
        let files = folder.list().await?.files;
        if !files.iter().any(|name| name == PLAN) {
            return Ok(None);
        }
        let terms_of = |what: &str| {
            let of = |name: &String| name.strip_prefix(what)?.parse().ok().map(Term);
            let mut terms: Vec<Term> = files.iter().filter_map(of).collect();
            terms.sort_unstable();
            terms
        };
        let runs_of = terms_of("run-");
        let ended: Option<Ended> = match runs_of.last() {
            Some(last) => read(&folder, &format!("end-{}", last.0)).await?,
            None => None,
        };
        let graph = match read(&folder, PLAN).await {
            Ok(Some(Plan { graph, .. })) => graph,
            Ok(None) => return Ok(None),
            // Of a job that has ended it is not needed.
            Err(_) if ended.is_some() => String::new(),
            Err(error) => return Err(error),
        };
        let mut runs = Vec::new();
        for term in runs_of {
            let run: Option<Run> = read(&folder, &format!("run-{}", term.0)).await?;
            runs.extend(run.map(|run| run.run));
        }
        let (mut accepted, mut leased) = (false, false);
        for term in terms_of("began-") {
            if let Some(began) = read::<Began>(&folder, &format!("began-{}", term.0)).await? {
                (accepted, leased) = (true, leased || began.leased);
            }
        }
        Ok(Some(Entry { job, graph, runs, accepted, leased, ended }))
    }
}
