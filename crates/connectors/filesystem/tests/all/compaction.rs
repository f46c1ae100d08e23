//! Small files of one checkpoint become large ones before anybody sees them.

use std::sync::atomic::{AtomicBool, Ordering};

use flott_connector::conformance::{commit, commit_restored};
use flott_connector::{CommitOutcome, CommitRequest, Committable, GlobalCommitterContext, SinkWriter};
use flott_files::{Join, Merger, MergerContext};
use flott_storage::Location;
use flott_storage::files::FileInfo;
use flott_types::TypeKind::{self, Int};
use flott_types::{CheckpointId, Error, JobId, Result};

use crate::harness::{Table, sink_context};

fn table(options: &[(&str, &str)]) -> Table {
    let merging = [("auto-compaction", "true")];
    let options: Vec<_> = merging.iter().chain(options).copied().collect();
    Table::new("out", &[("id", Int), ("dt", TypeKind::STRING)], &options)
}

fn checkpoint(writers: &mut [Box<dyn SinkWriter>], id: u64) -> Vec<Committable> {
    let handed_over = |writer: &mut Box<dyn SinkWriter>| {
        writer.prepare_commit(CheckpointId(id), false).unwrap().wait().unwrap()
    };
    writers.iter_mut().flat_map(handed_over).collect()
}

fn writers(table: &Table) -> Vec<Box<dyn SinkWriter>> {
    let sink = table.sink();
    (0..2).map(|at| sink.writer(sink_context(table, 0, at), Vec::new()).unwrap()).collect()
}

/// The visible files' contents, by name.
fn visible(table: &Table) -> Vec<(String, String)> {
    table.files().into_iter().filter(|(name, _)| !name.contains("/.")).collect()
}

fn rows(table: &Table) -> Vec<String> {
    let mut rows: Vec<String> =
        visible(table).iter().flat_map(|(_, text)| text.lines()).map(str::to_owned).collect();
    rows.sort();
    rows
}

#[test]
fn the_files_of_all_writers_become_one() {
    let table = table(&[("sink.rolling-policy.file-size", "4 b"), ("compaction.file-size", "1 mb")]);
    let mut writers = writers(&table);
    writers[0].write(table.batch("+I 1 a")).unwrap();
    writers[0].write(table.batch("+I 2 b")).unwrap();
    writers[1].write(table.batch("+I 3 c")).unwrap();
    let handed_over = checkpoint(&mut writers, 1);
    assert_eq!((handed_over.len(), visible(&table).len()), (3, 0));
    for _ in 0..2 {
        commit(&*table.sink(), &handed_over).unwrap();
        let files = visible(&table);
        assert_eq!(files.len(), 1, "a second time is harmless: {files:?}");
        assert!(files[0].0.starts_with("out/compacted-3-part-"), "{files:?}");
        assert_eq!(rows(&table), ["1,a", "2,b", "3,c"]);
        assert_eq!(table.files().len(), 1, "what was merged is gone");
    }
    drop(writers);
    assert_eq!(table.all_files().len(), 1, "nothing is left: {:?}", table.all_files());
}

#[test]
fn files_are_packed_up_to_the_size_and_each_checkpoint_has_its_own() {
    let table = table(&[("sink.rolling-policy.file-size", "4 b"), ("compaction.file-size", "9 b")]);
    let mut writers = writers(&table);
    for id in 0..5 {
        writers[0].write(table.batch(&format!("+I {id} a"))).unwrap();
    }
    commit(&*table.sink(), &checkpoint(&mut writers, 1)).unwrap();
    let mut sizes: Vec<usize> = visible(&table).iter().map(|(_, text)| text.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [4, 8, 8]);
    writers[1].write(table.batch("+I 9 z")).unwrap();
    commit(&*table.sink(), &checkpoint(&mut writers, 2)).unwrap();
    assert_eq!(visible(&table).len(), 4);
    assert_eq!(rows(&table).len(), 6);
}

/// Whatever was done when the process died: all of it is done in the end, and nothing twice.
#[test]
fn a_merge_that_was_cut_off_is_finished() {
    for (lost, kept) in [(0, 2), (1, 2), (2, 2)] {
        let table = table(&[("sink.rolling-policy.file-size", "4 b"), ("compaction.file-size", "1 mb")]);
        let mut writers = writers(&table);
        writers[0].write(table.batch("+I 1 a")).unwrap();
        writers[1].write(table.batch("+I 2 b")).unwrap();
        let handed_over = checkpoint(&mut writers, 1);
        let parts: Vec<_> = table.files().into_iter().collect();
        assert_eq!(parts.len(), kept);
        commit(&*table.sink(), &handed_over).unwrap();
        // The merged file is there, and some of its parts were not removed yet.
        for (name, text) in &parts[lost..] {
            table.put(name, text);
        }
        commit_restored(&*table.sink(), CheckpointId(1), &handed_over).unwrap();
        assert_eq!(rows(&table), ["1,a", "2,b"]);
        assert_eq!(table.files().len(), 1);
    }
}

#[test]
fn writers_may_end_before_their_files_are_merged() {
    let table = table(&[]);
    let mut writers = writers(&table);
    writers[0].write(table.batch("+I 1 a")).unwrap();
    writers[1].write(table.batch("+I 2 b")).unwrap();
    let handed_over = checkpoint(&mut writers, 1);
    drop(writers);
    assert!(table.all_files().keys().any(|name| name.contains("/.writers/")));
    commit(&*table.sink(), &handed_over).unwrap();
    assert_eq!(rows(&table), ["1,a", "2,b"]);
    assert_eq!(table.all_files().len(), 1, "nothing is left: {:?}", table.all_files());
}

#[test]
fn parts_that_are_lost_are_an_error() {
    let table = table(&[]);
    let mut writers = writers(&table);
    writers[0].write(table.batch("+I 1 a")).unwrap();
    writers[1].write(table.batch("+I 2 b")).unwrap();
    let handed_over = checkpoint(&mut writers, 1);
    let part = table.files().into_keys().next().unwrap();
    std::fs::remove_file(table.path(&part)).unwrap();
    let error = commit_restored(&*table.sink(), CheckpointId(1), &handed_over).unwrap_err();
    assert!(error.to_string().contains("output is lost"), "{error}");
    assert!(visible(&table).is_empty());
}

#[test]
fn columns_are_written_anew() {
    let options = [("auto-compaction", "true"), ("format", "parquet")];
    let columns = [("id", Int), ("dt", TypeKind::STRING)];
    let table = Table::new("out", &columns, &options).partitioned(&["dt"]);
    let mut writers = writers(&table);
    writers[0].write(table.batch("+I 1 a\n+I 2 b")).unwrap();
    writers[1].write(table.batch("+I 3 a\n+I 4 a")).unwrap();
    commit(&*table.sink(), &checkpoint(&mut writers, 1)).unwrap();
    let count =
        |partition: &str| std::fs::read_dir(table.path(&format!("out/dt={partition}"))).unwrap().count();
    assert_eq!((count("a"), count("b")), (1, 1));
    let mut rows: Vec<String> = table.rows().lines().map(str::to_owned).collect();
    rows.sort();
    assert_eq!(rows, ["+I 1 a", "+I 2 b", "+I 3 a", "+I 4 a"]);
}

/// Joins texts; at first only those whose first part is large.
struct AtFirstLarge(AtomicBool);

impl Join for AtFirstLarge {
    fn join(&self, parts: &[FileInfo], out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if self.0.load(Ordering::Relaxed) && parts[0].size < 16 {
            return Err(Error::external("the store is away"));
        }
        for part in parts {
            let Location::Local(path) = &part.location else { panic!("a local file") };
            out(&std::fs::read(path).unwrap())?;
        }
        Ok(())
    }
}

/// Packed together, what is asked for again would be one file, of another name than those that are visible.
#[test]
fn files_that_are_tried_again_are_packed_as_before() {
    let table = table(&[("sink.rolling-policy.file-size", "4 b"), ("compaction.file-size", "20 b")]);
    let mut writers = writers(&table);
    for row in ["+I 1 a", "+I 2 a", "+I 3 aaaaaaaaaaaaa", "+I 4 a", "+I 5 a", "+I 6 a"] {
        writers[0].write(table.batch(row)).unwrap();
    }
    let requests: Vec<CommitRequest> = checkpoint(&mut writers, 1)
        .into_iter()
        .filter(|one| one.by == flott_connector::CommittedBy::Job)
        .map(|one| CommitRequest::new(CheckpointId(1), one))
        .collect();
    assert_eq!(requests.len(), 6);
    let context = MergerContext {
        root: Location::parse(table.path("out").to_str().unwrap()).unwrap(),
        file_size: 20,
        parallelism: 1,
    };
    let global = GlobalCommitterContext {
        job: JobId(7),
        succession: None,
        parallelism: 1,
        clock: table.clock.clone(),
    };
    let merger = Merger::new(context, &global);
    let join = AtFirstLarge(AtomicBool::new(true));
    let again = |requests: &[CommitRequest]| -> Vec<CommitRequest> {
        let outcomes = merger.commit(&requests.iter().collect::<Vec<_>>(), &join).unwrap();
        let of = requests.iter().zip(outcomes);
        of.filter(|(_, outcome)| matches!(outcome, CommitOutcome::Retry { .. }))
            .map(|(one, _)| one.clone())
            .collect()
    };
    let left = again(&requests);
    let files = visible(&table);
    assert_eq!((left.len(), files.len()), (6, 1));
    // A reader takes it away.
    std::fs::remove_file(table.path(&files[0].0)).unwrap();
    join.0.store(false, Ordering::Relaxed);
    assert_eq!(again(&left), []);
    assert_eq!(rows(&table), ["1,a", "2,a", "5,a", "6,a"]);
    let names: Vec<String> = visible(&table).into_iter().map(|(name, _)| name).collect();
    assert!(names.len() == 2 && names.iter().all(|name| name.contains("/compacted-2-")), "{names:?}");
}
