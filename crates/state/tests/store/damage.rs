//! Damaged and missing files, crashes half-way: a clear error, and the checkpoint before it.

use flott_types::ErrorKind;

use super::*;

/// Two checkpoints with a file each; the second also names the first's.
fn two_checkpoints(storage: &CheckpointStorage) -> Vertex {
    let mut vertex = Vertex::new(storage.job(JOB), 1);
    (0..1000).for_each(|number| vertex.set(number, 0, Some(&noise(number as u64, 100))));
    vertex.checkpoint(1);
    (0..300).for_each(|number| vertex.set(number, 1, Some(&noise(number as u64 + 5000, 100))));
    vertex.checkpoint(2);
    assert_eq!(
        files_of(&vertex.job),
        ["chk-1/_metadata", "chk-2/_metadata", "shared/1-3-0-0.parquet", "shared/2-3-0-1.parquet"]
    );
    vertex
}

fn edit(job: &JobStorage, file: &str, edit: impl FnOnce(&mut Vec<u8>)) {
    let path = path_of(job).join(file);
    let mut bytes = std::fs::read(&path).unwrap();
    edit(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
}

/// The error of restoring checkpoint 2, with the folder's name left out; checkpoint 1 must be found in its
/// place.
fn second_is_damaged(vertex: &Vertex) -> String {
    let url = format!("{}/", vertex.job.folder().url());
    let snapshot = block_on(vertex.job.read(CheckpointId(2)));
    let error = snapshot.and_then(|snapshot| restore(&snapshot)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    let found = block_on(vertex.job.latest()).unwrap().unwrap();
    assert_eq!(found.snapshot.manifest.checkpoint, CheckpointId(1));
    assert_eq!(found.damaged.len(), 1);
    assert_eq!(found.damaged[0].0, CheckpointId(2));
    assert_eq!(found.damaged[0].1.to_string(), error.to_string());
    let restored = Vertex::restored(vertex.job.clone(), &found.snapshot, 2).unwrap();
    assert_eq!(restored.model.len(), 1000);
    assert!(restored.model.values().all(|value| value.0 == 0));
    error.to_string().replace(&url, "")
}

#[test]
fn a_flipped_bit_is_noticed() {
    let (_dir, storage) = storage();
    let vertex = two_checkpoints(&storage);
    edit(&vertex.job, "shared/2-3-0-1.parquet", |bytes| bytes[1000] ^= 4);
    let error = second_is_damaged(&vertex);
    assert!(
        error.starts_with(
            "checkpoint 2 ('chk-2'): 'shared/2-3-0-1.parquet': 'shared/2-3-0-1.parquet' is damaged: its checksum is"
        ),
        "{error}"
    );
}

#[test]
fn a_short_file_is_noticed() {
    let (_dir, storage) = storage();
    let vertex = two_checkpoints(&storage);
    edit(&vertex.job, "shared/2-3-0-1.parquet", |bytes| bytes.truncate(100));
    let error = second_is_damaged(&vertex);
    assert!(
        error.contains("'shared/2-3-0-1.parquet' is damaged: it has 100 bytes, the manifest says"),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_noticed() {
    let (_dir, storage) = storage();
    let vertex = two_checkpoints(&storage);
    std::fs::remove_file(path_of(&vertex.job).join("shared/2-3-0-1.parquet")).unwrap();
    assert_eq!(second_is_damaged(&vertex), "checkpoint 2 ('chk-2'): 'shared/2-3-0-1.parquet' is missing");
}

#[test]
fn a_damaged_manifest_is_noticed() {
    let (_dir, storage) = storage();
    let vertex = two_checkpoints(&storage);
    edit(&vertex.job, "chk-2/_metadata", |bytes| bytes.truncate(bytes.len() / 2));
    let error = second_is_damaged(&vertex);
    assert!(error.starts_with("'chk-2/_metadata': it is damaged: its checksum is"), "{error}");
}

/// Somebody has deleted the newest checkpoint: the one before is not taken for the newest.
#[test]
fn a_manifest_that_is_gone_is_noticed() {
    let (_dir, storage) = storage();
    let mut vertex = two_checkpoints(&storage);
    std::fs::remove_dir_all(path_of(&vertex.job).join("chk-2")).unwrap();
    let found = block_on(vertex.job.latest()).unwrap().unwrap();
    assert_eq!(found.snapshot.manifest.checkpoint, CheckpointId(1));
    let [(checkpoint, error)] = found.damaged.as_slice() else { panic!("{:?}", found.damaged) };
    assert_eq!(*checkpoint, CheckpointId(2));
    assert!(error.to_string().ends_with("chk-2/_metadata' is missing: it was complete"), "{error}");
    // With the next one that is complete all is well again.
    vertex.checkpoint(3);
    let found = block_on(vertex.job.latest()).unwrap().unwrap();
    assert_eq!((found.snapshot.manifest.checkpoint, found.damaged.len()), (CheckpointId(3), 0));
    // The newest was deleted on purpose: nothing is missing.
    block_on(vertex.job.discard(CheckpointId(3), &[CheckpointId(1)])).unwrap();
    let found = block_on(vertex.job.latest()).unwrap().unwrap();
    assert_eq!((found.snapshot.manifest.checkpoint, found.damaged.len()), (CheckpointId(1), 0));
    // All are gone.
    vertex.checkpoint(4);
    for checkpoint in ["chk-1", "chk-4"] {
        std::fs::remove_dir_all(path_of(&vertex.job).join(checkpoint)).unwrap();
    }
    let error = block_on(vertex.job.latest()).unwrap_err().to_string();
    assert!(error.contains("chk-4/_metadata' is missing: it was complete"), "{error}");
}

#[test]
fn if_all_are_damaged_there_is_nothing_to_start_from() {
    let (_dir, storage) = storage();
    let vertex = two_checkpoints(&storage);
    std::fs::remove_file(path_of(&vertex.job).join("shared/1-3-0-0.parquet")).unwrap();
    let error = block_on(vertex.job.latest()).unwrap_err().to_string();
    assert!(error.starts_with("all 2 checkpoints in 'file:///"), "{error}");
    assert!(error.contains("shared/1-3-0-0.parquet' is missing"), "{error}");
}

#[test]
fn a_crash_half_way_leaves_the_checkpoint_before() {
    let (_dir, storage) = storage();
    let mut vertex = two_checkpoints(&storage);
    let before = vertex.model.clone();
    // Files were written, the manifest was not, or only its temporary file.
    (0..400).for_each(|number| vertex.set(number, 9, Some(&noise(number as u64, 100))));
    vertex.snapshot(3, &Target::Checkpoint).unwrap();
    std::fs::create_dir(path_of(&vertex.job).join("chk-3")).unwrap();
    std::fs::write(path_of(&vertex.job).join("chk-3/_metadata.inprogress"), b"{\"version\":1,").unwrap();
    std::fs::write(path_of(&vertex.job).join("shared/3-3-0-9.parquet#1"), b"PAR").unwrap();
    let found = block_on(storage.resolve(&storage.url())).unwrap();
    assert_eq!(found.snapshot.manifest.checkpoint, CheckpointId(2));
    assert!(found.damaged.is_empty());
    let mut restored = Vertex::restored(vertex.job.clone(), &found.snapshot, 1).unwrap();
    assert_eq!(restored.model, before);
    // A new attempt writes the same checkpoint again, under other names.
    assert_eq!(block_on(restored.job.sweep()).unwrap(), 2, "the file and the manifest of checkpoint 3");
    restored.set(0, 77, None);
    restored.checkpoint(3);
    let found = block_on(restored.job.latest()).unwrap().unwrap();
    assert_eq!(Vertex::restored(vertex.job.clone(), &found.snapshot, 1).unwrap().model, restored.model);
}

#[test]
fn names_of_an_earlier_attempt_are_not_written_over() {
    let (_dir, storage) = storage();
    let text = |attempt: u64| noise(attempt, 30_000);
    let mut first = Vertex::new(storage.job(JOB), 1);
    first.set(1, 1, Some(&text(1)));
    let (manifest, _) = first.snapshot(1, &Target::Checkpoint).unwrap();
    let mut second = Vertex::new(storage.job(JOB), 1);
    second.set(1, 2, Some(&text(2)));
    second.checkpoint(1);
    let names = |manifest: &Manifest| {
        manifest.files().map(|file| file.path().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&manifest), ["shared/1-3-0-0.parquet"]);
    let found = block_on(second.job.latest()).unwrap().unwrap();
    assert_eq!(names(&found.snapshot.manifest), ["shared/1-3-0-1.parquet"]);
    assert_eq!(Vertex::restored(second.job.clone(), &found.snapshot, 1).unwrap().model, second.model);
}

#[test]
fn a_manifest_is_created_and_never_written_over() {
    let (_dir, storage) = storage();
    let vertex = two_checkpoints(&storage);
    let mut manifest = block_on(vertex.job.read(CheckpointId(2))).unwrap().manifest;
    // It is not known how a write ended: it is done again.
    let url = block_on(vertex.job.complete(&manifest)).unwrap();
    manifest.created_at += 1;
    let error = block_on(vertex.job.complete(&manifest)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.to_string().starts_with(&format!("'{url}/_metadata' is there already")), "{error}");
    let read = block_on(vertex.job.read(CheckpointId(2))).unwrap().manifest;
    assert_eq!(read.created_at + 1, manifest.created_at);
}
