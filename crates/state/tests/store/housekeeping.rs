//! Finding, discarding, isolating.

use arrow::array::Array;
use flott_state::store::Stopped;
use flott_types::ErrorKind;

use super::*;

/// A job with checkpoints 1 to 3, each with a new base.
fn three_checkpoints(storage: &CheckpointStorage, job: JobId) -> Vertex {
    let mut vertex = Vertex::new(storage.job(job), 1);
    for id in 1..=3 {
        (0..300)
            .for_each(|number| vertex.set(number, id, Some(&noise((number + id) as u64, 100 * id as usize))));
        vertex.checkpoint(id as u64);
    }
    vertex
}

#[test]
fn a_discarded_checkpoint_takes_along_what_only_it_named() {
    let (_dir, storage) = storage();
    let mut vertex = three_checkpoints(&storage, JOB);
    vertex.set(1, 9, None);
    vertex.checkpoint(4);
    // Written for a checkpoint that is in progress.
    (0..300).for_each(|number| vertex.set(number, 5, Some(&noise(number as u64 + 5, 500))));
    vertex.snapshot(5, &Target::Checkpoint).unwrap();
    let ids = |ids: &[u64]| ids.iter().copied().map(CheckpointId).collect::<Vec<_>>();
    assert_eq!(block_on(vertex.job.checkpoints()).unwrap(), ids(&[1, 2, 3, 4]));
    block_on(vertex.job.discard(CheckpointId(1), &ids(&[2, 3, 4]))).unwrap();
    block_on(vertex.job.discard(CheckpointId(3), &ids(&[2, 4]))).unwrap();
    block_on(vertex.job.discard(CheckpointId(2), &ids(&[4]))).unwrap();
    assert_eq!(
        files_of(&vertex.job),
        ["chk-4/_metadata", "shared/3-3-0-2.parquet", "shared/5-3-0-3.parquet"],
        "checkpoint 4 builds on a file of 3"
    );
    let found = block_on(vertex.job.latest()).unwrap().unwrap();
    assert_eq!(restore(&found.snapshot).unwrap().keyed.len(), 1);
    block_on(vertex.job.discard_all()).unwrap();
    assert_eq!(files_of(&vertex.job), Vec::<String>::new());
    assert!(block_on(vertex.job.latest()).unwrap().is_none());
    // The folder above is still there.
    vertex.checkpoint(6);
}

#[test]
fn a_snapshot_is_found_by_any_of_its_names() {
    let (dir, storage) = storage();
    assert!(block_on(storage.resolve(&storage.url())).is_err());
    let vertex = three_checkpoints(&storage, JOB);
    assert!(block_on(storage.resolve(&storage.url())).unwrap().snapshot.url.contains(&JOB.to_string()));
    let other = three_checkpoints(&storage, JobId(5));
    block_on(other.job.discard(CheckpointId(3), &[CheckpointId(1), CheckpointId(2)])).unwrap();
    let job = path_of(&vertex.job).to_str().unwrap().to_owned();
    let find = |path: &str| {
        let snapshot = block_on(storage.resolve(path)).unwrap().snapshot;
        assert_eq!(restore(&snapshot).unwrap().keyed.len(), 1, "{path}");
        (snapshot.manifest.checkpoint.0, snapshot.url.contains(&JOB.to_string()))
    };
    assert_eq!(find(&job), (3, true));
    assert_eq!(find(&format!("file:{job}/")), (3, true));
    assert_eq!(find(&format!("{job}/chk-2")), (2, true));
    assert_eq!(find(&format!("file://{job}/chk-1/_metadata")), (1, true));
    assert_eq!(find(&other.job.folder().url()), (2, false));
    let refused = |path: &str| block_on(storage.resolve(path)).unwrap_err();
    let error = refused(&format!("{job}/chk-9"));
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::State, format!("there is no snapshot in '{job}/chk-9'"))
    );
    let error = refused(&storage.url());
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("holds snapshots of several jobs"), "{error}");
    let empty = dir.path().to_str().unwrap();
    assert_eq!(refused(empty).to_string(), format!("there is no snapshot in '{empty}'"));
    let error = refused("hdfs://host/checkpoints");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let told = "'hdfs://host/checkpoints': storage on 'hdfs' is not built; use a local path, 'file:///...', 's3://BUCKET/...'";
    assert!(error.to_string().starts_with(told), "{error}");
}

#[test]
fn a_savepoint_is_self_contained_and_may_be_moved() {
    let (dir, storage) = storage();
    let mut vertex = three_checkpoints(&storage, JOB);
    let target = dir.path().join("savepoints");
    let folder = block_on(storage.savepoint(target.to_str(), JOB, 0xabcdef)).unwrap();
    let (manifest, _) = vertex.snapshot(4, &Target::Savepoint(folder.clone())).unwrap();
    let url = block_on(Snapshot::complete_savepoint(&folder, &manifest)).unwrap();
    assert!(url.ends_with("/savepoints/savepoint-000000-000000abcdef"), "{url}");
    let moved = dir.path().join("elsewhere");
    std::fs::rename(url.strip_prefix("file://").unwrap(), &moved).unwrap();
    block_on(vertex.job.discard_all()).unwrap();

    // Another job starts from it, at first on the savepoint's own files.
    let found = block_on(storage.resolve(moved.to_str().unwrap())).unwrap();
    let mut next = Vertex::restored(storage.job(JobId(9)), &found.snapshot, 2).unwrap();
    assert_eq!(next.model, vertex.model);
    next.set(5, 5, None);
    next.checkpoint(5);
    let found = block_on(next.job.latest()).unwrap().unwrap();
    let named = found.snapshot.manifest.files().filter_map(|file| file.path());
    assert!(named.into_iter().any(|path| path.starts_with("file:///") && path.contains("/elsewhere/")));
    assert_eq!(Vertex::restored(next.job.clone(), &found.snapshot, 1).unwrap().model, next.model);
    // A full checkpoint depends on nothing else; so the savepoint can go.
    let (manifest, _) = next.snapshot(6, &Target::FullCheckpoint).unwrap();
    block_on(next.job.complete(&manifest)).unwrap();
    block_on(storage.dispose_savepoint(moved.to_str().unwrap())).unwrap();
    assert!(std::fs::read_dir(&moved).map_or(0, Iterator::count) == 0);
    let found = block_on(next.job.latest()).unwrap().unwrap();
    assert_eq!(Vertex::restored(next.job.clone(), &found.snapshot, 3).unwrap().model, next.model);
    let error = block_on(storage.dispose_savepoint(&found.snapshot.url)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn no_two_savepoints_share_a_folder() {
    let (dir, storage) = storage();
    let target = dir.path().join("savepoints");
    let folder = || block_on(storage.savepoint(target.to_str(), JOB, 1)).unwrap().url();
    let folders = [folder(), folder(), folder()];
    assert!(folders.iter().collect::<std::collections::BTreeSet<_>>().len() == 3, "{folders:?}");
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 3);
}

#[test]
fn a_job_that_stopped_with_a_savepoint_continues_from_it() {
    let (_dir, storage) = storage();
    let mut vertex = three_checkpoints(&storage, JOB);
    let folder = block_on(storage.savepoint(None, JOB, 1)).unwrap();
    vertex.set(1, 77, None);
    let (manifest, _) = vertex.snapshot(4, &Target::Savepoint(folder.clone())).unwrap();
    let savepoint = block_on(Snapshot::complete_savepoint(&folder, &manifest)).unwrap();
    let stopped = Stopped { checkpoint: CheckpointId(4), savepoint, drained: true };
    block_on(vertex.job.note_stop(&stopped)).unwrap();
    let found = block_on(vertex.job.latest()).unwrap().unwrap();
    assert_eq!(found.stopped, Some(stopped));
    assert_eq!(Vertex::restored(vertex.job.clone(), &found.snapshot, 1).unwrap().model, vertex.model);
    // The job went on after all.
    vertex.set(2, 78, None);
    vertex.checkpoint(5);
    let found = block_on(vertex.job.latest()).unwrap().unwrap();
    assert_eq!((found.stopped, found.snapshot.manifest.checkpoint), (None, CheckpointId(5)));
    block_on(vertex.job.discard(CheckpointId(5), &[])).unwrap();
    std::fs::remove_file(folder.url_of("_metadata").strip_prefix("file://").unwrap()).unwrap();
    let error = block_on(vertex.job.latest()).unwrap_err().to_string();
    assert!(
        error.starts_with("the job stopped with savepoint 'file:///"),
        "an older checkpoint would write twice: {error}"
    );
}

#[test]
fn files_are_named_for_people() {
    let (_dir, storage) = storage();
    let vertex = three_checkpoints(&storage, JOB);
    let snapshot = block_on(vertex.job.read(CheckpointId(1))).unwrap();
    let mut restored = restore(&snapshot).unwrap().take_keyed("aggregate");
    let rows = restored.pop().unwrap();
    let names: Vec<&str> = rows.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["key", "count", "text"]);
    assert_eq!(texts(&rows.columns()[2..]).len(), rows.num_rows());
    let columns = &snapshot.manifest.operators[0].subtasks[0].keyed[0].columns;
    let types: Vec<(&str, &str)> = columns.iter().map(|c| (c.name.as_str(), c.type_.as_str())).collect();
    assert_eq!(types, [("key", "Int64"), ("count", "Int64"), ("text", "Utf8")]);
}

#[test]
fn without_a_folder_checkpoints_live_in_memory() {
    let storage = CheckpointStorage::in_memory();
    let vertex = three_checkpoints(&storage, JOB);
    let found = block_on(vertex.job.latest()).unwrap().unwrap();
    assert_eq!(found.snapshot.manifest.checkpoint, CheckpointId(3));
    let restored = Vertex::restored(storage.job(JOB), &found.snapshot, 2).unwrap();
    assert_eq!(restored.model, vertex.model);
    let ids = [CheckpointId(3)];
    block_on(vertex.job.discard(CheckpointId(1), &ids)).unwrap();
    block_on(vertex.job.discard(CheckpointId(2), &ids)).unwrap();
    assert_eq!(block_on(vertex.job.checkpoints()).unwrap(), ids);
    assert_eq!(Vertex::restored(storage.job(JOB), &found.snapshot, 1).unwrap().model, vertex.model);
}
