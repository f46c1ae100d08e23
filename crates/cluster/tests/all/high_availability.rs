//! Jobs that go on under the next leader of their cluster, and what is in the way of that.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flott_checkpoint::manifest::{seal, unseal};
use flott_cluster::high_availability::{Candidate, ClusterFolder, JobRegistry, Leading};
use flott_cluster::{JobClient, JobStatus};
use flott_plan::{Exchange, JobGraph};
use flott_storage::block_on;
use flott_types::{Clock, JobId, SystemClock};

use crate::support::{Plan, World, world_with};

/// Waits for a state, on a machine that may be busy.
fn until(mut holds: impl FnMut() -> bool) {
    let clock = SystemClock::new();
    while !holds() {
        assert!(Duration::from_nanos(clock.nanos()) < Duration::from_secs(120), "it does not come to hold");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// A cluster in a folder, which has leaders one after the other.
struct Several(tempfile::TempDir);

/// One of its leaders, with a TaskManager of its own.
struct Leader {
    world: World,
    leading: Arc<Leading>,
}

impl Several {
    fn new() -> Self {
        Several(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> ClusterFolder {
        let storage = self.0.path().join("ha").to_str().unwrap().to_owned();
        let options = [("high-availability.type", "filesystem"), ("high-availability.storageDir", &storage)];
        let options: BTreeMap<_, _> = options.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        ClusterFolder::parse(&options).unwrap().unwrap()
    }

    /// It leads once the one before it is gone. Sources wait when they have emitted so many rows.
    fn leader(&self, pause_at: u64) -> Leader {
        let leading = Arc::new(block_on(Candidate::new(self.folder()).stand(1, 0)).unwrap().unwrap());
        let registry = JobRegistry::new(leading.clone());
        let world = world_with(1, 4, |options| options.high_availability = Some(registry));
        world.controls.pause_at.store(pause_at, Ordering::SeqCst);
        Leader { world, leading }
    }

    fn checkpoints(&self) -> PathBuf {
        self.0.path().join("checkpoints")
    }

    /// Where a job is recorded.
    fn record(&self, job: JobId) -> PathBuf {
        self.0.path().join("ha/default/jobs").join(job.to_string())
    }

    fn job(&self, name: &str) -> JobGraph {
        job(&self.checkpoints(), name)
    }

    /// A job runs under a leader that is told to end then.
    fn left(&self, names: &[&str]) -> Vec<JobId> {
        let leader = self.leader(60);
        let jobs = names.iter().map(|name| {
            let client = leader.world.cluster.submit(&self.job(name)).unwrap();
            assert!(client.wait_until(Duration::from_secs(120), |info| info.checkpoints.completed > 0));
            client.job_id()
        });
        let jobs = jobs.collect();
        leader.end();
        jobs
    }
}

impl Leader {
    fn end(self) {
        drop(self.world);
        block_on(self.leading.resign(1)).unwrap();
    }

    fn client(&self, job: JobId) -> JobClient {
        self.world.cluster.client(job).unwrap()
    }

    /// Takes over again and again until a job is as expected.
    fn take_over_until(&self, job: JobId, mut is: impl FnMut(&JobClient) -> bool) -> JobClient {
        self.world.cluster.take_over().unwrap();
        let client = self.client(job);
        until(|| {
            self.world.cluster.take_over().unwrap();
            is(&client)
        });
        client
    }
}

/// 300 rows, with a checkpoint every few milliseconds.
fn job(checkpoints: &Path, name: &str) -> JobGraph {
    let mut plan = Plan::new(&[
        ("pipeline.name", name),
        ("execution.checkpointing.interval", "5 ms"),
        ("execution.checkpointing.dir", checkpoints.to_str().unwrap()),
        ("table.exec.batch-size", "16"),
    ]);
    let source = plan.source("source", &[("rows", "300"), ("pause", "1"), ("batch", "3")], 1);
    let count = plan.count("count", 1);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(source, count, Exchange::Hash(vec![0]));
    plan.connect(count, sink, Exchange::Forward);
    plan.build()
}

fn finish(client: &JobClient) {
    let status = client.wait_for(Duration::from_secs(120));
    assert_eq!(status, Some(JobStatus::Finished), "{:#?}", client.info());
}

/// Why a job does not run.
fn trouble(client: &JobClient) -> Option<String> {
    let info = client.info();
    assert_eq!(info.status, JobStatus::Initializing, "{info:?}");
    info.exceptions.front().map(|last| last.failure.message.clone())
}

#[test]
fn a_job_goes_on_under_the_next_leader_and_keeps_its_id() {
    let several = Several::new();
    let jobs = several.left(&["one"]);
    let next = several.leader(0);
    let client = next.take_over_until(jobs[0], |client| client.status() != JobStatus::Initializing);
    finish(&client);
    assert!(client.info().checkpoints.restored_from.is_some(), "{:?}", client.info());
}

#[test]
fn a_job_counts_as_ended_when_the_next_leader_would_know_it() {
    let several = Several::new();
    let leader = several.leader(60);
    let client = leader.world.cluster.submit(&several.job("one")).unwrap();
    assert!(client.wait_until(Duration::from_secs(120), |info| info.status == JobStatus::Running));
    // Nothing can be recorded of it for a while.
    let (record, aside) = (several.record(client.job_id()), several.0.path().join("aside"));
    fs::rename(&record, &aside).unwrap();
    fs::write(&record, "").unwrap();
    leader.world.controls.pause_at.store(0, Ordering::SeqCst);
    until(|| leader.world.cluster.slots() == (4, 4));
    assert!(!client.status().is_terminal(), "{:?}", client.info());
    fs::remove_file(&record).unwrap();
    fs::rename(&aside, &record).unwrap();
    finish(&client);
    assert!(record.join("end-1").exists());
    leader.end();
    let next = several.leader(0);
    let client = next.take_over_until(client.job_id(), |_| true);
    assert_eq!(client.status(), JobStatus::Finished);
}

#[test]
fn a_job_whose_checkpoints_are_not_there_is_not_begun_anew() {
    let several = Several::new();
    let jobs = several.left(&["one", "two"]);
    let aside = several.0.path().join("aside");
    fs::rename(several.checkpoints(), &aside).unwrap();
    let next = several.leader(0);
    let client = next.take_over_until(jobs[0], |client| trouble(client).is_some());
    let why = trouble(&client).unwrap();
    assert!(why.contains("knows of no start of it") && why.contains("not begun anew"), "{why}");
    let error = next.world.cluster.submit(&several.job("one")).err().unwrap().to_string();
    assert!(error.contains("is about to be taken over") && error.contains(&jobs[0].to_string()), "{error}");
    // A job that waits can be cancelled, and stays so.
    next.client(jobs[1]).cancel();
    next.take_over_until(jobs[1], |client| client.status() == JobStatus::Canceled);
    assert_eq!(next.world.controls.emitted.load(Ordering::SeqCst), 0);
    next.end();
    let next = several.leader(0);
    next.take_over_until(jobs[0], |client| trouble(client).is_some());
    assert_eq!(next.client(jobs[1]).status(), JobStatus::Canceled);
    // They are found again.
    until(|| {
        // Each attempt looks for them, which creates the folder.
        _ = fs::remove_dir_all(several.checkpoints());
        fs::rename(&aside, several.checkpoints()).is_ok()
    });
    let client = next.take_over_until(jobs[0], |client| client.status() != JobStatus::Initializing);
    finish(&client);
    assert!(client.info().checkpoints.restored_from.is_some(), "{:?}", client.info());
}

#[test]
fn a_record_that_cannot_be_read_holds_up_its_own_job_only() {
    let several = Several::new();
    let jobs = several.left(&["one", "two"]);
    for (damaged, other) in [(jobs[0], jobs[1]), (jobs[1], jobs[0])] {
        let plan = several.record(damaged).join("plan");
        let whole = fs::read(&plan).unwrap();
        fs::write(&plan, &whole[..whole.len() / 2]).unwrap();
        let next = several.leader(60);
        next.take_over_until(damaged, |client| trouble(client).is_some_and(|why| why.contains("damaged")));
        next.take_over_until(other, |client| client.status() == JobStatus::Running);
        fs::write(&plan, whole).unwrap();
        next.take_over_until(damaged, |client| client.status() == JobStatus::Running);
        next.end();
    }
}

#[test]
fn a_job_that_had_not_begun_takes_the_key_of_no_other() {
    let several = Several::new();
    let jobs = several.left(&["one"]);
    // Another one was submitted by the same name, and the leader died before it could refuse that.
    let second = JobId(1);
    let (from, to) = (several.record(jobs[0]), several.record(second));
    fs::create_dir(&to).unwrap();
    fs::copy(from.join("plan"), to.join("plan")).unwrap();
    let run = String::from_utf8(unseal(&fs::read(from.join("run-1")).unwrap()).unwrap().unwrap()).unwrap();
    let run = run.replace(&jobs[0].to_string(), &second.to_string());
    fs::write(to.join("run-1"), seal(run.as_bytes()).unwrap()).unwrap();
    let next = several.leader(60);
    let client = next.take_over_until(second, |client| client.status().is_terminal());
    let failure = client.info().failure.unwrap();
    assert!(failure.message.contains("was running already, as job"), "{failure:?}");
    next.take_over_until(jobs[0], |client| client.status() == JobStatus::Running);
}

#[test]
fn a_leader_that_is_deposed_asks_no_committer() {
    let several = Several::new();
    let leader = several.leader(60);
    let mut plan = Plan::new(&[]);
    let source = plan.source("source", &[("rows", "300"), ("batch", "3")], 1);
    let sink = plan.sink("sink", &[("by", "job")], 1);
    plan.connect(source, sink, Exchange::Forward);
    let client = leader.world.cluster.submit(&plan.build()).unwrap();
    assert!(client.wait_until(Duration::from_secs(120), |info| info.status == JobStatus::Running));
    // By its own clock another one has not seen it for very long. The job is done only then.
    let mut other = Candidate::new(several.folder());
    assert!(block_on(other.stand(1, 0)).unwrap().is_none());
    let other = block_on(other.stand(1, u64::MAX / 2)).unwrap().unwrap();
    leader.world.controls.pause_at.store(0, Ordering::SeqCst);
    let status = client.wait_for(Duration::from_secs(120));
    assert_eq!((status, leader.world.committed.rows()), (Some(JobStatus::Failed), Vec::new()));
    let failure = client.info().failure.unwrap();
    assert!(failure.message.contains("no longer leads its cluster"), "{failure:?}");
    drop(other);
}
