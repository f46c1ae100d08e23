//! Folders and files of object stores, against servers that fail now and then: `make test-services` starts them
//! and says where they are.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};

use bytes::Bytes;
use flott_storage::files::{self, NewFile, Published, RandomFile};
use flott_storage::{Folder, Location, Upload, block_on};

/// A place in each store that no other test uses.
fn places() -> Vec<String> {
    let given = |name: &str| {
        std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test-services`"))
    };
    let keys = given("FLOTT_S3_KEYS");
    let (access, secret) = keys.split_once(':').unwrap();
    let (endpoint, azure) = (given("FLOTT_S3_UNRELIABLE"), given("FLOTT_AZURE_KEY"));
    flott_storage::configure([
        ("s3.endpoint", endpoint.as_str()),
        ("s3.access-key", access),
        ("s3.secret-key", secret),
        ("fs.azure.account.key.devstoreaccount1.blob.core.windows.net", azure.as_str()),
    ])
    .unwrap();
    let place = |store: &str| format!("{store}/test-{:016x}", RandomState::new().hash_one("place"));
    given("FLOTT_STORES").split(' ').map(place).collect()
}

fn content(megabytes: usize) -> Vec<u8> {
    (0..megabytes << 18).flat_map(|number: usize| (number as u32).to_le_bytes()).collect()
}

#[test]
#[ignore = "needs a server: make test-services"]
fn folders_behave_as_those_on_a_disk() {
    places().iter().for_each(|place| folders(place));
}

fn folders(place: &str) {
    let folder = Folder::create(place).unwrap();
    assert_eq!(block_on(folder.get("x")).unwrap(), None);
    assert!(block_on(folder.put_new("x", Bytes::from("one"))).unwrap());
    assert!(!block_on(folder.put_new("x", Bytes::from("two"))).unwrap());
    assert_eq!(block_on(folder.get("x")).unwrap().unwrap(), "one");
    block_on(folder.put("x", Bytes::from("three"))).unwrap();
    assert_eq!(block_on(folder.get("x")).unwrap().unwrap(), "three");
    block_on(folder.check_writable("probe")).unwrap();
    let child = folder.child("a").child("b");
    block_on(child.put("y", Bytes::from("deep"))).unwrap();
    let listing = block_on(folder.list()).unwrap();
    assert_eq!((listing.files, listing.folders), (vec!["x".to_owned()], vec!["a".to_owned()]));
    assert!(!block_on(folder.create_child("a")).unwrap());
    assert!(block_on(folder.create_child("c")).unwrap());
    let again = Folder::open(&child.url()).unwrap().unwrap();
    assert_eq!(block_on(again.get("y")).unwrap().unwrap(), "deep");
    assert_eq!(again.parent().unwrap().url(), format!("{}/a", folder.url()));
    block_on(folder.delete("x")).unwrap();
    block_on(folder.delete("x")).unwrap();
    assert_eq!(block_on(folder.get("x")).unwrap(), None);
}

#[test]
#[ignore = "needs a server: make test-services"]
fn of_several_who_write_a_new_file_at_once_one_succeeds() {
    places().iter().for_each(|place| rivals(place));
}

fn rivals(place: &str) {
    let folder = Folder::create(place).unwrap();
    let write = |number: usize| block_on(folder.put_new("x", Bytes::from(number.to_string()))).unwrap();
    let done: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || write(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(done.iter().filter(|done| **done).count(), 1);
    let won = done.iter().position(|done| *done).unwrap();
    assert_eq!(block_on(folder.get("x")).unwrap().unwrap(), won.to_string());
}

#[test]
#[ignore = "needs a server: make test-services"]
fn a_large_file_is_uploaded_in_parts_and_gets_a_free_name() {
    places().iter().for_each(|place| large_files(place));
}

fn large_files(place: &str) {
    let folder = Folder::create(place).unwrap();
    let whole = content(20);
    let write = || {
        let mut upload = Upload::new(&folder, "parquet");
        for part in whole.chunks(3 << 20) {
            upload.write_all(part).unwrap();
            block_on(upload.ready()).unwrap();
        }
        upload
    };
    // Each has a name of its own from its beginning: nothing is copied to get one.
    let first = block_on(write().finish("large")).unwrap().unwrap();
    assert_eq!(block_on(folder.get(&first)).unwrap().unwrap(), whole);
    let second = block_on(write().finish("large")).unwrap().unwrap();
    assert!(
        first != second && [&first, &second].iter().all(|name| name.ends_with(".parquet")),
        "{first} {second}"
    );
    // What is small is written at once, by the name that is wanted.
    let small = || {
        let mut upload = Upload::new(&folder, "parquet");
        upload.write_all(b"little").unwrap();
        upload
    };
    assert_eq!(block_on(small().finish("small")).unwrap().as_deref(), Some("small"));
    assert_eq!(block_on(small().finish("small")).unwrap(), None, "the name is taken");
    block_on(write().abandon()).unwrap();
    let mut files = block_on(folder.list()).unwrap().files;
    files.sort();
    let mut all = vec![first, second, "small".to_owned()];
    all.sort();
    assert_eq!(files, all);
}

#[test]
#[ignore = "needs a server: make test-services"]
fn a_file_of_a_table_is_there_when_it_is_published() {
    places().iter().for_each(|place| files_of_tables(place));
}

fn files_of_tables(place: &str) {
    let root = Location::parse(place).unwrap();
    files::check_writable(&root).unwrap();
    let (hidden, visible) = (root.join("day=1/.part-0"), root.join("day=1/part-0"));
    let whole = content(12);
    let mut file = NewFile::create(&hidden, &visible).unwrap();
    whole.chunks(100_000).for_each(|chunk| file.write(chunk).unwrap());
    let upload = file.close().unwrap();
    assert!(files::list(&root).is_err(), "nobody sees it yet");
    // A committer that is restored publishes once more.
    for _ in 0..2 {
        assert_eq!(files::publish(&hidden, &visible, upload.as_ref()).unwrap(), Published::Visible);
    }
    files::touch(&root.join("day=1/_SUCCESS")).unwrap();
    let listed = files::list(&root).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].location, listed[0].size), (&visible, whole.len() as u64));
    // A split that was found in a listing is compared with what is there when it is read.
    assert_eq!(files::look(&visible).unwrap().unwrap().version, listed[0].version, "{place}");
    assert_eq!(files::list(&root.join("day=*")).unwrap(), listed);
    let mut read = Vec::new();
    files::open(&visible, 5).unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, whole[5..]);
    let mut random = RandomFile::open(&visible).unwrap();
    assert_eq!(random.read(1_000_000, 10).unwrap(), whole[1_000_000..1_000_010]);
    assert!(random.read(whole.len() as u64 - 1, 2).is_err());

    // What was given up cannot be published.
    let lost = root.join("day=2/part-1");
    let file = NewFile::create(&root.join("day=2/.part-1"), &lost).unwrap();
    let upload = file.close().unwrap().unwrap();
    files::abandon(&lost, upload.id()).unwrap();
    files::abandon(&lost, upload.id()).unwrap();
    // Azure has no uploads to give up: it forgets after a week what nobody has completed.
    let (found, azure) = (files::publish(&lost, &lost, Some(&upload)).unwrap(), place.starts_with("abfss:"));
    assert_eq!(found, if azure { Published::Visible } else { Published::Missing }, "{place}");
    files::remove(&visible).unwrap();
    files::remove(&visible).unwrap();
    assert!(files::look(&visible).unwrap().is_none());
}

/// The memory of this process, in kilobytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0)
}

#[test]
#[ignore = "needs a server: make test-services"]
#[expect(clippy::disallowed_methods, reason = "how long it takes is told, and nothing depends on it")]
fn a_hundred_thousand_objects_are_listed() {
    let place = places().into_iter().find(|place| place.starts_with("s3://")).unwrap();
    let folder = std::env::var("FLOTT_S3_FOLDER").unwrap();
    // The server's objects are files of a folder. They are empty: so many blocks of a disk take minutes.
    let key = place.rsplit_once('/').unwrap().1;
    for day in 0..100 {
        let folder = std::path::Path::new(&folder).join(key).join(format!("day={day:02}"));
        std::fs::create_dir_all(&folder).unwrap();
        (0..1_000)
            .for_each(|part| drop(std::fs::File::create(folder.join(format!("part-{part:03}"))).unwrap()));
    }
    let (before, begin) = (memory(), std::time::Instant::now());
    let listed = files::list(&Location::parse(&place).unwrap()).unwrap();
    let more = memory().saturating_sub(before);
    println!("{} objects in {:?}, {} MB more", listed.len(), begin.elapsed(), more >> 10);
    assert_eq!(listed.len(), 100_000);
    assert_eq!(listed[99_999].location.to_string(), format!("{place}/day=99/part-999"));
    assert!(more < 200 << 10, "a listing holds the files, and one page of what the server says of them");
}
