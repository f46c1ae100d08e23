//! Snapshots written by earlier builds, kept forever. `FLOTT_WRITE_GOLDEN=1` writes those of this build; only
//! for a new version of a format, into a folder of its own.

use std::path::PathBuf;

use super::*;

fn folder(version: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(version)
}

/// A base in a file, a delta with deletions in the manifest.
fn write(version: &str) -> Vertex {
    let storage = CheckpointStorage::open(folder(version).to_str().unwrap()).unwrap();
    let mut vertex = Vertex::new(storage.job(JOB), 2);
    (0..300).for_each(|number| vertex.set(number, number * number, Some(&noise(number as u64, 200))));
    vertex.checkpoint(1);
    (0..20).for_each(|number| vertex.remove(number * 11));
    vertex.set(1000, -1, None);
    vertex.set(1, -2, Some("changed"));
    vertex.checkpoint(2);
    vertex
}

#[test]
fn version_1_is_read() {
    if std::env::var_os("FLOTT_WRITE_GOLDEN").is_some() {
        write("v1");
    }
    let mut expected = Content::new();
    for number in (0..300).filter(|number| number % 11 != 0 || *number >= 220) {
        expected.insert(number, (number * number, Some(noise(number as u64, 200))));
    }
    expected.insert(1000, (-1, None));
    expected.insert(1, (-2, Some("changed".to_owned())));

    let storage = CheckpointStorage::open(folder("v1").to_str().unwrap()).unwrap();
    let found = block_on(storage.resolve(&storage.url())).unwrap();
    assert_eq!(found.snapshot.manifest.checkpoint, CheckpointId(2));
    assert!(found.damaged.is_empty());
    assert!(found.snapshot.manifest.files().any(|file| file.path().is_none()));
    for parallelism in [1, 2, 5] {
        let restored = Vertex::restored(storage.job(JOB), &found.snapshot, parallelism).unwrap();
        assert_eq!(restored.model, expected);
    }
}
