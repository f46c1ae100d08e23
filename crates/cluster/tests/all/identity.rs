//! Which job it is: one process runs it, `latest` finds its own state and no other's, and its end is its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flott_checkpoint::manifest::{Manifest, seal, unseal};
use flott_cluster::{BeganFrom, JobClient, JobStatus};
use flott_plan::{Exchange, JobGraph};

use crate::support::killed::{Killed, copy};
use crate::support::{Plan, World, eventually, finish, world, world_with};

const ROWS: i64 = 300;

fn job(folder: &Path, more: &[(&str, &str)]) -> JobGraph {
    let mut plan = Plan::new(&[
        ("execution.checkpointing.interval", "5 ms"),
        ("execution.checkpointing.dir", folder.to_str().unwrap()),
        ("table.exec.batch-size", "16"),
    ]);
    plan.configuration.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let options = [("rows", "300"), ("pause", "1"), ("batch", "3")];
    let source = plan.source("source", &options, 1);
    let count = plan.count("count", 1);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(source, count, Exchange::Hash(vec![0]));
    plan.connect(count, sink, Exchange::Forward);
    plan.build()
}

const LATEST: (&str, &str) = ("execution.state-recovery.path", "latest");

fn completed(client: &JobClient, count: u64) {
    assert!(
        client.wait_until(Duration::from_secs(30), |info| info.checkpoints.completed >= count),
        "{:#?}",
        client.info()
    );
}

fn cancel(client: &JobClient) {
    client.cancel();
    assert_eq!(client.wait_for(Duration::from_secs(30)), Some(JobStatus::Canceled));
}

/// A cluster whose process is killed when its jobs end.
fn killed_at_end() -> World {
    world_with(1, 2, |options| options.storage = Killed::at_end())
}

/// The files below a folder, without those of the register.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "jobs" => {}
            true => files.extend(self::files(&entry.path())),
            false => files.push(entry.path()),
        }
    }
    files
}

fn epochs(folder: &Path) -> Vec<PathBuf> {
    let job = folder.join("jobs").read_dir().unwrap().next().unwrap().unwrap().path();
    let entries = job.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut epochs: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    epochs.sort_by_key(|path| path.to_str().unwrap().rsplit('-').next().unwrap().parse::<u64>().unwrap());
    epochs
}

#[test]
fn a_job_is_not_started_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (world(1, 4), world(1, 4));
    one.controls.pause_at.store(30, Ordering::SeqCst);
    other.controls.pause_at.store(30, Ordering::SeqCst);
    let first = one.cluster.submit(&job(folder.path(), &[])).unwrap();
    for (cluster, more) in [(&one, &[][..]), (&other, &[]), (&other, &[LATEST])] {
        let error = cluster.cluster.submit(&job(folder.path(), more)).err().unwrap().to_string();
        let (id, pid) = (first.job_id(), std::process::id());
        assert!(
            error.contains("is already running: process") && error.contains(&format!("process {pid} ")),
            "{error}"
        );
        assert!(error.contains(&id.to_string()) && error.contains("'pipeline.job-key'"), "{error}");
    }
    assert_eq!(other.cluster.slots(), (4, 4), "what was refused holds nothing");
    // By another name it is another job.
    let named = other.cluster.submit(&job(folder.path(), &[("pipeline.name", "another")])).unwrap();
    cancel(&first);
    let again = other.cluster.submit(&job(folder.path(), &[LATEST])).unwrap();
    assert!(matches!(again.beginning().from, BeganFrom::Snapshot(_) | BeganFrom::NoState { .. }));
    [named, again].iter().for_each(cancel);
}

#[test]
fn a_checkpoint_that_was_told_to_have_failed_is_taken_back_before_the_next_attempt() {
    let folder = tempfile::tempdir().unwrap();
    // Neither at once nor at the first restart: the next attempt begins when it is known to be gone.
    let storage =
        Arc::new(Killed { withdrawals_fail: 2.into(), loses_answer: true.into(), ..Killed::default() });
    let world = world_with(1, 2, |options| options.storage = storage.clone());
    world.controls.pause_at.store(120, Ordering::SeqCst);
    let restarts = [
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "9"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
    ];
    let client = world.cluster.submit(&job(folder.path(), &restarts)).unwrap();
    completed(&client, 2);
    assert_eq!(storage.withdrawals_fail.load(Ordering::SeqCst), 0);
    let is_first = |file: &PathBuf| file.ends_with("chk-1/_metadata");
    assert!(!files(folder.path()).iter().any(is_first), "nobody may continue from it");
    cancel(&client);
}

#[test]
fn two_jobs_with_equal_tables_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let worlds = [killed_at_end(), killed_at_end()];
    let names = [("pipeline.name", "left"), ("pipeline.name", "right")];
    for (world, name) in worlds.iter().zip(names) {
        world.controls.pause_at.store(120, Ordering::SeqCst);
        let client = world.cluster.submit(&job(folder.path(), &[name, LATEST])).unwrap();
        assert!(matches!(client.beginning().from, BeganFrom::NoState { .. }), "{:?}", client.beginning());
        completed(&client, 3);
        cancel(&client);
    }
    for (killed, name) in worlds.iter().zip(names) {
        let again = world(1, 2);
        let client = again.cluster.submit(&job(folder.path(), &[name, LATEST])).unwrap();
        let BeganFrom::Snapshot(point) = &client.beginning().from else {
            panic!("{:?}", client.beginning());
        };
        let manifest = Path::new(point.url.strip_prefix("file://").unwrap()).join("_metadata");
        let manifest = Manifest::from_json(&std::fs::read(manifest).unwrap()).unwrap();
        assert_eq!(manifest.key.unwrap().0, name.1);
        finish(&client);
        let parts =
            killed.committed.parts.lock().values().chain(again.committed.parts.lock().values()).count();
        assert!(parts > 0);
        let emitted = again.controls.emitted.load(Ordering::SeqCst);
        assert!(emitted < ROWS as u64, "it went on: {emitted}");
    }
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new(), "jobs that have finished leave nothing");
}

#[test]
fn the_end_is_the_end_wherever_the_process_is_killed() {
    let (folder, copied) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // An earlier start, whose checkpoint is what a search falls back to.
    let first = killed_at_end();
    first.controls.pause_at.store(120, Ordering::SeqCst);
    let client = first.cluster.submit(&job(folder.path(), &[])).unwrap();
    completed(&client, 3);
    cancel(&client);
    let before =
        Killed { copy: Some((folder.path().to_owned(), copied.path().join("before"))), ..Killed::default() };
    let second = world_with(1, 2, |options| options.storage = Arc::new(before));
    let client = second.cluster.submit(&job(folder.path(), &[LATEST])).unwrap();
    finish(&client);
    let want = second.committed.parts.lock().clone();
    let marker = epochs(folder.path()).pop().unwrap().join("end");

    let before = copied.path().join("before");
    assert!(!files(&before).is_empty());
    for stage in 0..5 {
        let state = copied.path().join(stage.to_string());
        copy(&before, &state);
        if stage > 0 {
            std::fs::copy(&marker, epochs(&state).pop().unwrap().join("end")).unwrap();
        }
        for file in files(&state) {
            let is_manifest = file.file_name().unwrap() == "_metadata";
            if stage == 4 || (stage == 2 && is_manifest) || (stage == 3 && !is_manifest) {
                std::fs::remove_file(file).unwrap();
            }
        }
        for again in 0..2 {
            let third = world(1, 2);
            let client = third.cluster.submit(&job(&state, &[LATEST])).unwrap();
            finish(&client);
            let finished = matches!(client.beginning().from, BeganFrom::Finished { .. });
            assert_eq!(finished, stage > 0 || again > 0, "stage {stage}: {:?}", client.beginning());
            assert_eq!(
                third.controls.emitted.load(Ordering::SeqCst),
                0,
                "stage {stage}: nothing is read again"
            );
            for (name, rows) in third.committed.parts.lock().iter() {
                assert_eq!(
                    want.get(name),
                    Some(rows),
                    "stage {stage}: only what the last checkpoint promised"
                );
            }
            assert_eq!(files(&state), Vec::<PathBuf>::new(), "stage {stage}: what was left is deleted");
        }
        // Without `latest` it is run again.
        let anew = world(1, 2);
        finish(&anew.cluster.submit(&job(&state, &[])).unwrap());
        assert_eq!(anew.controls.emitted.load(Ordering::SeqCst), ROWS as u64);
    }
}

#[test]
fn a_job_that_was_taken_over_completes_and_deletes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 2);
    world.controls.pause_at.store(60, Ordering::SeqCst);
    let client =
        world.cluster.submit(&job(folder.path(), &[("execution.checkpointing.interval", "1 h")])).unwrap();
    assert!(
        eventually(|| world.controls.emitted.load(Ordering::SeqCst) >= 60),
        "there is something to commit"
    );
    assert!(eventually(|| client.trigger_checkpoint(false).is_ok()));
    let before = files(folder.path());
    assert!(eventually(|| *world.committed.commits.lock() > 0));
    let commits = *world.committed.commits.lock();
    world.controls.pause_at.store(120, Ordering::SeqCst);
    assert!(eventually(|| world.controls.emitted.load(Ordering::SeqCst) >= 120));

    // Another machine holds it for dead.
    let epoch = epochs(folder.path()).pop().unwrap();
    let claim = unseal(&std::fs::read(epoch.join("claim")).unwrap()).unwrap().unwrap();
    let mut claim: serde_json::Value = serde_json::from_slice(&claim).unwrap();
    claim["epoch"] = 2.into();
    claim["owner"] = serde_json::json!({"host": "elsewhere", "pid": 7});
    let next = epoch.parent().unwrap().join("epoch-2");
    std::fs::create_dir(&next).unwrap();
    std::fs::write(next.join("claim"), seal(&serde_json::to_vec(&claim).unwrap()).unwrap()).unwrap();

    client.trigger_checkpoint(false).unwrap_err();
    assert_eq!(client.wait_for(Duration::from_secs(30)), Some(JobStatus::Failed));
    let error = client.wait().unwrap_err().to_string();
    assert!(error.contains("no longer runs job") && error.contains("process 7 on elsewhere"), "{error}");
    assert_eq!(*world.committed.commits.lock(), commits, "nothing is published");
    assert!(before.iter().all(|file| file.exists()), "nothing is deleted");
}

#[test]
fn what_starts_leave_behind_does_not_grow() {
    let folder = tempfile::tempdir().unwrap();
    let mut most = 0;
    for start in 0..12_u64 {
        let world = killed_at_end();
        world.controls.pause_at.store(30, Ordering::SeqCst);
        let client = world.cluster.submit(&job(folder.path(), &[LATEST])).unwrap();
        match start % 3 {
            // Killed before it has a checkpoint, with files of one on the disk.
            0 if start > 0 => {
                let shared = folder.path().join(client.job_id().to_string()).join("shared");
                std::fs::create_dir_all(&shared).unwrap();
                std::fs::write(shared.join("9-0-0-0.parquet"), "PAR1").unwrap();
            }
            _ => completed(&client, 2),
        }
        cancel(&client);
        let jobs = folder.path().read_dir().unwrap().count() - 1;
        assert!(jobs <= 2 && epochs(folder.path()).len() <= 2, "start {start}: {jobs} folders");
        most = most.max(files(folder.path()).len());
    }
    assert!(most <= 6, "{most} files");
}

#[test]
fn a_renamed_sink_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let one = killed_at_end();
    one.controls.pause_at.store(120, Ordering::SeqCst);
    let name = ("pipeline.name", "totals");
    let client = one.cluster.submit(&job(folder.path(), &[name])).unwrap();
    completed(&client, 2);
    cancel(&client);
    let renamed = |more: &[(&str, &str)]| {
        let mut graph = job(folder.path(), &[&[name][..], more].concat());
        let sink = graph.vertices.iter_mut().flat_map(|vertex| &mut vertex.operators).last().unwrap();
        sink.node.uid.0 = "renamed".to_owned();
        let flott_plan::OperatorSpec::Sink(spec) = &mut sink.node.spec else { panic!("not the sink") };
        spec.table.name = "renamed".to_owned();
        graph
    };
    let other = world(1, 2);
    let error = other.cluster.submit(&renamed(&[LATEST])).err().unwrap().to_string();
    assert!(error.contains("wrote to sink, this one writes to renamed"), "{error}");
    let path = folder.path().join(client.job_id().to_string());
    let path = [("execution.state-recovery.path", path.to_str().unwrap())];
    let error = other.cluster.submit(&renamed(&path)).err().unwrap().to_string();
    assert!(error.contains("has state of 'sink'"), "{error}");
    let ignore = ("execution.state-recovery.ignore-unclaimed-state", "true");
    let client = other.cluster.submit(&renamed(&[path[0], ignore])).unwrap();
    let warnings = client.beginning().warnings.join("\n");
    assert!(
        warnings.contains("The job that took the snapshot wrote to sink, this one writes to renamed"),
        "{warnings}"
    );
    assert!(warnings.contains("Output of 'sink' in the snapshot is never published"), "{warnings}");
    finish(&client);
}

#[test]
fn what_aborted_checkpoints_leave_behind_is_deleted_with_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 2);
    world.controls.pause_at.store(60, Ordering::SeqCst);
    let more = [
        ("execution.checkpointing.interval", "1 h"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
    ];
    let client = world.cluster.submit(&job(folder.path(), &more)).unwrap();
    assert!(eventually(|| client.trigger_checkpoint(false).is_ok()));
    let own = folder.path().join(client.job_id().to_string());
    let kept = files(&own);
    std::fs::create_dir_all(own.join("shared")).unwrap();
    std::fs::write(own.join("shared/2-0-0-0.parquet"), "PAR1").unwrap();
    std::fs::create_dir_all(own.join("chk-2")).unwrap();
    std::fs::write(own.join("chk-2/_metadata.7-0.inprogress"), "{").unwrap();
    world.controls.fail_after.store(1, Ordering::SeqCst);
    world.controls.pause_at.store(120, Ordering::SeqCst);
    assert!(client.wait_until(Duration::from_secs(30), |info| info.checkpoints.restored > 0));
    assert!(eventually(|| files(&own) == kept), "{:?}", files(&own));
    world.controls.pause_at.store(0, Ordering::SeqCst);
    finish(&client);
}
