//! Files and directories that others change while a source reads them.

use flott_connector::Payload;
use flott_connector::conformance::ByHand;
use flott_types::{CheckpointId, ErrorKind, Result, SubtaskIndex, TypeKind, TypeKind::Int};

use crate::harness::{Run, Table};

const TWO: [(&str, TypeKind); 2] = [("id", Int), ("s", TypeKind::STRING)];

fn rows(range: std::ops::Range<u32>) -> String {
    range.map(|row| format!("{row},row{row}\n")).collect()
}

/// A source that has read some of `in.csv`, is changed, and restored.
fn restored(change: impl FnOnce(&Table)) -> Result<(String, usize)> {
    let table = Table::new("in.csv", &TWO, &[]);
    table.put("in.csv", rows(0..2_000));
    let mut run = Run::new(&table, 1, 100)?;
    while run.output.text.lines().count() < 1_000 {
        run.step(0)?;
    }
    change(&table);
    run.restart()?;
    while run.step(0)? {}
    let read = run.output.text;
    Ok((read.lines().last().unwrap_or_default().to_owned(), read.lines().count()))
}

#[test]
fn a_file_that_has_grown_is_read_to_where_it_ended() {
    let grown = restored(|table| table.put("in.csv", rows(0..3_000))).unwrap();
    assert_eq!(grown, ("+I 1999 row1999".to_owned(), 2_000));
    let untouched = restored(|table| table.put("in.csv", rows(0..2_000))).unwrap();
    assert_eq!(untouched, grown, "a new time alone does no harm");
}

#[test]
fn a_file_that_was_replaced_or_cut_is_not_read_on() {
    let refused = |change: fn(&Table)| restored(change).unwrap_err();
    let other = refused(|table| table.put("in.csv", rows(0..2_500).replace("row9", "ROW9")));
    assert_eq!(other.kind(), ErrorKind::State);
    assert!(other.to_string().contains("in.csv is not the one that was read up to byte 10780"), "{other}");
    let shorter = refused(|table| table.put("in.csv", rows(0..1_500)));
    assert!(shorter.kind() == ErrorKind::State && !shorter.is_retryable(), "{shorter}");
    let shorter = shorter.to_string();
    assert!(shorter.contains("in.csv has become shorter: expected 23780 bytes of "), "{shorter}");
    assert!(shorter.contains("found 17280 of "), "{shorter}");
    let gone = refused(|table| std::fs::remove_file(table.path("in.csv")).unwrap());
    assert!(gone.to_string().contains("in.csv is gone"), "{gone}");
}

#[test]
fn splits_of_a_version_without_hashes_are_read_on() {
    let table = Table::new("in.csv", &TWO, &[]);
    table.put("in.csv", rows(0..20));
    let mut run = Run::new(&table, 1, 10).unwrap();
    run.step(0).unwrap();
    run.step(0).unwrap();
    let mut splits = run.readers[0].snapshot(CheckpointId(1)).unwrap();
    let text = splits[0].payload.text("a split").unwrap();
    let at = text.find(",\"before\":").unwrap();
    let old = text[..at].replacen('{', "{\"version\":1,", 1) + "}";
    splits[0].payload = Payload::new(Payload::UNVERSIONED, old);
    let mut run = Run::new(&table, 1, 100).unwrap();
    run.readers[0].add_splits(splits).unwrap();
    run.readers[0].poll(&mut run.output).unwrap();
    assert_eq!(run.output.text.lines().count(), 10);
}

fn watched() -> Table {
    Table::new("in", &TWO, &[("source.monitor-interval", "5 s")])
}

/// Lets a source that watches look again and read what it finds.
fn look(table: &Table, run: &mut Run) -> String {
    table.clock.advance(5_000);
    run.output.text.clear();
    (0..80).for_each(|_| assert!(run.step(0).unwrap()));
    std::mem::take(&mut run.output.text)
}

fn set_modified(table: &Table, name: &str, millis: u64) {
    let file = std::fs::File::options().append(true).open(table.path(name)).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_millis(millis)).unwrap();
}

#[test]
fn files_are_found_however_old_they_are() {
    let table = watched();
    table.put("in/b.csv", "1,a\n");
    let mut run = Run::new(&table, 1, 10).unwrap();
    assert_eq!(look(&table, &mut run), "+I 1 a\n");
    table.put("in/a.csv", "2,old\n");
    set_modified(&table, "in/a.csv", 1_000);
    table.put("elsewhere/c.csv", "3,moved\n");
    std::fs::rename(table.path("elsewhere"), table.path("in/c")).unwrap();
    run.restart().unwrap();
    assert_eq!(look(&table, &mut run), "+I 2 old\n+I 3 moved\n");
    run.restart().unwrap();
    assert_eq!(look(&table, &mut run), "");
    set_modified(&table, "in/b.csv", 2_000_000_000_000);
    table.put("in/late.csv", "");
    assert_eq!(look(&table, &mut run), "", "a new time does not make a file new");
    table.put("in/late.csv", "4,late\n");
    assert_eq!(look(&table, &mut run), "+I 4 late\n", "a file without content was not yet there");
}

#[test]
fn what_is_gone_is_forgotten_but_not_all_at_once() {
    let table = watched();
    table.put("in/a.csv", "1,a\n");
    table.put("in/b.csv", "2,b\n");
    let mut run = Run::new(&table, 1, 10).unwrap();
    assert_eq!(look(&table, &mut run), "+I 1 a\n+I 2 b\n");
    std::fs::rename(table.path("in"), table.path("unmounted")).unwrap();
    assert_eq!(look(&table, &mut run), "", "a directory that is not there is told, and looked for again");
    std::fs::create_dir(table.path("in")).unwrap();
    assert_eq!(look(&table, &mut run), "");
    std::fs::remove_dir(table.path("in")).unwrap();
    std::fs::rename(table.path("unmounted"), table.path("in")).unwrap();
    assert_eq!(look(&table, &mut run), "", "read once");
    std::fs::remove_file(table.path("in/a.csv")).unwrap();
    assert_eq!(look(&table, &mut run), "");
    table.put("in/a.csv", "3,again\n");
    assert_eq!(look(&table, &mut run), "+I 3 again\n");
}

#[test]
fn a_checkpoint_holds_the_directory_and_not_its_history() {
    let table = watched();
    let mut run = {
        table.put("in/keep.csv", "0,a\n");
        Run::new(&table, 1, 10).unwrap()
    };
    let mut sizes = Vec::new();
    for round in 0..50 {
        for file in 0..20 {
            table.put(&format!("in/{round}-{file}.csv"), "1,a\n");
        }
        assert_eq!(look(&table, &mut run).lines().count(), 20 + usize::from(round == 0));
        for file in 0..20 {
            std::fs::remove_file(table.path(&format!("in/{round}-{file}.csv"))).unwrap();
        }
        sizes.push(run.enumerator.snapshot().unwrap().bytes().len());
    }
    assert!(sizes[49] < sizes[0] + 200, "{sizes:?}");
    for file in 0..2_000 {
        table.put(&format!("in/dt=2024-01-01/part-{file}.csv"), "1,a\n");
    }
    table.clock.advance(5_000);
    while run.output.text.lines().count() < 2_000 {
        run.step(0).unwrap();
    }
    let size = run.enumerator.snapshot().unwrap().bytes().len();
    println!("2,000 files: {size} bytes");
    assert!(size < 2_000 * 12, "{size}");
    run.restart().unwrap();
    assert_eq!(look(&table, &mut run), "");
}

#[test]
fn state_of_earlier_versions_is_read() {
    let table = watched();
    table.put("in/a.csv", "1,a\n");
    table.put("in/b.csv", "2,b\n");
    let path = table.path("in/a.csv").to_str().unwrap().to_owned();
    let state = format!("{{\"version\":1,\"pending\":[],\"seen\":[\"{path}\"]}}");
    let source = table.source().unwrap();
    let restored = |state: &str| {
        let state = Payload::new(Payload::UNVERSIONED, state);
        ByHand::new(&*source, Some(&state), 1, table.clock.clone())
    };
    let splits = restored(&state).unwrap().ask(SubtaskIndex(0)).unwrap().unwrap();
    assert!(splits.len() == 1 && splits[0].id.contains("in/b.csv"), "{splits:?}");
    for damaged in
        ["{\"version\":3}", "{\"version\":2,\"packed\":\"AAAA\"}", "{\"version\":2,\"packed\":\"*\"}", "x"]
    {
        assert_eq!(restored(damaged).err().unwrap().kind(), ErrorKind::State);
    }
}
