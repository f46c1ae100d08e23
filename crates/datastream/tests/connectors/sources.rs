//! Sources of values.

use std::collections::BTreeMap;
use std::time::Duration;

use flott_connector::conformance::{ByHand, check_source};
use flott_connector::{Boundedness, Payload, Poll, Source, Waker};
use flott_datastream::source::{
    CollectionSource, HybridSource, IteratorSource, RateLimited, SequenceSource, TextFileSource,
};
use flott_types::{CheckpointId, SubtaskIndex};
use serde::{Deserialize, Serialize};

use crate::support::{Single, Values, Watched};

/// Whatever serde can do, and no `Clone`.
#[derive(Debug, Serialize, Deserialize)]
struct Event {
    #[serde(rename = "n", skip_serializing_if = "is_zero", default)]
    number: u64,
    kind: Kind,
    weights: BTreeMap<i32, f64>,
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Kind {
    Text(String),
    Pair(i64, Option<bool>),
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn event(number: u64) -> Event {
    Event {
        number,
        kind: match number % 2 {
            0 => Kind::Text(format!("t{number}")),
            _ => Kind::Pair(-1, Some(true)),
        },
        weights: BTreeMap::from([(-1, 0.1 + number as f64), (2, f64::INFINITY)]),
        rest: BTreeMap::from([("x".to_owned(), "y".to_owned())]),
    }
}

#[test]
fn a_collection_holds_the_rules() {
    let make = || CollectionSource::new((0..23).map(event)).unwrap();
    check_source(&Values { make, expected: (0..23).map(event).collect(), endless: false }).unwrap();
    let make = || CollectionSource::new(Vec::<i64>::new()).unwrap();
    check_source(&Values { make, expected: Vec::<i64>::new(), endless: false }).unwrap();
}

#[test]
fn a_collection_keeps_its_order_with_one_reader() {
    let source = CollectionSource::new(0..100i64).unwrap();
    let mut run = Single::<i64>::new(&source, 7, Waker::default());
    while run.poll().unwrap().is_some() {}
    assert_eq!(run.output.values, (0..100).collect::<Vec<_>>());
    assert_eq!(run.output.finished, 1);
}

#[test]
fn a_value_that_cannot_be_written_is_named() {
    #[derive(Deserialize)]
    struct Wrong;
    impl Serialize for Wrong {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("never"))
        }
    }
    let error = CollectionSource::new([Wrong]).unwrap_err().to_string();
    assert!(error.contains("value 0 of the collection") && error.contains("never"), "{error}");
}

#[test]
fn a_sequence_holds_the_rules() {
    let make = || SequenceSource::new(-5, 17).unwrap();
    check_source(&Values { make, expected: (-5..=17i64).collect(), endless: false }).unwrap();
    let make = || SequenceSource::new(1, 0).unwrap();
    check_source(&Values { make, expected: Vec::<i64>::new(), endless: false }).unwrap();
    let make = || SequenceSource::new(i64::MAX - 2, i64::MAX).unwrap();
    check_source(&Values { make, expected: vec![i64::MAX - 2, i64::MAX - 1, i64::MAX], endless: false })
        .unwrap();
    assert!(SequenceSource::new(i64::MIN, i64::MAX).is_err());
}

#[test]
fn an_iterator_holds_the_rules() {
    let make = || IteratorSource::bounded(|| (0..20i64).filter(|n| n % 3 != 0));
    let expected = (0..20i64).filter(|n| n % 3 != 0).collect();
    check_source(&Values { make, expected, endless: false }).unwrap();
}

#[test]
fn an_iterator_that_is_shorter_after_a_restart_is_an_error() {
    let source = IteratorSource::bounded(|| 0..20i64);
    let mut run = Single::<i64>::new(&source, 7, Waker::default());
    // The iterator has a thread of its own: values come when they come, and the position is behind those that
    // came.
    let mut splits = Vec::new();
    while splits.is_empty() {
        run.poll().unwrap();
        splits = run.reader.snapshot(CheckpointId(1)).unwrap();
    }
    let text = splits[0].payload.text("a split").unwrap();
    let changed = format!("{}:14}}", &text[..text.rfind(':').unwrap()]);
    splits[0].payload = Payload::new(splits[0].payload.version(), changed);
    let mut other = Single::<i64>::new(&IteratorSource::bounded(|| 0..5i64), 7, Waker::default());
    other.reader.add_splits(splits).unwrap();
    let error = (0..60_000).find_map(|_| {
        std::thread::park_timeout(Duration::from_millis(1));
        other.poll().err()
    });
    let error = error.unwrap().to_string();
    assert!(error.contains("ends after 5 values, but 14 were read"), "{error}");
}

fn files(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

#[test]
fn text_files_hold_the_rules() {
    let lines: Vec<String> = (0..12).map(|line| format!("line {line} ü")).collect();
    let directory = files(&[
        ("a.txt", &lines[..5].join("\n")),
        ("b.txt", &format!("{}\r\n", lines[5..11].join("\r\n"))),
        ("c.txt", ""),
        ("d.txt", &lines[11]),
        ("_hidden", "no"),
    ]);
    let path = directory.path().to_str().unwrap().to_owned();
    let make = || TextFileSource::new(&path).unwrap();
    assert_eq!(make().boundedness(), Boundedness::Bounded);
    check_source(&Values { make, expected: lines.clone(), endless: false }).unwrap();
    let make = || TextFileSource::new(&path).unwrap().monitored(Duration::from_millis(10));
    assert_eq!(make().boundedness(), Boundedness::Unbounded);
    check_source(&Values { make, expected: lines, endless: true }).unwrap();
}

#[test]
fn a_directory_that_is_watched_gives_each_new_file_once() {
    let directory = files(&[("a.txt", "1\n2\n")]);
    let path = directory.path().to_str().unwrap();
    let source = TextFileSource::new(path).unwrap().monitored(Duration::from_secs(1));
    let mut run = Single::<String>::new(&source, 100, Waker::default());
    let polls = |run: &mut Single<String>| {
        (0..10).for_each(|_| {
            run.poll().unwrap();
            run.clock.advance(300);
        });
        run.output.values.join(" ")
    };
    assert_eq!(polls(&mut run), "1 2");
    std::fs::write(directory.path().join("b.txt"), "3\n").unwrap();
    assert_eq!(polls(&mut run), "1 2 3");
    assert_eq!(polls(&mut run), "1 2 3");
}

/// What appears while readers are at work; also behind sources that wrap others.
#[test]
fn folders_that_are_watched_hold_the_rules() {
    check_source(&Watched::new(&[], |folder| folder)).unwrap();
    check_source(&Watched::new(&[], |folder| RateLimited::new(folder, 1_000.0).unwrap())).unwrap();
    let after_others = |folder: TextFileSource| {
        let before = CollectionSource::new(["a".to_owned(), "b".to_owned(), "c".to_owned()]).unwrap();
        HybridSource::new(before).then(folder).unwrap()
    };
    check_source(&Watched::new(&["a", "b", "c"], after_others)).unwrap();
}

#[test]
fn a_missing_path_is_named() {
    let source = TextFileSource::new("/nowhere/at/all").unwrap();
    let clock = std::sync::Arc::new(flott_types::clock::ManualClock::new(0));
    let error = ByHand::new(&source, None, 1, clock).err().unwrap().to_string();
    assert!(error.contains("/nowhere/at/all does not exist"), "{error}");
    assert!(TextFileSource::new("hdfs://host/x").unwrap_err().to_string().contains("'hdfs'"));
}

#[test]
fn a_limited_source_holds_the_rules_and_its_rate() {
    let make = || RateLimited::new(SequenceSource::new(1, 20).unwrap(), 100.0).unwrap();
    check_source(&Values { make, expected: (1..=20i64).collect(), endless: false }).unwrap();

    let source = RateLimited::new(SequenceSource::new(1, 1_000).unwrap(), 100.0).unwrap();
    let mut run = Single::<i64>::new(&source, 4_096, Waker::default());
    let start = run.clock_now();
    while let Some(poll) = run.poll().unwrap() {
        if let Poll::Wait(until) = poll {
            run.clock.set(until);
        }
    }
    let millis = run.clock_now() - start;
    assert!((9_800..=10_000).contains(&millis), "1000 records at 100 a second took {millis} ms");
    assert!(RateLimited::new(SequenceSource::new(1, 2).unwrap(), 0.0).is_err());
}

fn hybrid() -> HybridSource<i64> {
    HybridSource::new(SequenceSource::new(1, 10).unwrap())
        .then(CollectionSource::new([100i64, 101]).unwrap())
        .unwrap()
        .then_from(Boundedness::Bounded, |switch| {
            // A collection ends at its length.
            let start: i64 = switch.end_position.as_deref().unwrap_or("0").parse().unwrap();
            SequenceSource::new(1_000 * start, 1_000 * start + 4)
        })
        .unwrap()
}

#[test]
fn a_chain_of_sources_holds_the_rules() {
    let expected = (1..=10).chain([100, 101]).chain(2_000..=2_004).collect();
    check_source(&Values { make: hybrid, expected, endless: false }).unwrap();
}

#[test]
fn a_source_begins_when_all_readers_are_done_with_the_one_before() {
    let clock = std::sync::Arc::new(flott_types::clock::ManualClock::new(0));
    let mut enumerator = ByHand::new(&hybrid(), None, 2, clock).unwrap();
    let mut ask = |reader| {
        let splits = enumerator.ask(SubtaskIndex(reader)).unwrap();
        splits.map(|splits| splits.into_iter().map(|split| split.id).collect::<Vec<_>>())
    };
    assert_eq!(ask(0).unwrap(), ["0:0-5"]);
    assert_eq!(ask(0).unwrap(), ["0:5-10"]);
    assert_eq!(ask(0), Some(Vec::new()));
    assert_eq!(ask(0), Some(Vec::new()));
    // What the next one has goes to all who wait.
    assert_eq!(ask(1).unwrap(), ["1:1-2"]);
    assert_eq!(ask(0).unwrap(), ["1:0-1"]);
}

#[test]
fn nothing_comes_after_a_source_that_never_ends() {
    let endless = IteratorSource::unbounded(|| 0i64..);
    let error = HybridSource::new(endless).then(SequenceSource::new(1, 2).unwrap()).unwrap_err();
    assert!(error.to_string().contains("source 1 of a hybrid source never ends"), "{error}");
}
