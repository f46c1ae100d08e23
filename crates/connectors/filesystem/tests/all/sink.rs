//! What is written, and when it can be seen.

use flott_connector::conformance::commit;
use flott_connector::{Committable, Payload, SinkWriter};
use flott_types::TypeKind::{self, *};
use flott_types::{CheckpointId, ErrorKind};

use crate::harness::{Table, sink_context};

fn table(options: &[(&str, &str)]) -> Table {
    Table::new("out", &[("id", Int), ("dt", TypeKind::STRING)], options)
}

fn checkpoint(writer: &mut dyn SinkWriter, id: u64) -> (Vec<Committable>, Vec<Payload>) {
    let committables = writer.prepare_commit(CheckpointId(id), false).unwrap().wait().unwrap();
    (committables, writer.snapshot(CheckpointId(id)).unwrap())
}

/// The contents of the visible files, one after the other.
fn visible(table: &Table) -> String {
    table.files().into_iter().filter(|(name, _)| !name.contains("/.")).map(|(_, text)| text).collect()
}

#[test]
fn rows_are_seen_when_their_checkpoint_is_complete() {
    let table = table(&[]);
    let sink = table.sink();
    assert!(sink.is_two_phase());
    let mut writer = sink.writer(sink_context(&table, 0, 0), Vec::new()).unwrap();
    writer.write(table.batch("+I 1 a\n+I 2 'b c'")).unwrap();
    writer.flush().unwrap();
    assert_eq!((table.files().len(), visible(&table).as_str()), (1, ""));
    let (committables, _) = checkpoint(writer.as_mut(), 1);
    writer.write(table.batch("+I 3 c")).unwrap();
    writer.flush().unwrap();
    assert_eq!((table.files().len(), visible(&table).as_str()), (2, ""));
    commit(&*sink, &committables).unwrap();
    assert_eq!(visible(&table), "1,a\n2,\"b c\"\n");
    commit(&*sink, &committables).unwrap();
    assert_eq!(visible(&table), "1,a\n2,\"b c\"\n", "a second time is harmless");
    assert!(checkpoint(writer.as_mut(), 2).0.len() == 1 && checkpoint(writer.as_mut(), 3).0.is_empty());
    assert_eq!(table.rows(), "+I 1 a\n+I 2 'b c'\n", "the source does not see what is not committed");
}

#[test]
fn output_that_is_lost_is_an_error() {
    let table = table(&[]);
    let sink = table.sink();
    let mut writer = sink.writer(sink_context(&table, 0, 0), Vec::new()).unwrap();
    writer.write(table.batch("+I 1 a")).unwrap();
    let (committables, _) = checkpoint(writer.as_mut(), 1);
    let hidden = table.files().into_keys().next().unwrap();
    std::fs::remove_file(table.path(&hidden)).unwrap();
    let error = commit(&*sink, &committables).unwrap_err();
    assert!(error.kind() == ErrorKind::External && error.to_string().contains("output is lost"), "{error}");
}

#[test]
fn a_restart_neither_loses_nor_doubles_rows_and_clears_up() {
    let table = table(&[]);
    let sink = table.sink();
    let mut first = sink.writer(sink_context(&table, 0, 0), Vec::new()).unwrap();
    first.write(table.batch("+I 1 a")).unwrap();
    let (promised, state) = checkpoint(first.as_mut(), 1);
    first.write(table.batch("+I 2 lost")).unwrap();
    first.flush().unwrap();
    drop(first);

    table.clock.advance(10);
    let mut second = sink.writer(sink_context(&table, 1, 0), state).unwrap();
    assert_eq!(table.files().len(), 1, "what came after the checkpoint is gone, what it promises is there");
    commit(&*sink, &promised).unwrap();
    second.write(table.batch("+I 2 again")).unwrap();
    let committables = second.prepare_commit(CheckpointId(2), true).unwrap().wait().unwrap();
    commit(&*sink, &committables).unwrap();
    assert_eq!(visible(&table), "1,a\n2,again\n");
    assert_eq!(table.files().len(), 2);
}

#[test]
fn partitions_are_directories() {
    let table = table(&[("sink.partition-commit.policy.kind", "success-file"), ("csv.null-literal", "NULL")])
        .partitioned(&["dt"]);
    let sink = table.sink();
    let mut writer = sink.writer(sink_context(&table, 0, 1), Vec::new()).unwrap();
    writer.write(table.batch("+I 1 a/b\n+I 2 NULL\n+I 3 a/b\n+I NULL c")).unwrap();
    commit(&*sink, &checkpoint(writer.as_mut(), 1).0).unwrap();
    let files = table.files();
    let find = |directory: &str| {
        let found = files.iter().find(|(name, _)| name.starts_with(&format!("out/{directory}/part-")));
        found.map(|(_, text)| text.as_str())
    };
    assert_eq!(find("dt=a%2Fb"), Some("1\n3\n"));
    assert_eq!(find("dt=__DEFAULT_PARTITION__"), Some("2\n"));
    assert_eq!(find("dt=c"), Some("NULL\n"));
    assert_eq!(files.get("out/dt=c/_SUCCESS").map(String::as_str), Some(""));
    assert_eq!(files.len(), 6);
    assert_eq!(table.rows(), "+I 2 NULL\n+I 1 a/b\n+I 3 a/b\n+I NULL c\n");
}

#[test]
fn files_roll_by_size_and_time() {
    let table = table(&[
        ("sink.rolling-policy.file-size", "40 b"),
        ("sink.rolling-policy.rollover-interval", "1 min"),
        ("sink.rolling-policy.check-interval", "10 s"),
    ]);
    let sink = table.sink();
    let mut writer = sink.writer(sink_context(&table, 0, 0), Vec::new()).unwrap();
    assert_eq!(writer.next_time(), None);
    for row in 0..10 {
        writer.write(table.batch(&format!("+I {row} 0123456789"))).unwrap();
    }
    assert_eq!(table.files().len(), 3);
    let due = writer.next_time().unwrap();
    writer.on_time(due).unwrap();
    writer.write(table.batch("+I 10 x")).unwrap();
    assert_eq!(table.files().len(), 3, "not old enough");
    table.clock.set(due + 60_000);
    writer.on_time(due + 60_000).unwrap();
    writer.write(table.batch("+I 11 x")).unwrap();
    assert_eq!(table.files().len(), 4);
    commit(&*sink, &checkpoint(writer.as_mut(), 1).0).unwrap();
    assert_eq!(visible(&table).lines().count(), 12);
}

#[test]
fn what_is_written_is_read_back_in_every_format() {
    for format in ["csv", "json", "debezium-json", "canal-json", "maxwell-json"] {
        let table = table(&[("format", format)]);
        let sink = table.sink();
        let mut writer = sink.writer(sink_context(&table, 0, 0), Vec::new()).unwrap();
        writer
            .write(table.batch("+I 1 'a, \"b\"'\n+I NULL x"))
            .unwrap_or_else(|error| panic!("{format}: {error}"));
        commit(&*sink, &checkpoint(writer.as_mut(), 1).0).unwrap();
        if format != "csv" {
            assert_eq!(table.rows(), "+I 1 'a, \"b\"'\n+I NULL x\n", "{format}");
        }
    }
}

#[test]
fn two_sinks_of_a_job_may_write_to_one_table() {
    let table = table(&[]);
    let sinks = [table.sink(), table.sink()];
    let mut writers =
        sinks.each_ref().map(|sink| sink.writer(sink_context(&table, 0, 0), Vec::new()).unwrap());
    for (row, writer) in writers.iter_mut().enumerate() {
        writer.write(table.batch(&format!("+I {row} x"))).unwrap();
    }
    for (sink, writer) in sinks.iter().zip(&mut writers) {
        commit(sink, &checkpoint(writer.as_mut(), 1).0).unwrap();
    }
    assert_eq!(visible(&table).lines().count(), 2);
}
