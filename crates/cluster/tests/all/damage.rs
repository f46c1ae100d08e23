//! Snapshots whose files are damaged or missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use flott_checkpoint::manifest::Manifest;
use flott_cluster::{JobClient, JobStatus};
use flott_plan::{Exchange, JobGraph};

use crate::support::{Plan, World, finish, world};

const ALLOW_OLDER: (&str, &str) = ("execution.state-recovery.allow-older-checkpoint", "true");

/// Counts by key: the keyed state is too large for the manifest.
fn job(folder: &Path, more: &[(&str, &str)]) -> JobGraph {
    let mut plan = Plan::new(&[
        ("execution.checkpointing.interval", "1 h"),
        ("execution.checkpointing.num-retained", "2"),
        ("execution.checkpointing.dir", folder.to_str().unwrap()),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "3"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
    ]);
    plan.configuration.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let options = [("rows", "48000"), ("keys", "24000"), ("batch", "600"), ("pause", "4")];
    let source = plan.source("source", &options, 1);
    let count = plan.count("count", 1);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(source, count, Exchange::Hash(vec![0]));
    plan.connect(count, sink, Exchange::Forward);
    plan.build()
}

fn path(url: &str) -> PathBuf {
    PathBuf::from(url.strip_prefix("file://").unwrap())
}

/// The files that only this checkpoint names.
fn own_files(checkpoint: &Path, before: &Path) -> Vec<PathBuf> {
    let files = |checkpoint: &Path| -> Vec<PathBuf> {
        let manifest = Manifest::from_json(&fs::read(checkpoint.join("_metadata")).unwrap()).unwrap();
        let folder = checkpoint.parent().unwrap();
        manifest.files().filter_map(|file| file.path()).map(|path| folder.join(path)).collect()
    };
    let before = files(before);
    files(checkpoint).into_iter().filter(|file| !before.contains(file)).collect()
}

/// A running job with two checkpoints, and the folders of these.
fn with_two_checkpoints(
    world: &World,
    folder: &Path,
    more: &[(&str, &str)],
) -> (JobClient, PathBuf, PathBuf) {
    let client = world.cluster.submit(&job(folder, more)).unwrap();
    let checkpoint = |rows: u64| {
        while world.controls.emitted.load(Ordering::SeqCst) < rows {
            assert!(!client.wait_until(Duration::from_millis(2), |info| info.status.is_terminal()));
        }
        world.controls.hold.store(true, Ordering::SeqCst);
        let url = client.trigger_checkpoint(false).unwrap();
        world.controls.hold.store(false, Ordering::SeqCst);
        path(&url)
    };
    let (first, second) = (checkpoint(12_000), checkpoint(24_000));
    (client, first, second)
}

fn destroy(file: &Path, missing: bool) {
    if missing {
        fs::remove_file(file).unwrap();
    } else {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(file, bytes).unwrap();
    }
}

#[test]
fn the_latest_is_the_newest_that_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 1);
    let (client, first, second) = with_two_checkpoints(&world, folder.path(), &[]);
    client.cancel();
    assert_eq!(client.wait_for(Duration::from_secs(10)), Some(JobStatus::Canceled));
    let files = own_files(&second, &first);
    assert!(!files.is_empty(), "the state is in the manifest");
    destroy(&files[0], false);

    // The one that is named is the one that is meant: no other is taken in its place.
    let named = second.to_str().unwrap();
    let client = world.cluster.submit(&job(folder.path(), &[("execution.state-recovery.path", named)]));
    let error = client.unwrap().wait().unwrap_err().to_string();
    let file = files[0].file_name().unwrap().to_str().unwrap();
    assert!(error.contains(file), "{error}");

    // What the second has published would be written again.
    let other = crate::support::world(1, 1);
    let latest = [("execution.state-recovery.path", "latest"), ALLOW_OLDER];
    let error = other.cluster.submit(&job(folder.path(), &latest[..1])).err().unwrap().to_string();
    assert!(error.contains(file) && error.contains(ALLOW_OLDER.0), "{error}");
    let client = other.cluster.submit(&job(folder.path(), &latest)).unwrap();
    let warnings = client.beginning().warnings.join("\n");
    assert!(warnings.contains(file) && warnings.contains("will be written a second time"), "{warnings}");
    finish(&client);
    let restored = client.info().checkpoints.restored_from.unwrap();
    assert!(first.ends_with(format!("chk-{restored}")), "restored from {restored}");
    let emitted = other.controls.emitted.load(Ordering::SeqCst);
    assert!((18_000..48_000).contains(&emitted), "{emitted} rows were read after the restore");
}

#[test]
fn a_restart_does_not_go_back_before_what_was_published() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 1);
    let (client, first, second) = with_two_checkpoints(&world, folder.path(), &[]);
    let gone = &own_files(&second, &first)[0];
    destroy(gone, true);
    world.controls.fail_after.store(1, Ordering::SeqCst);
    let error = client.wait().unwrap_err().to_string();
    assert!(error.contains(gone.file_name().unwrap().to_str().unwrap()), "{error}");
    assert!(
        error.contains("go on from checkpoint 1 in its place") && error.contains(ALLOW_OLDER.0),
        "{error}"
    );
}

#[test]
fn a_restart_passes_over_a_checkpoint_whose_files_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 1);
    let (client, first, second) = with_two_checkpoints(&world, folder.path(), &[ALLOW_OLDER]);
    destroy(&own_files(&second, &first)[0], true);
    world.controls.fail_after.store(1, Ordering::SeqCst);
    finish(&client);
    let info = client.info();
    let restored = info.checkpoints.restored_from.unwrap();
    assert!(first.ends_with(format!("chk-{restored}")), "restored from {restored}");
    assert_eq!(world.controls.failures.load(Ordering::SeqCst), 1);
    assert_eq!(info.checkpoints.restored, 2, "{info:#?}");
}

#[test]
fn a_job_whose_checkpoints_are_all_damaged_ends_and_names_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 1);
    let (client, first, _) = with_two_checkpoints(&world, folder.path(), &[]);
    let shared = first.parent().unwrap().join("shared");
    for file in fs::read_dir(shared).unwrap() {
        destroy(&file.unwrap().path(), true);
    }
    world.controls.fail_after.store(1, Ordering::SeqCst);
    let error = client.wait().unwrap_err().to_string();
    assert!(error.contains("/shared/") && error.contains("is missing"), "{error}");
    assert_eq!(client.status(), JobStatus::Failed);
}
