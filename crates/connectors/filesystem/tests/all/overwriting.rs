//! INSERT OVERWRITE: what is there goes when all that takes its place is written, and not before.

use std::sync::Arc;

use flott_connector::{CommitOutcome, CommitRequest, Committer, Sink, SinkWriter, TableContext};
use flott_plan::SinkSpec;
use flott_types::CheckpointId;
use flott_types::TypeKind::{self, Int};

use crate::harness::{Table, global_committer, registry, sink_context};

fn table() -> Table {
    let table = Table::new("out", &[("id", Int), ("dt", TypeKind::STRING)], &[]);
    table.put("out/old", "1,a\n2,b\n");
    table.put("out/below/old", "3,c\n");
    table
}

fn partitioned() -> Table {
    let table = Table::new("out", &[("id", Int), ("dt", TypeKind::STRING)], &[]).partitioned(&["dt"]);
    table.put("out/dt=a/old", "1\n");
    table.put("out/dt=b/old", "2\n");
    table
}

/// An overwrite with two writers, and what is to be committed of it.
struct Overwriting {
    sink: Arc<dyn Sink>,
    writers: Vec<Box<dyn SinkWriter>>,
    committer: Box<dyn Committer>,
    checkpoint: u64,
    waiting: Vec<CommitRequest>,
}

fn sink(table: &Table, partition: &[(&str, &str)]) -> Arc<dyn Sink> {
    let static_partition =
        partition.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let spec = SinkSpec { overwrite: true, static_partition, ..table.sink_spec() };
    registry().sink(&spec, &TableContext { batch: true, ..table.context() }).unwrap()
}

impl Overwriting {
    fn new(table: &Table, partition: &[(&str, &str)]) -> Self {
        Self::attempt(table, partition, 0)
    }

    fn attempt(table: &Table, partition: &[(&str, &str)], attempt: u32) -> Self {
        let sink = sink(table, partition);
        assert!(sink.commits_globally());
        let writer = |at| sink.writer(sink_context(table, attempt, at), Vec::new()).unwrap();
        let writers = (0..2).map(writer).collect();
        let committer = global_committer(table, &*sink);
        Overwriting { sink, writers, committer, checkpoint: 0, waiting: Vec::new() }
    }

    fn write(&mut self, table: &Table, writer: usize, rows: &str) {
        self.writers[writer].write(table.batch(rows)).unwrap();
    }

    fn hand_over(&mut self, ended: [bool; 2]) {
        self.checkpoint += 1;
        let checkpoint = CheckpointId(self.checkpoint);
        for (writer, ended) in self.writers.iter_mut().zip(ended) {
            let handed_over = writer.prepare_commit(checkpoint, ended).unwrap().wait().unwrap();
            self.waiting.extend(handed_over.into_iter().map(|one| CommitRequest::new(checkpoint, one)));
        }
    }

    /// Asks, and keeps what is not committed; the worst outcome.
    fn ask(&mut self) -> Option<CommitOutcome> {
        let mut outcomes = self.committer.commit(&self.waiting).unwrap().into_iter();
        let mut worst = None;
        self.waiting.retain(|_| match outcomes.next().unwrap() {
            CommitOutcome::Committed | CommitOutcome::AlreadyCommitted => false,
            other => {
                worst = Some(other);
                true
            }
        });
        worst
    }

    fn checkpoint(&mut self, ended: [bool; 2]) -> Option<CommitOutcome> {
        self.hand_over(ended);
        self.ask()
    }

    fn end(self) {
        drop((self.writers, self.committer, self.sink));
    }
}

/// The rows that a reader sees, sorted.
fn rows(table: &Table) -> Vec<String> {
    let text = table.rows();
    let mut rows: Vec<String> = text.lines().map(|row| row.trim_start_matches("+I ").to_owned()).collect();
    rows.sort();
    rows
}

/// Nobody has left anything that is hidden.
fn expect_clean(table: &Table) {
    let hidden: Vec<String> = table.all_files().into_keys().filter(|name| name.contains("/.")).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn all_goes_when_all_writers_have_ended() {
    let table = table();
    let mut job = Overwriting::new(&table, &[]);
    job.write(&table, 0, "+I 10 x");
    assert!(matches!(job.checkpoint([false, false]), Some(CommitOutcome::Wait { .. })));
    assert_eq!(rows(&table), ["1 a", "2 b", "3 c"]);
    job.write(&table, 1, "+I 11 y");
    assert!(matches!(job.checkpoint([true, false]), Some(CommitOutcome::Wait { .. })));
    assert_eq!(rows(&table), ["1 a", "2 b", "3 c"]);
    assert_eq!(job.checkpoint([true, true]), None);
    assert_eq!(rows(&table), ["10 x", "11 y"]);
    job.end();
    expect_clean(&table);
    assert_eq!(table.all_files().len(), 2, "{:?}", table.all_files());
}

#[test]
fn no_rows_leave_an_empty_table() {
    let table = table();
    table.put("out/_SUCCESS", "");
    table.put("out/_other/file", "9,z\n");
    let mut job = Overwriting::new(&table, &[]);
    assert_eq!(job.checkpoint([true, true]), None);
    job.end();
    assert_eq!(table.all_files().into_keys().collect::<Vec<_>>(), ["out/_SUCCESS", "out/_other/file"]);
}

#[test]
fn partitions_go_that_have_new_rows_or_are_named() {
    let table = partitioned();
    let mut job = Overwriting::new(&table, &[]);
    job.write(&table, 0, "+I 10 a\n+I 11 c");
    job.write(&table, 1, "+I 12 a");
    assert_eq!(job.checkpoint([true, true]), None);
    job.end();
    assert_eq!(rows(&table), ["10 a", "11 c", "12 a", "2 b"]);
    let mut job = Overwriting::new(&table, &[]);
    assert_eq!(job.checkpoint([true, true]), None);
    job.end();
    assert_eq!(rows(&table), ["10 a", "11 c", "12 a", "2 b"], "no rows are of no partition");
    let mut job = Overwriting::new(&table, &[("dt", "a")]);
    assert_eq!(job.checkpoint([true, true]), None);
    job.end();
    assert_eq!(rows(&table), ["11 c", "2 b"]);
    expect_clean(&table);
}

/// A partition is committed when its files are there.
#[test]
fn success_files_come_after_the_files() {
    let mut table = partitioned();
    let policy = ("sink.partition-commit.policy.kind".to_owned(), "success-file".to_owned());
    table.spec.table.options.extend([policy]);
    let mut job = Overwriting::new(&table, &[]);
    job.write(&table, 0, "+I 10 a");
    assert!(matches!(job.checkpoint([false, false]), Some(CommitOutcome::Wait { .. })));
    assert!(!table.path("out/dt=a/_SUCCESS").exists());
    assert_eq!(job.checkpoint([true, true]), None);
    assert!(table.path("out/dt=a/_SUCCESS").exists() && !table.path("out/dt=b/_SUCCESS").exists());
}

#[test]
fn a_second_time_does_nothing_whatever_came_since() {
    for rows_of_job in ["+I 10 x", ""] {
        let table = table();
        let mut job = Overwriting::new(&table, &[]);
        if !rows_of_job.is_empty() {
            job.write(&table, 0, rows_of_job);
        }
        job.hand_over([true, true]);
        let all = job.waiting.clone();
        assert_eq!(job.ask(), None);
        table.put("out/since", "20,s\n");
        let expected = rows(&table);
        job.waiting = all.iter().cloned().map(|one| CommitRequest { restored: true, ..one }).collect();
        job.committer = global_committer(&table, &*job.sink);
        assert_eq!(job.ask(), None);
        assert_eq!(rows(&table), expected);
        // The job starts again from that checkpoint, and ends.
        let mut again = Overwriting::attempt(&table, &[], 1);
        again.waiting = all;
        again.hand_over([true, true]);
        assert_eq!(again.ask(), None);
        assert_eq!(rows(&table), expected);
    }
}

/// Makes the last file that is handed over fail to become visible; its path.
fn block(table: &Table) -> std::path::PathBuf {
    let files = table.files();
    let hidden = files.iter().rev().find(|(_, text)| !text.is_empty() && text.contains("11"));
    let hidden = hidden.unwrap().0;
    let visible = hidden.replace("/.part", "/part").replace(".inprogress", "");
    table.put(&visible, "blocked");
    table.path(&visible)
}

#[test]
fn what_is_decided_is_finished_by_whoever_comes() {
    for reader in [true, false] {
        let table = table();
        let mut job = Overwriting::new(&table, &[]);
        job.write(&table, 0, "+I 10 x");
        job.write(&table, 1, "+I 11 y");
        job.hand_over([true, true]);
        let blocked = block(&table);
        assert!(job.ask().is_some());
        assert!(table.path("out/.writers/.overwrite").exists());
        assert!(table.path("out/old").exists(), "old files go when the new ones are there");
        job.end();
        std::fs::remove_file(blocked).unwrap();
        if !reader {
            let other = table.sink().writer(sink_context(&table, 0, 0), Vec::new()).unwrap();
            drop(other);
            assert!(!table.path("out/old").exists());
        }
        assert_eq!(rows(&table), ["10 x", "11 y"]);
        assert!(!table.path("out/.writers/.overwrite").exists());
    }
}

#[test]
fn what_is_not_decided_changes_nothing() {
    let table = table();
    for content in ["", r#"{"version":1,"job":"#] {
        table.put("out/.writers/.overwrite", content);
        assert_eq!(rows(&table), ["1 a", "2 b", "3 c"]);
        assert!(!table.path("out/.writers/.overwrite").exists());
    }
    table.put("out/.writers/.overwrite", r#"{"version":9}"#);
    let error = table.read().unwrap_err().to_string();
    assert!(error.contains("INSERT OVERWRITE") && error.contains("another version"), "{error}");
}

#[test]
fn a_file_that_is_lost_leaves_the_table_as_it_was() {
    let table = table();
    let mut job = Overwriting::new(&table, &[]);
    job.write(&table, 0, "+I 10 x");
    job.write(&table, 1, "+I 11 y");
    job.hand_over([true, true]);
    let lost = table.files().into_iter().find(|(_, text)| text.contains("11")).unwrap().0;
    std::fs::remove_file(table.path(&lost)).unwrap();
    let outcome = job.ask().unwrap();
    assert!(
        matches!(&outcome, CommitOutcome::Failed(reason) if reason.contains("output is lost")),
        "{outcome:?}"
    );
    assert_eq!(rows(&table), ["1 a", "2 b", "3 c"]);
}

#[test]
fn the_snapshot_of_an_insert_is_none_of_an_overwrite() {
    let table = table();
    // No token: a checkpoint is restored.
    let mut job = Overwriting::attempt(&table, &[], 1);
    job.write(&table, 0, "+I 10 x");
    let outcome = job.checkpoint([true, true]).unwrap();
    assert!(
        matches!(&outcome, CommitOutcome::Failed(reason) if reason.contains("INSERT INTO")),
        "{outcome:?}"
    );
    assert_eq!(rows(&table), ["1 a", "2 b", "3 c"]);
}

#[test]
fn streams_and_compaction_are_refused() {
    let table = table();
    let spec = SinkSpec { overwrite: true, ..table.sink_spec() };
    let error = registry().sink(&spec, &table.context()).err().unwrap().to_string();
    assert!(error.contains("Streaming mode not support overwrite"), "{error}");
    let mut spec = spec;
    spec.table.options.insert("auto-compaction".to_owned(), "true".to_owned());
    let batch = TableContext { batch: true, ..table.context() };
    let error = registry().sink(&spec, &batch).err().unwrap().to_string();
    assert!(error.contains("auto-compaction"), "{error}");
}
