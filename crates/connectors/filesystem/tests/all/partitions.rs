//! When partitions are committed.

use std::sync::Arc;

use flott_batch::WatermarkStatus;
use flott_connector::{CommitOutcome, CommitRequest, Committable, CommittedBy, Payload, Sink, SinkWriter};
use flott_types::TypeKind::{self, Int};
use flott_types::{CheckpointId, Watermark};

use crate::harness::{Table, global_committer, sink_context};

const POLICY: (&str, &str) = ("sink.partition-commit.policy.kind", "success-file");
const HOUR: i64 = 3_600_000;

/// A table with two writers, and what is to be committed of it.
struct Writing {
    table: Table,
    sink: Arc<dyn Sink>,
    writers: Vec<Box<dyn SinkWriter>>,
    committer: Box<dyn flott_connector::Committer>,
    checkpoint: u64,
    waiting: Vec<CommitRequest>,
}

impl Writing {
    fn new(options: &[(&str, &str)]) -> Self {
        let options: Vec<_> = [POLICY].iter().chain(options).copied().collect();
        let columns = [("id", Int), ("dt", TypeKind::STRING), ("hr", TypeKind::STRING)];
        let table = Table::new("out", &columns, &options).partitioned(&["dt", "hr"]);
        let sink = table.sink();
        assert!(sink.commits_globally());
        let writers =
            (0..2).map(|at| sink.writer(sink_context(&table, 0, at), Vec::new()).unwrap()).collect();
        let committer = global_committer(&table, &*sink);
        Writing { table, sink, writers, committer, checkpoint: 0, waiting: Vec::new() }
    }

    fn write(&mut self, writer: usize, rows: &str) {
        self.writers[writer].write(self.table.batch(rows)).unwrap();
    }

    fn watermarks(&mut self, hours: [i64; 2]) {
        for (writer, hours) in self.writers.iter_mut().zip(hours) {
            writer.watermark(Watermark(hours.saturating_mul(HOUR))).unwrap();
        }
    }

    /// A checkpoint up to its commits; the partitions that are complete then.
    fn checkpoint(&mut self, ended: [bool; 2]) -> String {
        self.checkpoint += 1;
        let checkpoint = CheckpointId(self.checkpoint);
        let mut handed_over: Vec<Committable> = Vec::new();
        for (writer, ended) in self.writers.iter_mut().zip(ended) {
            handed_over.extend(writer.prepare_commit(checkpoint, ended).unwrap().wait().unwrap());
        }
        let of = |by| handed_over.iter().filter(move |one| one.by == by).cloned();
        let own: Vec<Committable> = of(CommittedBy::Subtask).collect();
        flott_connector::conformance::commit(&*self.sink, &own).unwrap();
        self.waiting.extend(of(CommittedBy::Job).map(|one| CommitRequest::new(checkpoint, one)));
        self.ask();
        self.complete()
    }

    /// A checkpoint of which one writer has handed over its part and the other has not: it is aborted, and
    /// what is handed over belongs to the next. That is asked for on its own.
    fn aborted_checkpoint(&mut self, writer: usize, ended: bool) -> String {
        self.checkpoint += 1;
        let checkpoint = CheckpointId(self.checkpoint);
        let handed_over = self.writers[writer].prepare_commit(checkpoint, ended).unwrap().wait().unwrap();
        let (job, own): (Vec<_>, Vec<_>) =
            handed_over.into_iter().partition(|one| one.by == CommittedBy::Job);
        flott_connector::conformance::commit(&*self.sink, &own).unwrap();
        self.waiting.extend(job.into_iter().map(|one| CommitRequest::new(checkpoint, one)));
        self.ask();
        self.complete()
    }

    /// The committer is asked; says in how many milliseconds it wants to be asked again.
    fn ask(&mut self) -> Option<i64> {
        let outcomes = self.committer.commit(&self.waiting).unwrap();
        let mut soon = None;
        let mut outcomes = outcomes.into_iter();
        self.waiting.retain(|_| match outcomes.next().unwrap() {
            CommitOutcome::Committed | CommitOutcome::AlreadyCommitted => false,
            CommitOutcome::Wait { after } => {
                soon = soon.max(after);
                true
            }
            other => panic!("{other:?}"),
        });
        soon
    }

    fn complete(&self) -> String {
        let files = self.table.files().into_keys();
        let partitions = files.filter_map(|name| {
            let partition = name.strip_suffix("/_SUCCESS")?.strip_prefix("out/")?;
            Some(partition.replace("dt=2024-01-0", "").replace("/hr=", "."))
        });
        partitions.collect::<Vec<_>>().join(" ")
    }
}

/// 2024-01-01 in hours.
const DAY: i64 = 19_723 * 24;

#[test]
fn by_partition_time_when_the_watermark_of_all_writers_has_passed_it() {
    let mut writing = Writing::new(&[
        ("sink.partition-commit.trigger", "partition-time"),
        ("sink.partition-commit.delay", "1 h"),
        ("partition.time-extractor.timestamp-pattern", "$dt $hr:00:00"),
    ]);
    writing.write(0, "+I 1 2024-01-01 00\n+I 2 2024-01-01 01");
    writing.write(1, "+I 3 2024-01-01 01\n+I 4 2024-01-02 00");
    writing.watermarks([DAY + 5, DAY + 1]);
    assert_eq!(writing.checkpoint([false; 2]), "", "the delay has to pass, not only be reached");
    writing.watermarks([DAY + 5, DAY + 2]);
    assert_eq!(writing.checkpoint([false; 2]), "1.00");
    assert!(writing.waiting.len() == 2, "what waits is kept: {:?}", writing.waiting);
    // By another committer, after a restart: it has heard nothing of watermarks yet.
    writing.committer = global_committer(&writing.table, &*writing.sink);
    assert_eq!((writing.ask(), writing.complete().as_str()), (None, "1.00"));
    writing.watermarks([DAY + 5, DAY + 4]);
    assert_eq!(writing.checkpoint([false; 2]), "1.00 1.01");
    // Rows that are late make it complete again.
    std::fs::remove_file(writing.table.path("out/dt=2024-01-01/hr=00/_SUCCESS")).unwrap();
    writing.write(0, "+I 5 2024-01-01 00");
    assert_eq!(writing.checkpoint([false; 2]), "1.00 1.01");
    assert_eq!(writing.checkpoint([true, false]), "1.00 1.01", "one writer has not ended");
    assert_eq!(writing.checkpoint([true; 2]), "1.00 1.01 2.00", "the end of the input");
    assert!(writing.waiting.is_empty());
}

fn by_partition_time() -> Writing {
    Writing::new(&[
        ("sink.partition-commit.trigger", "partition-time"),
        ("partition.time-extractor.timestamp-pattern", "$dt $hr:00:00"),
    ])
}

/// A checkpoint that is aborted tells of some writers and not of others.
#[test]
fn what_only_some_writers_say_counts_for_nothing() {
    let mut writing = by_partition_time();
    writing.write(0, "+I 1 2024-01-01 00");
    writing.write(1, "+I 2 2024-01-01 00");
    writing.watermarks([DAY + 5, DAY - 5]);
    assert_eq!(writing.aborted_checkpoint(0, false), "", "the watermark of the other is behind");
    assert_eq!(writing.checkpoint([false; 2]), "");
    assert_eq!(writing.aborted_checkpoint(0, true), "", "the other has not ended");
    // A committer that knows of nothing before.
    writing.committer = global_committer(&writing.table, &*writing.sink);
    assert_eq!(writing.aborted_checkpoint(0, true), "");
    assert_eq!(writing.checkpoint([true, false]), "");
    writing.watermarks([DAY + 5, DAY + 1]);
    assert_eq!(writing.checkpoint([true, false]), "1.00");
}

#[test]
fn event_time_goes_on_without_writers_that_are_idle() {
    let mut writing = by_partition_time();
    writing.write(0, "+I 1 2024-01-01 00\n+I 2 2024-01-01 01\n+I 3 2024-01-01 02");
    writing.writers[0].watermark(Watermark((DAY + 1) * HOUR)).unwrap();
    assert_eq!(writing.checkpoint([false; 2]), "", "the other has not said how far it is");
    writing.writers[1].watermark_status(WatermarkStatus::Idle).unwrap();
    assert_eq!(writing.checkpoint([false; 2]), "1.00");
    // All are idle: nothing is known that is new.
    writing.writers[0].watermark_status(WatermarkStatus::Idle).unwrap();
    assert_eq!(writing.checkpoint([false; 2]), "1.00");
    // It comes back, and is behind: what was passed stays so.
    writing.writers[1].watermark_status(WatermarkStatus::Active).unwrap();
    writing.writers[1].watermark(Watermark((DAY - 1) * HOUR)).unwrap();
    writing.write(1, "+I 4 2024-01-01 00");
    std::fs::remove_file(writing.table.path("out/dt=2024-01-01/hr=00/_SUCCESS")).unwrap();
    assert_eq!(writing.checkpoint([false; 2]), "1.00");
    // And one that is active counts.
    writing.writers[0].watermark_status(WatermarkStatus::Active).unwrap();
    writing.watermarks([DAY + 3, DAY + 2]);
    assert_eq!(writing.checkpoint([false; 2]), "1.00 1.01");
    assert_eq!(writing.checkpoint([true; 2]), "1.00 1.01 1.02");
}

/// A partition that waits for a day must not add something to every checkpoint of that day.
#[test]
fn a_partition_waits_once_however_many_checkpoints_and_writers_tell_of_it() {
    let mut writing = by_partition_time();
    for _ in 0..20 {
        writing.write(0, "+I 1 2024-01-01 00\n+I 2 2024-01-01 01");
        writing.write(1, "+I 3 2024-01-01 00");
        writing.table.clock.advance(1_000);
        assert_eq!(writing.checkpoint([false; 2]), "");
    }
    assert_eq!(writing.waiting.len(), 2, "{:?}", writing.waiting);
    assert!(writing.waiting.iter().all(|request| request.checkpoint == CheckpointId(1)), "the oldest");
    writing.watermarks([DAY + 1, DAY + 1]);
    assert_eq!(writing.checkpoint([false; 2]), "1.00");
    writing.watermarks([DAY + 2, DAY + 2]);
    assert_eq!(writing.checkpoint([false; 2]), "1.00 1.01");
    assert!(writing.waiting.is_empty());
}

#[test]
fn what_an_older_program_has_handed_over_is_refused() {
    let mut writing = by_partition_time();
    let old = r#"{"progress":{"subtask":0,"watermark":0,"ended":false}}"#;
    let old = CommitRequest::new(CheckpointId(1), Committable::global(Payload::new(1, old)));
    let told = writing.committer.commit(&[old]).unwrap_err().to_string();
    assert!(
        told.contains("a partition to be committed has version 1; this program reads version 2"),
        "{told}"
    );
}

#[test]
fn by_the_clock_after_a_delay() {
    let mut writing = Writing::new(&[("sink.partition-commit.delay", "10 s")]);
    writing.write(0, "+I 1 2024-01-01 00");
    assert_eq!(writing.checkpoint([false; 2]), "");
    writing.table.clock.advance(4_000);
    writing.write(1, "+I 2 2024-01-01 00\n+I 3 2024-01-01 01");
    assert_eq!(writing.checkpoint([false; 2]), "");
    assert_eq!(writing.ask(), Some(10_001), "of the later one");
    writing.table.clock.advance(6_001);
    assert_eq!(writing.ask(), Some(4_000));
    assert_eq!(writing.complete(), "1.00", "as of the first file");
    writing.table.clock.advance(4_000);
    assert_eq!((writing.ask(), writing.complete().as_str()), (None, "1.00 1.01"));
    writing.write(0, "+I 4 2024-01-01 02");
    assert_eq!(writing.checkpoint([true; 2]), "1.00 1.01 1.02", "the end of the input");
}

#[test]
fn at_once_without_a_delay_and_never_without_a_policy_or_partitions() {
    let mut writing = Writing::new(&[]);
    writing.write(0, "+I 1 2024-01-01 00");
    assert_eq!(writing.checkpoint([false; 2]), "1.00");
    assert!(writing.waiting.is_empty(), "nothing is kept");
    let columns = [("id", Int), ("dt", TypeKind::STRING)];
    assert!(!Table::new("x", &columns, &[POLICY]).sink().commits_globally());
    assert!(!Table::new("x", &columns, &[]).partitioned(&["dt"]).sink().commits_globally());
}

#[test]
fn a_name_that_is_no_time_is_told() {
    let mut writing = Writing::new(&[("sink.partition-commit.trigger", "partition-time")]);
    writing.write(0, "+I 1 soon 00");
    let error =
        writing.writers[0].prepare_commit(CheckpointId(1), false).unwrap().wait().unwrap_err().to_string();
    assert!(error.contains("dt=soon") && error.contains("'soon' is not a time of the form"), "{error}");
}
