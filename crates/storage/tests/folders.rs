//! Folders on a local disk and in memory, which have to behave the same.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::io::Write;

use bytes::Bytes;
use flott_storage::{Folder, Upload, block_on};

/// One empty folder of each kind.
fn folders() -> Vec<(Folder, Option<tempfile::TempDir>)> {
    let dir = tempfile::tempdir().unwrap();
    let local = Folder::create(&format!("file://{}/a/b", dir.path().display())).unwrap();
    vec![(local, Some(dir)), (Folder::in_memory("test"), None)]
}

fn text(folder: &Folder, name: &str) -> Option<String> {
    block_on(folder.get(name)).unwrap().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

fn files(folder: &Folder) -> Vec<String> {
    let mut files = block_on(folder.list()).unwrap().files;
    files.sort();
    files
}

#[test]
fn a_name_that_is_taken_is_written_over_only_on_request() {
    for (folder, _dir) in folders() {
        assert_eq!(text(&folder, "x"), None);
        assert!(block_on(folder.put_new("x", Bytes::from("one"))).unwrap());
        assert!(!block_on(folder.put_new("x", Bytes::from("two"))).unwrap());
        assert_eq!(text(&folder, "x").as_deref(), Some("one"));
        block_on(folder.put("x", Bytes::from("three"))).unwrap();
        assert_eq!(text(&folder, "x").as_deref(), Some("three"));
        assert_eq!(files(&folder), ["x"], "nothing temporary stays");
        block_on(folder.delete("x")).unwrap();
        block_on(folder.delete("x")).unwrap();
        assert_eq!(text(&folder, "x"), None);
    }
}

#[test]
fn of_several_who_write_a_new_file_at_once_one_succeeds() {
    for (folder, _dir) in folders() {
        let write = |number: usize| block_on(folder.put_new("x", Bytes::from(number.to_string()))).unwrap();
        let done: Vec<bool> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || write(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(done.iter().filter(|done| **done).count(), 1);
        let won = done.iter().position(|done| *done).unwrap().to_string();
        assert_eq!(text(&folder, "x"), Some(won));
    }
}

fn write(upload: &mut Upload, megabytes: usize) -> Vec<u8> {
    let mut all = Vec::new();
    for number in 0..megabytes {
        let bytes = vec![number as u8; 1 << 20];
        upload.write_all(&bytes).unwrap();
        block_on(upload.ready()).unwrap();
        all.extend(bytes);
    }
    all
}

#[test]
fn a_large_file_is_there_when_it_is_complete() {
    for (folder, _dir) in folders() {
        block_on(folder.put_new("within/taken", Bytes::from("another"))).unwrap();
        let within = folder.child("within");
        let mut upload = Upload::new(&within, "parquet");
        let written = write(&mut upload, 20);
        assert_eq!(upload.len(), written.len() as u64);
        let listed = || block_on(within.list()).unwrap().files;
        assert!(listed().iter().all(|name| name == "taken" || name.ends_with(".inprogress")));
        let name = match block_on(upload.finish("taken")).unwrap() {
            // As on an object store, it had a name of its own.
            Some(own) => own,
            None => block_on(upload.finish("mine")).unwrap().unwrap(),
        };
        drop(upload);
        assert_eq!(block_on(within.get(&name)).unwrap().unwrap(), written);
        assert_eq!(text(&folder, "within/taken").as_deref(), Some("another"));
        assert_eq!(listed().len(), 2, "nothing temporary stays");
    }
}

#[test]
fn a_small_file_is_written_at_once_or_not_at_all() {
    for (folder, _dir) in folders() {
        let mut upload = Upload::new(&folder, "parquet");
        upload.write_all(b"little").unwrap();
        assert_eq!(upload.take_below(6), None);
        assert_eq!(block_on(upload.finish("x")).unwrap().as_deref(), Some("x"));
        assert_eq!(text(&folder, "x").as_deref(), Some("little"));
        let mut upload = Upload::new(&folder, "parquet");
        upload.write_all(b"less").unwrap();
        assert_eq!(upload.take_below(6).unwrap(), b"less");
    }
}

#[test]
fn what_is_given_up_leaves_nothing() {
    for (folder, _dir) in folders() {
        let mut upload = Upload::new(&folder, "parquet");
        write(&mut upload, 9);
        assert_eq!(upload.take_below(1 << 30), None, "a part of it is in the store");
        block_on(upload.abandon()).unwrap();
        assert!(files(&folder).is_empty());
    }
}

#[test]
fn errors_name_the_path() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let below = dir.path().join("file/folder");
    let error = Folder::create(below.to_str().unwrap()).unwrap_err().to_string();
    assert!(error.contains(below.to_str().unwrap()) && error.contains("cannot make the folder"), "{error}");
    let error = Folder::create("hdfs://host/a").unwrap_err().to_string();
    assert!(error.contains("storage on 'hdfs' is not built"), "{error}");
    assert!(Folder::open(dir.path().join("nothing").to_str().unwrap()).unwrap().is_none());
}

#[cfg(unix)]
#[test]
fn what_is_private_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::create_private(&dir.path().join("a/b").display().to_string()).unwrap().child("c");
    block_on(folder.put("x", Bytes::from("one"))).unwrap();
    block_on(folder.put_new("y", Bytes::from("two"))).unwrap();
    block_on(folder.child("d").put_new("z", Bytes::from("three"))).unwrap();
    let mode = |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    for name in ["a", "a/b", "a/b/c", "a/b/c/d"] {
        assert_eq!(mode(name), 0o700, "{name}");
    }
    for name in ["a/b/c/x", "a/b/c/y", "a/b/c/d/z"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
}
