//! What writers leave behind, who removes it, and what nobody may remove.

use std::sync::Arc;

use flott_connector::conformance::{commit, commit_restored};
use flott_connector::{Committable, Payload, Sink, SinkContext, SinkWriter};
use flott_types::TypeKind::{self, *};
use flott_types::{CheckpointId, ErrorKind, JobId};

use crate::harness::{Table, kill, sink_context};

fn table() -> Table {
    Table::new("out", &[("id", Int), ("dt", TypeKind::STRING)], &[])
}

/// The writer of an attempt of a job.
fn writer(
    table: &Table,
    sink: &Arc<dyn Sink>,
    job: u128,
    attempt: u32,
    restored: Option<Vec<Payload>>,
) -> Box<dyn SinkWriter> {
    table.clock.advance(10);
    let context = SinkContext {
        job: JobId(job),
        restored: restored.as_ref().map(|_| CheckpointId(1)),
        ..sink_context(table, attempt, 0)
    };
    sink.writer(context, restored.unwrap_or_default()).unwrap()
}

fn write(table: &Table, writer: &mut dyn SinkWriter, row: &str) {
    writer.write(table.batch(row)).unwrap();
    writer.flush().unwrap();
}

fn checkpoint(writer: &mut dyn SinkWriter, id: u64) -> (Vec<Committable>, Vec<Payload>) {
    let committables = writer.prepare_commit(CheckpointId(id), false).unwrap().wait().unwrap();
    (committables, writer.snapshot(CheckpointId(id)).unwrap())
}

fn visible(table: &Table) -> String {
    table.files().into_iter().filter(|(name, _)| !name.contains("/.")).map(|(_, text)| text).collect()
}

#[test]
fn a_committed_and_removed_file_does_not_stop_a_restore() {
    let table = table();
    let sink = table.sink();
    let mut first = writer(&table, &sink, 1, 0, None);
    write(&table, &mut *first, "+I 1 a");
    let (mut promised, _) = checkpoint(&mut *first, 1);
    commit(&*sink, &promised).unwrap();
    for name in table.files().into_keys() {
        std::fs::remove_file(table.path(&name)).unwrap();
    }
    write(&table, &mut *first, "+I 2 b");
    let (more, state) = checkpoint(&mut *first, 2);
    promised.extend(more);
    kill(&table, first);

    let error = commit(&*sink, &promised).unwrap_err();
    assert!(error.kind() == ErrorKind::External && error.to_string().contains("output is lost"), "{error}");
    commit_restored(&*sink, CheckpointId(2), &promised).unwrap();
    let mut second = writer(&table, &sink, 1, 1, Some(state));
    write(&table, &mut *second, "+I 3 c");
    commit(&*sink, &checkpoint(&mut *second, 3).0).unwrap();
    assert_eq!(visible(&table), "2,b\n3,c\n", "what is there is committed, whatever else is missing");
}

#[test]
fn a_removed_partition_is_not_marked_complete() {
    let table = Table::new(
        "out",
        &[("id", Int), ("dt", TypeKind::STRING)],
        &[("sink.partition-commit.policy.kind", "success-file")],
    )
    .partitioned(&["dt"]);
    let sink = table.sink();
    let mut writer = writer(&table, &sink, 1, 0, None);
    write(&table, &mut *writer, "+I 1 a\n+I 2 b");
    let (promised, _) = checkpoint(&mut *writer, 1);
    commit(&*sink, &promised).unwrap();
    std::fs::remove_dir_all(table.path("out/dt=a")).unwrap();
    commit_restored(&*sink, CheckpointId(1), &promised).unwrap();
    assert!(!table.path("out/dt=a").exists());
    assert!(table.path("out/dt=b/_SUCCESS").exists());
}

#[test]
fn attempts_without_a_checkpoint_leave_nothing() {
    let table = table();
    let sink = table.sink();
    let mut most = 0;
    for attempt in 0..100 {
        let mut writer = writer(&table, &sink, 1, attempt, None);
        write(&table, &mut *writer, "+I 1 a");
        if attempt % 2 == 0 {
            // Handed over to a checkpoint that never completes.
            checkpoint(&mut *writer, 1);
            write(&table, &mut *writer, "+I 2 b");
        }
        most = most.max(table.all_files().len());
        match attempt % 3 {
            0 => drop(writer),
            _ => kill(&table, writer),
        }
    }
    assert!(most <= 4, "{most} files at once");
    let mut last = writer(&table, &sink, 1, 100, None);
    assert_eq!(table.all_files().len(), 0);
    write(&table, &mut *last, "+I 1 a");
    commit(&*sink, &last.prepare_commit(CheckpointId(1), true).unwrap().wait().unwrap()).unwrap();
    drop(last);
    assert_eq!(table.all_files().into_values().collect::<String>(), "1,a\n", "not even a ledger is left");
}

#[test]
fn starts_that_were_killed_are_cleared_up_by_the_next_and_may_still_be_restored() {
    let table = table();
    let sink = table.sink();
    let mut killed = writer(&table, &sink, 1, 0, None);
    write(&table, &mut *killed, "+I 1 a");
    let (promised, state) = checkpoint(&mut *killed, 1);
    write(&table, &mut *killed, "+I 2 open");
    kill(&table, killed);
    assert_eq!(table.files().len(), 2);

    // Another start, which does not restore: the file of the checkpoint may be wanted yet, the other one
    // never.
    let mut anew = writer(&table, &sink, 2, 0, None);
    write(&table, &mut *anew, "+I 7 x");
    assert_eq!(table.files().len(), 2, "{:?}", table.files());
    kill(&table, anew);

    let restored = writer(&table, &sink, 3, 0, Some(state));
    commit_restored(&*sink, CheckpointId(1), &promised).unwrap();
    assert_eq!(visible(&table), "1,a\n");
    assert_eq!(table.files().len(), 1, "{:?}", table.files());
    drop(restored);
    assert_eq!(table.all_files().len(), 1, "ledgers go with the last file");
}

#[test]
fn starts_between_a_checkpoint_and_its_restore_are_cleared_up() {
    let table = table();
    let sink = table.sink();
    let mut first = writer(&table, &sink, 1, 0, None);
    write(&table, &mut *first, "+I 1 a");
    let (promised, state) = checkpoint(&mut *first, 1);
    commit(&*sink, &promised).unwrap();
    // Handed over after the checkpoint, to one that does not complete.
    write(&table, &mut *first, "+I 2 b");
    checkpoint(&mut *first, 2);
    kill(&table, first);
    for start in 2..22 {
        let mut between = writer(&table, &sink, start, 0, Some(state.clone()));
        write(&table, &mut *between, "+I 2 b");
        checkpoint(&mut *between, 2);
        write(&table, &mut *between, "+I 3 c");
        assert_eq!(table.files().len(), 3, "start {start}: {:?}", table.files().keys());
        kill(&table, between);
    }
    let last = writer(&table, &sink, 200, 0, Some(state));
    assert_eq!(table.files().into_values().collect::<String>(), "1,a\n");
    drop(last);
    assert_eq!(table.all_files().len(), 1);
}

#[test]
fn what_lives_is_left_alone() {
    let table = table();
    let sink = table.sink();
    let mut running = writer(&table, &sink, 1, 0, None);
    write(&table, &mut *running, "+I 1 a");
    let (promised, state) = checkpoint(&mut *running, 1);
    commit(&*sink, &promised).unwrap();
    write(&table, &mut *running, "+I 2 b");
    let (handed_over, _) = checkpoint(&mut *running, 2);
    write(&table, &mut *running, "+I 3 c");

    // Another job, a job that continues from a snapshot of the one that runs, and an attempt that does not
    // know of it.
    let others = [
        writer(&table, &sink, 2, 0, None),
        writer(&table, &sink, 3, 0, Some(state)),
        writer(&table, &sink, 1, 1, None),
    ];
    drop(others);
    commit(&*sink, &handed_over).unwrap();
    commit(&*sink, &checkpoint(&mut *running, 3).0).unwrap();
    assert_eq!(visible(&table), "1,a\n2,b\n3,c\n");
}

#[test]
fn a_ledger_that_cannot_be_read_protects_what_is_there() {
    let table = table();
    let sink = table.sink();
    let mut killed = writer(&table, &sink, 1, 0, None);
    write(&table, &mut *killed, "+I 1 a");
    kill(&table, killed);
    let ledger = table.all_files().into_keys().find(|name| name.contains("/.writers/")).unwrap();
    for (content, left) in [("{\"version\":9}", 1), ("not json", 1), ("", 1)] {
        table.put(&ledger, content);
        drop(writer(&table, &sink, 2, 0, None));
        assert_eq!(table.files().len(), left, "{content}");
    }
    assert_eq!(table.all_files().len(), 1, "an empty one has promised nothing and is removed");
}

#[test]
fn state_of_a_version_without_ledgers_is_understood() {
    let table = table();
    let sink = table.sink();
    let name = |attempt: u32, start: i64, number: u64| {
        format!("out/.part-{}-{attempt}-{start:x}-0-ab-{number}.inprogress", JobId(7))
    };
    for (attempt, start, number) in [(0, 100, 0), (0, 100, 1), (1, 200, 0)] {
        table.put(&name(attempt, start, number), "1,a\n");
    }
    let state = format!(
        "{{\"version\":1,\"writer\":{{\"job\":\"{}\",\"attempt\":0,\"start\":100,\"subtask\":0,\"nonce\":171}},\"next\":1}}",
        JobId(7)
    );
    let restored = writer(&table, &sink, 7, 2, Some(vec![Payload::new(Payload::UNVERSIONED, state)]));
    assert_eq!(table.files().into_keys().collect::<Vec<_>>(), [name(0, 100, 0)]);
    drop(restored);
}

#[test]
fn an_unwritable_path_is_reported_before_the_job_runs() {
    let table = table();
    table.sink().check().unwrap();
    assert_eq!(table.all_files().len(), 0);
    let table = Table::new("file/out", &[("id", Int)], &[]);
    table.put("file", "");
    let error = table.sink().check().unwrap_err().to_string();
    assert!(error.contains("table c.d.t") && error.contains("cannot create the directory"), "{error}");
}
