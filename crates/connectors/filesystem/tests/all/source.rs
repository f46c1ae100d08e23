//! What is read.

use std::io::Write;

use flott_connector::Boundedness;
use flott_plan::Schema;
use flott_types::TypeKind::{self, *};
use flott_types::{ErrorKind, SubtaskIndex};

use crate::harness::{Run, Table, registry};

const TWO: [(&str, TypeKind); 2] = [("id", Int), ("s", TypeKind::STRING)];

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn files_are_read_in_the_order_of_their_names_and_hidden_ones_are_not() {
    let table = Table::new("in", &TWO, &[]);
    table.put("in/b.csv", "3,c\n");
    table.put("in/a.csv", "1,a\n2,b");
    table.put("in/sub/x.csv", "5,e\n");
    table.put("in/empty.csv", "");
    for hidden in ["in/.x.csv", "in/_SUCCESS", "in/_tmp/y.csv", "in/.part-0.inprogress"] {
        table.put(hidden, "not,for,reading\n");
    }
    assert_eq!(table.rows(), "+I 1 a\n+I 2 b\n+I 3 c\n+I 5 e\n");
    assert_eq!(table.source().unwrap().boundedness(), Boundedness::Bounded);
}

#[test]
fn a_path_may_be_a_file_an_uri_or_a_glob() {
    let mut table = Table::new("in/a.csv", &TWO, &[]);
    table.put("in/a.csv", "1,a\n");
    table.put("in/b.csv", "2,b\n");
    table.put("in/c.txt", "3,c\n");
    assert_eq!(table.rows(), "+I 1 a\n");
    let root = table.directory.path().to_str().unwrap().to_owned();
    let mut set = |path: String| {
        table.spec.table.options.insert("path".to_owned(), path);
        table.read().map(|read| read.text)
    };
    assert_eq!(set(format!("file://{root}/in/b.csv")).unwrap(), "+I 2 b\n");
    assert_eq!(set(format!("file:{root}/in/b.csv")).unwrap(), "+I 2 b\n");
    assert_eq!(set(format!("{root}/*/[ab].csv")).unwrap(), "+I 1 a\n+I 2 b\n");
    assert_eq!(set(format!("{root}/none*")).unwrap(), "");
    let missing = set(format!("{root}/none.csv")).unwrap_err();
    assert!(missing.kind() == ErrorKind::External && missing.to_string().contains("none.csv does not exist"));
    let bucket = set("hdfs://host/x".to_owned()).unwrap_err();
    assert!(bucket.kind() == ErrorKind::Unsupported && bucket.to_string().contains("storage on 'hdfs'"));
}

#[test]
fn whole_paths_can_be_chosen_by_a_pattern() {
    let table = Table::new("in", &TWO, &[("source.path.regex-pattern", ".*/a[0-9]\\.csv")]);
    table.put("in/a1.csv", "1,a\n");
    table.put("in/a11.csv", "2,b\n");
    assert_eq!(table.rows(), "+I 1 a\n");
}

#[test]
fn partitions_and_metadata_become_columns() {
    let columns = [("id", Int), ("dt", Date), ("s", TypeKind::STRING), ("hr", Int)];
    let mut table = Table::new("t", &columns, &[]).partitioned(&["dt", "hr"]);
    table.put("t/dt=2024-01-01/hr=10/f.csv", "1,a\n");
    table.put("t/dt=2024-01-02/hr=__DEFAULT_PARTITION__/f.csv", "2,b\n3,c\n");
    assert_eq!(table.rows(), "+I 1 2024-01-01 a 10\n+I 2 2024-01-02 b NULL\n+I 3 2024-01-02 c NULL\n");
    table.spec.projection = vec![3, 2];
    table.spec.metadata =
        Schema::new([("file.name", TypeKind::STRING.not_null()), ("file.size", BigInt.not_null())]);
    assert_eq!(table.rows(), "+I 10 a f.csv 4\n+I NULL b f.csv 8\n+I NULL c f.csv 8\n");
    table.spec.projection = vec![];
    table.spec.metadata = Schema::new([
        ("file.path", TypeKind::STRING.not_null()),
        ("file.modification-time", TimestampLtz(3).not_null()),
    ]);
    let first = format!("+I '{}/t/dt=2024-01-01/hr=10/f.csv' 2", table.directory.path().to_str().unwrap());
    assert!(table.rows().starts_with(&first), "{}", table.rows());
    table.spec.metadata = Schema::default();
    assert_eq!(table.rows(), "+I\n+I\n+I\n");
    table.put("t/hr=1/f.csv", "1,a\n");
    table.spec.projection = vec![1];
    assert!(table.read().unwrap_err().to_string().contains("no directory 'dt=...'"));
}

#[test]
fn compressed_files_are_read() {
    let table = Table::new("in", &TWO, &[]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"1,a\n2,b\n").unwrap();
    let mut two_members = gzip.finish().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"3,c\n").unwrap();
    two_members.extend(gzip.finish().unwrap());
    table.put("in/a.csv.gz", two_members);
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    deflate.write_all(b"4,d\n").unwrap();
    table.put("in/b.deflate", deflate.finish().unwrap());
    for batch_size in [1, 2, 100] {
        let mut run = Run::new(&table, 1, batch_size).unwrap();
        while run.step(0).unwrap() {
            run.restart().unwrap();
        }
        assert_eq!(run.output.text, "+I 1 a\n+I 2 b\n+I 3 c\n+I 4 d\n");
    }
}

/// Files that other libraries compressed, in two pieces one after the other, the cut in the middle of a row.
fn compressed(ending: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/compressed/rows.csv.{ending}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

const ENDINGS: [&str; 7] = ["gz", "deflate", "bz2", "xz", "zst", "lz4", "snappy"];

#[test]
fn files_that_others_compressed_are_read_from_every_row_on() {
    for ending in ENDINGS {
        let table = Table::new("in", &TWO, &[]);
        table.put(&format!("in/rows.csv.{ending}"), compressed(ending));
        for batch_size in [1, 3, 100] {
            let mut run = Run::new(&table, 1, batch_size).unwrap();
            while run.step(0).unwrap() {
                run.restart().unwrap();
            }
            assert_eq!(run.output.text, "+I 1 a\n+I 2 b\n+I 3 c\n+I 4 d\n", "{ending}");
        }
    }
}

#[test]
fn a_compressed_file_that_was_cut_off_is_an_error() {
    for ending in ENDINGS {
        let whole = compressed(ending);
        // Where one piece ends and the next begins, the file is a whole one.
        let mut readable = Vec::new();
        for end in 1..whole.len() {
            let table = Table::new("in", &TWO, &[]);
            table.put(&format!("in/rows.csv.{ending}"), &whole[..end]);
            match table.read() {
                Ok(read) => readable.push(read.text),
                Err(error) => assert!(error.to_string().contains(&format!("rows.csv.{ending}")), "{error}"),
            }
        }
        // A row is cut there, and what is left of it is too short. Snappy has no end: it is cut at any chunk.
        let most = if ending == "snappy" { 3 } else { 1 };
        assert!(readable.len() <= most, "{ending}: {readable:?}");
    }
}

#[test]
fn a_dictionary_of_xz_that_is_too_large_is_refused() {
    let mut bytes = compressed("xz");
    // The filter LZMA2 in the header of the first block, and its property: now a dictionary of 3 GiB.
    assert_eq!(bytes[14..16], [0x21, 1]);
    bytes[16] = 39;
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..20]);
    bytes[20..24].copy_from_slice(&crc.sum().to_le_bytes());
    let table = Table::new("in", &TWO, &[]);
    table.put("in/rows.csv.xz", bytes);
    let error = format!("{:?}", table.read().err().unwrap());
    assert!(error.contains("rows.csv.xz") && error.contains("mem_limit"), "{error}");
}

/// About this many bytes of json, and the rows in it.
fn large(bytes: usize) -> (String, usize) {
    let mut text = String::new();
    let mut rows = 0;
    while text.len() < bytes {
        text.push_str(&format!("{{\"id\":{rows},\"s\":\"{}\"}}\n", "x".repeat(rows * 7 % 900)));
        rows += 1;
    }
    (text, rows)
}

#[test]
fn large_files_are_read_in_pieces_by_several_readers() {
    let table = Table::new("in.json", &TWO, &[("format", "json")]);
    let (text, rows) = large(70 << 20);
    table.put("in.json", text);
    let mut narrow = Table { spec: table.spec.clone(), ..table };
    narrow.spec.projection = vec![0];
    let mut run = Run::new(&narrow, 3, 4_000).unwrap();
    let mut read = vec![0usize; 3];
    let mut open = true;
    while open {
        open = false;
        for (reader, count) in read.iter_mut().enumerate() {
            let before = run.output.batches;
            open |= run.step(reader).unwrap();
            *count += run.output.batches - before;
        }
    }
    assert!(read.iter().all(|batches| *batches > 10), "{read:?}");
    let mut ids: Vec<usize> = run.output.text.lines().map(|line| line[3..].parse().unwrap()).collect();
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..rows));
}

#[test]
fn reading_goes_on_exactly_where_the_snapshot_was_taken() {
    let table = Table::new("in", &TWO, &[]);
    let mut expected = String::new();
    for file in 0..5 {
        let mut text = String::new();
        for row in 0..97 {
            let id = file * 1_000 + row;
            text.push_str(&format!("{id},\"line\none, {id}\"\n"));
            expected.push_str(&format!("+I {id} 'line\none, {id}'\n"));
        }
        table.put(&format!("in/{file}.csv"), text);
    }
    for (parallelism, batch_size) in [(1, 10), (2, 7), (3, 50)] {
        let mut run = Run::new(&table, parallelism, batch_size).unwrap();
        let mut steps = 0;
        loop {
            let mut open = false;
            for reader in 0..parallelism as usize {
                open |= run.step(reader).unwrap();
                steps += 1;
                if steps % 3 == 0 {
                    run.restart().unwrap();
                }
            }
            if !open {
                break;
            }
        }
        assert_eq!(sorted(&run.output.text), sorted(&expected));
    }
    assert_eq!(table.rows(), expected);
}

#[test]
fn errors_name_file_line_column_and_text() {
    let table = Table::new("in", &TWO, &[]);
    table.put("in/a.csv", "1,a\n");
    table.put("in/b.csv", "2,b\n3,\"x\ny\"\nfour,d\n");
    let error = table.read().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    let expected = "in/b.csv: line 4: column 'id': 'four' is not a value of INT, in: four,d";
    assert!(error.to_string().ends_with(expected), "{error}");

    let lenient = Table::new("in", &TWO, &[("csv.ignore-parse-errors", "true")]);
    lenient.put("in/b.csv", "2,b\nfour,d\n1,2,3\n5,e\n");
    let read = lenient.read().unwrap();
    assert_eq!((read.text.as_str(), read.skipped), ("+I 2 b\n+I NULL d\n+I 5 e\n", 2));
}

#[test]
fn a_limit_stops_the_readers() {
    let mut table = Table::new("in", &TWO, &[]);
    for file in 0..4 {
        table.put(&format!("in/{file}.csv"), (0..10).map(|row| format!("{row},x\n")).collect::<String>());
    }
    table.spec.limit = Some(13);
    assert_eq!(table.rows().lines().count(), 13);
}

#[test]
fn a_watched_directory_gives_each_new_file_once() {
    let table = Table::new("in", &TWO, &[("source.monitor-interval", "5 s")]);
    table.put("in/a.csv", "1,a\n");
    assert_eq!(table.source().unwrap().boundedness(), Boundedness::Unbounded);
    let mut run = Run::new(&table, 1, 10).unwrap();
    let now = flott_types::Clock::now(&*table.clock);
    assert_eq!(run.enumerator.next_time(), Some(now + 5_000));
    (0..4).for_each(|_| assert!(run.step(0).unwrap()));
    assert_eq!(run.output.text, "+I 1 a\n");
    table.put("in/b.csv", "2,b\n");
    (0..4).for_each(|_| assert!(run.step(0).unwrap()));
    assert_eq!(run.output.text, "+I 1 a\n", "it is not yet time to look");
    run.restart().unwrap();
    table.clock.advance(5_000);
    (0..4).for_each(|_| assert!(run.step(0).unwrap()));
    assert_eq!(run.output.text, "+I 1 a\n+I 2 b\n");
    table.clock.advance(5_000);
    assert_eq!(run.enumerator.ask(SubtaskIndex(0)).unwrap(), Some(Vec::new()));
}

#[test]
fn a_rate_is_kept() {
    let table = Table::new("in.csv", &TWO, &[("source.rate-limit.rows-per-second", "10")]);
    table.put("in.csv", (0..50).map(|row| format!("{row},x\n")).collect::<String>());
    let mut run = Run::new(&table, 1, 1_000).unwrap();
    let start = flott_types::Clock::now(table.clock.as_ref());
    while run.step(0).unwrap() {
        table.clock.advance(10);
    }
    let took = flott_types::Clock::now(table.clock.as_ref()) - start;
    assert_eq!(run.output.text.lines().count(), 50);
    assert!((4_500..5_500).contains(&took), "{took}");
}

#[test]
fn change_formats_give_row_kinds() {
    let table = Table::new("in.json", &TWO, &[("format", "debezium-json")]);
    table.put("in.json", "{\"op\":\"c\",\"after\":{\"id\":1,\"s\":\"a\"}}\n{\"op\":\"u\",\"before\":{\"id\":1,\"s\":\"a\"},\"after\":{\"id\":1,\"s\":\"b\"}}\n");
    assert_eq!(table.rows(), "+I 1 a\n-U 1 a\n+U 1 b\n");
    use flott_connector::Changelog;
    let changes = |table: &Table| registry().table(&table.spec.table).unwrap().source_changelog().unwrap();
    assert_eq!(changes(&table), Changelog::Retract);
    assert_eq!(changes(&Table::new("x", &TWO, &[])), Changelog::InsertOnly);
}

#[test]
fn wrong_options_are_refused() {
    let error = |options: &[(&str, &str)]| Table::new("x", &TWO, options).source().err().unwrap().to_string();
    assert!(error(&[("monitor-interval", "1 s")]).contains("no option 'monitor-interval'"));
    assert!(error(&[("source.monitor-interval", "soon")]).contains("expected a duration"));
    assert!(error(&[("source.rate-limit.rows-per-second", "0")]).contains("above 0"));
    assert!(error(&[("compaction.parallelism", "0")]).contains("compaction.parallelism"));
    assert!(error(&[("partition.time-extractor.kind", "custom")]).contains("not built yet"));
    let formatter = "partition.time-extractor.timestamp-formatter";
    assert!(error(&[(formatter, "EEE MMM")]).contains("a pattern of numbers and text"));
    assert!(error(&[("sink.partition-commit.watermark-time-zone", "Mars")]).contains("a time zone"));
    assert!(
        error(&[("sink.partition-commit.policy.kind", "metastore,success-file")]).contains("not built yet")
    );
    assert!(error(&[("format", "orc")]).contains("not built yet"));
    let nested = [("id", Int), ("r", Row(Vec::new()))];
    assert!(
        Table::new("x", &nested, &[])
            .partitioned(&["r"])
            .source()
            .err()
            .unwrap()
            .to_string()
            .contains("directory's name")
    );
}

#[test]
fn wide_rows_come_in_small_batches() {
    let table = Table::new("in.csv", &TWO, &[]);
    table.put("in.csv", (0..24).map(|row| format!("{row},{}\n", "x".repeat(1 << 20))).collect::<String>());
    let mut run = Run::new(&table, 1, 4_096).unwrap();
    while run.step(0).unwrap() {}
    assert_eq!(run.output.text.lines().count(), 24);
    assert!((5..=7).contains(&run.output.batches), "{} batches", run.output.batches);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    for (format, content) in
        [("csv", "1,a\n2,b\n"), ("json", "{\"id\":1,\"s\":\"a\"}\n{\"id\":2,\"s\":\"b\"}\n")]
    {
        let table = Table::new("in", &TWO, &[("format", format)]);
        table.put("in/a", format!("\u{feff}{content}"));
        table.put("in/b", "\u{feff}");
        for batch_size in [1, 100] {
            let mut run = Run::new(&table, 1, batch_size).unwrap();
            while run.step(0).unwrap() {
                run.restart().unwrap();
            }
            assert_eq!(run.output.text, "+I 1 a\n+I 2 b\n", "{format}");
        }
    }
    let table = Table::new("in", &[("s", TypeKind::STRING)], &[("format", "raw")]);
    table.put("in/a", "\u{feff}x\n");
    assert_eq!(table.rows(), "+I \u{feff}x\n");
}
