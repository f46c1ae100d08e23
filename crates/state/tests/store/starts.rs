//! The starts of a job: who may run it, what it continues from, and what is left of it.

use flott_checkpoint::manifest::{seal, unseal};
use flott_state::store::{
    Began, End, Ends, Epoch, LEASE_MILLIS, Latest, Lease, Meaning, Origin, Outcome, Search, difference,
};
use flott_types::{ErrorKind, JobKey};

use super::*;

struct Job {
    key: JobKey,
    named: bool,
    meaning: Meaning,
    uids: Vec<OperatorUid>,
}

impl Job {
    fn new(key: &str) -> Self {
        let ends =
            |table: &str| vec![Ends { table: table.to_owned(), place: Some(format!("/data/{table}")) }];
        let meaning = Meaning { reads: ends("src"), writes: ends("sink") };
        Job { key: JobKey(key.to_owned()), named: true, meaning, uids: vec![uid()] }
    }

    fn search(&self) -> Search<'_> {
        Search { key: &self.key, named: self.named, meaning: &self.meaning, uids: &self.uids }
    }

    fn start(&self, storage: &CheckpointStorage, id: u128, now: i64) -> Result<Lease> {
        let register = storage.register(&self.key);
        block_on(async { register.vacancy(now).await?.claim(self.search(), JobId(id), now).await })
    }

    /// A start from nothing, with this many checkpoints.
    fn runs(&self, storage: &CheckpointStorage, id: u128, checkpoints: u64) -> Lease {
        let lease = self.start(storage, id, 0).unwrap();
        block_on(lease.begin(&Began::new(None, lease.claim().epoch))).unwrap();
        self.checkpoints(storage, id, 1..=checkpoints);
        lease
    }

    fn checkpoints(&self, storage: &CheckpointStorage, id: u128, ids: std::ops::RangeInclusive<u64>) {
        for checkpoint in ids {
            let mut manifest =
                Manifest::new(JobId(id), CheckpointId(checkpoint), ManifestKind::Checkpoint, 0);
            manifest.key = Some(self.key.clone());
            block_on(storage.job(JobId(id)).complete(&manifest)).unwrap();
        }
    }

    fn latest(&self, storage: &CheckpointStorage) -> Result<Latest> {
        block_on(storage.register(&self.key).latest(Epoch(u64::MAX), self.search()))
    }

    /// The job and the checkpoint of its latest state.
    fn found(&self, storage: &CheckpointStorage) -> (u128, u64) {
        match self.latest(storage).unwrap() {
            Latest::Snapshot(found, _) => {
                (found.snapshot.manifest.job.0, found.snapshot.manifest.checkpoint.0)
            }
            Latest::Nothing { .. } => (0, 0),
            other => panic!("{other:?}"),
        }
    }
}

fn from(id: u128, checkpoint: u64, storage: &CheckpointStorage) -> Option<Origin> {
    let url = format!("{}/chk-{checkpoint}", storage.job(JobId(id)).folder().url());
    Some(Origin { job: JobId(id), checkpoint: CheckpointId(checkpoint), url })
}

#[test]
fn one_process_at_a_time_runs_a_job() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    let first = job.start(&storage, 1, 1_000).unwrap();
    let error = job.start(&storage, 2, 2_000).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let (pid, id) = (std::process::id(), JobId(1));
    let text = error.to_string();
    assert!(text.starts_with(&format!("job 'totals' is already running: process {pid} on ")), "{text}");
    assert!(
        text.contains(&format!("since 1970-01-01 00:00:01 UTC as job {id}. End that one first")),
        "{text}"
    );
    job.start(&storage, 2, i64::MAX).expect_err("as long as its process lives, whatever the clock says");
    // Another job in the same folder is nobody's business.
    Job::new("totals!").start(&storage, 3, 2_000).unwrap();

    // It was killed: its lock went with it, and nobody has to wait.
    drop(first);
    let second = job.start(&storage, 2, 2_000).unwrap();
    assert_eq!(second.claim().epoch, Epoch(2));
    block_on(second.end(&End::new(Outcome::Canceled, 3_000))).unwrap();
    drop(second);
    assert_eq!(job.start(&storage, 3, 4_000).unwrap().claim().epoch, Epoch(3));
}

/// Makes the newest start one of another machine.
fn on_another_machine(storage: &CheckpointStorage, key: &JobKey) {
    let url = storage.register(key).url();
    let path = std::path::Path::new(url.strip_prefix("file://").unwrap()).join("epoch-1/claim");
    let claim = unseal(&std::fs::read(&path).unwrap()).unwrap().unwrap();
    let mut claim: serde_json::Value = serde_json::from_slice(&claim).unwrap();
    claim["owner"] = serde_json::json!({"host": "elsewhere", "boot": "another", "pid": 7});
    std::fs::write(&path, seal(&serde_json::to_vec(&claim).unwrap()).unwrap()).unwrap();
}

#[test]
fn a_start_of_a_deposed_leader_is_taken_over_although_its_lock_is_held() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    let frozen = job.runs(&storage, 1, 2);
    let register = storage.register(&job.key);
    let take_over = |id: u128, from: &[JobId]| {
        block_on(async {
            register.vacancy_after(2_000, from).await?.claim(job.search(), JobId(id), 2_000).await
        })
    };
    for stranger in [&[][..], &[JobId(9)]] {
        assert_eq!(take_over(2, stranger).unwrap_err().kind(), ErrorKind::Invalid);
    }
    let next = take_over(2, &[JobId(1)]).unwrap();
    let Some(Latest::Snapshot(found, lineage)) =
        block_on(register.latest_of(next.claim().epoch, &[JobId(1)])).unwrap()
    else {
        panic!("there is a checkpoint")
    };
    assert_eq!((found.snapshot.manifest.checkpoint, lineage), (CheckpointId(2), Some(Epoch(1))));
    assert_eq!(block_on(frozen.check()).unwrap_err().kind(), ErrorKind::State);
    // Its lock is free from now on, which says nothing about its successor, who has none.
    drop(frozen);
    job.start(&storage, 3, 3_000).unwrap_err();
    // A start that has begun from nothing and has no checkpoint yet is continued from nothing, whatever was before.
    block_on(next.begin(&Began::new(None, next.claim().epoch))).unwrap();
    let nothing = block_on(register.latest_of(Epoch(3), &[JobId(1), JobId(2)])).unwrap();
    assert!(matches!(nothing, Some(Latest::Nothing { .. })), "{nothing:?}");
    assert!(block_on(register.latest_of(Epoch(3), &[JobId(9)])).unwrap().is_none());
}

#[test]
fn the_lease_of_another_machine_runs_out() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    let first = job.start(&storage, 1, 1_000).unwrap();
    block_on(first.renew(5_000)).unwrap();
    on_another_machine(&storage, &job.key);
    drop(first);
    let error = job.start(&storage, 2, 8_000).unwrap_err().to_string();
    assert!(
        error.contains("is already running: process 7 on elsewhere has been running it since"),
        "{error}"
    );
    assert!(
        error.contains("its last heartbeat was 3 s ago: if it is dead, its lease expires in 18 s"),
        "{error}"
    );
    job.start(&storage, 2, 5_000 + LEASE_MILLIS - 1).expect_err("it may be alive");
    assert_eq!(job.start(&storage, 2, 5_000 + LEASE_MILLIS).unwrap().claim().epoch, Epoch(2));
}

#[test]
fn checking_whether_a_job_runs_does_not_keep_it_from_starting() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    drop(job.start(&storage, 1, 1_000).unwrap());
    let url = storage.register(&job.key).url();
    let lock = std::fs::File::open(format!("{}/lock", url.strip_prefix("file://").unwrap())).unwrap();
    lock.lock().unwrap();
    let looks = std::thread::spawn(move || {
        std::thread::park_timeout(std::time::Duration::from_millis(8));
        drop(lock);
    });
    job.start(&storage, 2, 2_000).unwrap();
    looks.join().unwrap();
}

#[test]
fn a_process_that_dies_during_its_claim_has_taken_nothing_over() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    let first = job.start(&storage, 1, 1_000).unwrap();
    let url = storage.register(&job.key).url();
    let folder = std::path::Path::new(url.strip_prefix("file://").unwrap()).join("epoch-2");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("claim.0.inprogress"), "{").unwrap();
    block_on(first.check()).unwrap();
    drop(first);
    assert_eq!(job.start(&storage, 2, 2_000).unwrap().claim().epoch, Epoch(2));
}

#[test]
fn who_is_deposed_notices() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    let first = job.start(&storage, 1, 0).unwrap();
    block_on(first.check()).unwrap();
    // Somebody takes it for dead: its machine sees no locks of this one, and the clock is wrong.
    on_another_machine(&storage, &job.key);
    let url = storage.register(&job.key).url();
    std::fs::remove_file(format!("{}/lock", url.strip_prefix("file://").unwrap())).unwrap();
    let second = job.start(&storage, 2, LEASE_MILLIS).unwrap();
    for refused in [
        block_on(first.check()),
        block_on(first.renew(1)),
        block_on(first.end(&End::new(Outcome::Finished, 1))),
        block_on(first.sweep(Some(Epoch(1)))),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
        let (pid, id) = (std::process::id(), JobId(2));
        let error = error.to_string();
        assert!(error.contains("no longer runs job 'totals': process "), "{error}");
        assert!(error.contains(&format!("process {pid} on ")) && error.contains(&id.to_string()), "{error}");
    }
    block_on(second.check()).unwrap();
}

#[test]
fn the_latest_state_is_that_of_the_last_start_that_has_some() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    assert_eq!(job.found(&storage), (0, 0));
    drop(job.runs(&storage, 1, 3));
    assert_eq!(job.found(&storage), (1, 3));
    // A start that continues from there and is killed at once has its state there.
    let second = job.start(&storage, 2, 0).unwrap();
    assert_eq!(job.found(&storage), (1, 3), "killed before it began");
    block_on(second.begin(&Began::new(from(1, 2, &storage), Epoch(1)))).unwrap();
    assert_eq!(job.found(&storage), (1, 2), "a person named checkpoint 2");
    job.checkpoints(&storage, 2, 3..=3);
    assert_eq!(job.found(&storage), (2, 3));
    drop(second);
    // A start from nothing that is killed at once has published nothing: what was before it is still the
    // state.
    drop(job.runs(&storage, 3, 0));
    assert_eq!(job.found(&storage), (2, 3));
    // Other jobs do not matter.
    drop(Job::new("others").runs(&storage, 9, 20));
    assert_eq!(job.found(&storage), (2, 3));
}

#[test]
fn a_checkpoint_that_lands_after_another_has_gone_on_counts_for_nothing() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    drop(job.runs(&storage, 1, 2));
    let second = job.start(&storage, 2, 0).unwrap();
    block_on(second.begin(&Began::new(from(1, 2, &storage), Epoch(1)))).unwrap();
    job.checkpoints(&storage, 1, 3..=3);
    assert_eq!(job.found(&storage), (1, 2));
}

#[test]
fn a_job_that_has_finished_is_not_gone_on_with() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    let first = job.runs(&storage, 1, 3);
    block_on(first.end(&End::new(Outcome::Finished, 77))).unwrap();
    drop(first);
    // Whatever a deletion that was interrupted has left.
    for step in 0..3 {
        assert!(matches!(job.latest(&storage).unwrap(), Latest::Finished(end) if end.at == 77), "{step}");
        match step {
            0 => block_on(storage.job(JobId(1)).discard(CheckpointId(1), &[])).unwrap(),
            _ => block_on(block_on(storage.register(&job.key).vacancy(0)).unwrap().sweep()).unwrap(),
        }
    }
    assert!(block_on(storage.jobs()).unwrap().is_empty(), "what was left is deleted");
    // It is started again, and killed before it has a checkpoint: then it starts over again.
    drop(job.runs(&storage, 2, 0));
    assert_eq!(job.found(&storage), (0, 0));
    drop(job.runs(&storage, 3, 1));
    assert_eq!(job.found(&storage), (3, 1));
}

#[test]
fn a_job_whose_checkpoints_were_deleted_starts_from_the_beginning() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    drop(job.runs(&storage, 1, 3));
    let second = job.runs(&storage, 2, 1);
    let mut end = End::new(Outcome::Canceled, 5);
    end.discarded = true;
    block_on(second.end(&end)).unwrap();
    assert_eq!(job.found(&storage), (0, 0), "an older state would write again what was published since");
}

#[test]
fn remains_of_earlier_starts_are_deleted_when_unused() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    let other = Job::new("others");
    drop(other.runs(&storage, 9, 2));
    drop(job.runs(&storage, 1, 3));
    // From nothing, with a state of its own; and one that was killed with files of a checkpoint that did not
    // complete.
    drop(job.runs(&storage, 2, 2));
    let litter = path_of(&storage.job(JobId(3))).join("shared");
    drop(job.runs(&storage, 3, 0));
    std::fs::create_dir_all(&litter).unwrap();
    std::fs::write(litter.join("1-0-0-0.parquet"), "PAR1").unwrap();
    // Killed between making a folder and writing into it.
    std::fs::create_dir_all(litter.parent().unwrap().join("chk-1")).unwrap();

    let last = job.start(&storage, 4, 0).unwrap();
    block_on(last.begin(&Began::new(from(2, 2, &storage), Epoch(2)))).unwrap();
    block_on(last.sweep(None)).unwrap();
    let jobs = || {
        let mut jobs: Vec<u128> = block_on(storage.jobs()).unwrap().iter().map(|job| job.0).collect();
        jobs.sort_unstable();
        jobs
    };
    assert_eq!(jobs(), [1, 2, 9], "the files of start 3 are gone");
    job.checkpoints(&storage, 4, 3..=3);
    block_on(last.sweep(Some(Epoch(2)))).unwrap();
    assert_eq!(
        jobs(),
        [1, 4, 9],
        "checkpoint 3 stands for those of start 2; start 1 is another run of the job"
    );
    assert_eq!(block_on(last.register().starts()).unwrap().len(), 2);
    block_on(last.end(&End::new(Outcome::Finished, 1))).unwrap();
    block_on(storage.job(JobId(4)).discard_all()).unwrap();
    assert_eq!(jobs(), [1, 9]);
}

#[test]
fn files_that_a_later_start_names_are_kept() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    let first = job.runs(&storage, 1, 0);
    let mut vertex = Vertex::new(storage.job(JobId(1)), 1);
    (0..1000).for_each(|number| vertex.set(number, 0, Some(&noise(number as u64, 100))));
    vertex.checkpoint(1);
    drop(first);
    let snapshot = block_on(storage.job(JobId(1)).read(CheckpointId(1))).unwrap();
    let second = job.start(&storage, 2, 0).unwrap();
    block_on(second.begin(&Began::new(from(1, 1, &storage), Epoch(1)))).unwrap();
    let mut next = Vertex::restored(storage.job(JobId(2)), &snapshot, 1).unwrap();
    next.set(5, 5, None);
    next.checkpoint(2);
    block_on(second.sweep(Some(Epoch(1)))).unwrap();
    let found = block_on(next.job.latest()).unwrap().unwrap();
    assert_eq!(Vertex::restored(next.job.clone(), &found.snapshot, 1).unwrap().model, next.model);
    assert_eq!(files_of(&vertex.job), ["shared/1-3-0-0.parquet"], "its manifest is gone");
}

#[test]
fn what_may_be_another_jobs_is_refused() {
    let (_dir, storage) = storage();
    let job = Job::new("nightly");
    drop(job.runs(&storage, 1, 3));
    let moved = |change: fn(&mut Meaning)| {
        let mut job = Job::new("nightly");
        change(&mut job.meaning);
        let error = job.latest(&storage).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let text = error.to_string();
        assert!(text.contains(&format!("{}'", JobId(1))) && text.contains("'pipeline.job-key'"), "{text}");
        text
    };
    let text = moved(|meaning| meaning.reads[0].place = Some("/other".into()));
    assert!(text.contains("read from table src at '/data/src', this one at '/other'"), "{text}");
    let text = moved(|meaning| meaning.writes[0].place = Some("/other".into()));
    assert!(text.contains("wrote to table sink at '/data/sink', this one at '/other'"), "{text}");
    let text = moved(|meaning| meaning.writes[0].table = "renamed".into());
    assert!(text.contains("wrote to sink, this one writes to renamed"), "{text}");
    // More tables are not another job.
    let mut more = Job::new("nightly");
    more.meaning.writes.push(Ends { table: "second".into(), place: None });
    assert_eq!(more.found(&storage), (1, 3));
    assert_eq!(difference(&job.meaning, &more.meaning), None);
}

#[test]
fn a_statement_that_was_changed_is_not_taken_for_a_new_one() {
    let (_dir, storage) = storage();
    let mut job = Job::new("insert 1234");
    job.named = false;
    let first = job.runs(&storage, 1, 3);
    let mut changed = Job::new("insert 5678");
    changed.named = false;
    assert_eq!(changed.found(&storage), (0, 0), "the other one runs, so it is another one");
    drop(first);
    let error = changed.latest(&storage).unwrap_err().to_string();
    assert!(error.contains("one of job 'insert 1234', which writes to the same place"), "{error}");
    let mut apart = Job::new("insert 5678");
    (apart.named, apart.meaning.writes[0].place) = (false, Some("/elsewhere".into()));
    assert_eq!(apart.found(&storage), (0, 0));
    // Two names are two jobs.
    drop(Job::new("a").runs(&storage, 2, 1));
    assert!(
        matches!(Job::new("b").latest(&storage), Err(error) if error.to_string().contains("'insert 1234'"))
    );
    drop(job.start(&storage, 3, 0).map(|lease| block_on(lease.end(&End::new(Outcome::Finished, 0)))));
    assert_eq!(Job::new("b").found(&storage), (0, 0));
}

/// A folder with checkpoints of a build that knew no keys.
fn keyless(storage: &CheckpointStorage, id: u128, uid: &str, restored_from: Option<String>) {
    let json = serde_json::json!({
        "version": 1, "checkpoint": 5, "job": JobId(id), "kind": "checkpoint", "created_at": 0,
        "flott_version": "0.1.0", "operators": [
            {"uid": uid, "name": "", "parallelism": 1, "max_parallelism": 16, "subtasks": [{}]}],
    });
    let mut json = json;
    if let Some(from) = restored_from {
        json["restored_from"] = from.into();
    }
    let folder = path_of(&storage.job(JobId(id))).join("chk-5");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("_metadata"), serde_json::to_vec(&json).unwrap()).unwrap();
}

#[test]
fn a_snapshot_without_a_key_is_taken_only_if_it_is_the_only_one() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    keyless(&storage, 1, "of another job", None);
    assert_eq!(job.found(&storage), (0, 0));
    keyless(&storage, 2, &uid().0, None);
    assert_eq!(job.found(&storage), (2, 5));
    // The next start of the same job.
    keyless(&storage, 3, &uid().0, Some(format!("{}/chk-5", storage.job(JobId(2)).folder().url())));
    assert_eq!(job.found(&storage), (3, 5));
    keyless(&storage, 4, &uid().0, None);
    let error = job.latest(&storage).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let text = error.to_string();
    assert!(text.starts_with("2 folders hold snapshots that may be of this job: 'file://"), "{text}");
    assert!([3, 4].iter().all(|id| text.contains(&JobId(*id).to_string())), "{text}");
    // Once it has a start with a key, that is the one.
    drop(job.runs(&storage, 7, 1));
    assert_eq!(job.found(&storage), (7, 1));
}

#[test]
fn every_flipped_bit_of_a_record_is_noticed() {
    let (_dir, storage) = storage();
    let job = Job::new("totals");
    let lease = job.runs(&storage, 1, 1);
    block_on(lease.end(&End::new(Outcome::Stopped, 0))).unwrap();
    drop(lease);
    let url = storage.register(&job.key).url();
    let folder = std::path::Path::new(url.strip_prefix("file://").unwrap()).join("epoch-1");
    for record in ["claim", "began", "end"] {
        let whole = std::fs::read(folder.join(record)).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            std::fs::write(folder.join(record), damaged).unwrap();
            let error = job.latest(&storage).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::State, "{record}, byte {at}: {error}");
            assert!(error.to_string().contains(record), "{error}");
        }
        std::fs::write(folder.join(record), whole).unwrap();
    }
    assert_eq!(job.found(&storage), (1, 1));
}
