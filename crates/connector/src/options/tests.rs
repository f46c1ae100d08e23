//! Options read, and refused.

use std::collections::BTreeMap;

use flott_types::ErrorKind;

use super::*;
use crate::Formats;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Mode {
    Fast,
    Safe,
}

const PATH: TableOption<String, Required> = TableOption::text("path", "where").required();
const RATE: TableOption<u64> = TableOption::number("rate", 1, 9, "how fast");
const MODE: TableOption<Mode, WithDefault> =
    TableOption::word("mode", &[("fast", Mode::Fast), ("safe", Mode::Safe)], "how")
        .not_yet(&["wild"])
        .or("safe");
const WAIT: TableOption<i64> = TableOption::duration("wait", "how long");
const SIZE: TableOption<u64, WithDefault> = TableOption::size("size", "how large").or("1 kb");
const LOUD: TableOption<bool, WithDefault> = TableOption::flag("loud", "whether it is told").or("false");
const OLD: TableOption<u64> = TableOption::number("old", 0, 9, "of old").without_effect("it is over");
const ODD: TableOption<String> = TableOption::refused("odd", "even", "odd things");
const LEAST: TableOption<u64> = TableOption::number("fields.#.least", 0, 9, "the least of a field");
const LOST: TableOption<u64> = TableOption::number("lost", 0, 9, "nobody lists it");
static ALL: &[&dyn AnyOption] = &[&PATH, &RATE, &MODE, &WAIT, &SIZE, &LOUD, &OLD, &ODD, &LEAST];
const MANUAL: Manual = Manual { summary: "", details: "", example: "", options: ALL };

fn with<T>(pairs: &[(&str, &str)], read: impl FnOnce(&Options<'_>) -> T) -> T {
    let values: BTreeMap<String, String> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let formats = Formats::default();
    read(&Options::new("t", &values, &MANUAL, &formats))
}

fn error<T>(result: Result<T>) -> String {
    result.err().unwrap().to_string()
}

use flott_types::Result;

#[test]
fn settings_are_read_and_others_have_their_default() {
    let set = [
        ("path", "x"),
        ("mode", "fast"),
        ("wait", "2 S"),
        ("size", "2MB"),
        ("loud", "TRUE"),
        ("rate", " 7 "),
    ];
    with(&set, |options| {
        assert_eq!(options.get(&PATH).unwrap(), "x");
        assert_eq!(options.get(&MODE).unwrap(), Mode::Fast);
        assert_eq!(options.get(&WAIT).unwrap(), Some(2_000));
        assert_eq!(options.get(&SIZE).unwrap(), 2 << 20);
        assert_eq!(options.get(&RATE).unwrap(), Some(7));
        assert!(options.get(&LOUD).unwrap());
        options.finish().unwrap();
    });
    with(&[], |options| {
        assert_eq!(options.get(&MODE).unwrap(), Mode::Safe);
        assert_eq!(options.get(&SIZE).unwrap(), 1 << 10);
        assert_eq!(options.get(&RATE).unwrap(), None);
        assert_eq!(error(options.get(&PATH)), "table t: the option 'path' is missing");
    });
}

#[test]
fn unreadable_values_are_reported_with_what_can_be_written() {
    let set = [("rate", "10"), ("mode", "slow"), ("wait", "-1 s"), ("size", "1 cup"), ("loud", "maybe")];
    with(&set, |options| {
        assert_eq!(
            error(options.get(&RATE)),
            "table t: option 'rate' is '10'; expected a number from 1 to 9"
        );
        assert_eq!(error(options.get(&MODE)), "table t: option 'mode' is 'slow'; expected fast or safe");
        assert!(error(options.get(&WAIT)).ends_with("expected a duration such as '500 ms' or '10 min'"));
        assert!(error(options.get(&SIZE)).ends_with("expected a size such as '64 kb' or '128 mb'"));
        assert!(error(options.get(&LOUD)).ends_with("expected true or false"));
    });
    // The default of an option is one that it takes.
    for option in ALL {
        if let Some(default) = option.default_text() {
            option.check(option.key(), default).unwrap();
        }
    }
}

#[test]
fn what_flink_has_and_we_do_not_is_refused_by_name() {
    with(&[("mode", "wild")], |options| {
        let error = options.get(&MODE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let text = "table t: the option 'mode' = 'wild' is not built yet; there is: fast, safe";
        assert_eq!(error.to_string(), text);
    });
    with(&[("odd", "1")], |options| {
        let error = options.finish().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.to_string(), "table t: the option 'odd' = '1' is not built yet; there is: even");
    });
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    let unknown = |key: &str| with(&[(key, "1")], |options| error(options.finish()));
    let has = "fields.#.least, connector, loud, mode, path, rate, size, wait";
    let mut has: Vec<&str> = has.split(", ").collect();
    has.sort_unstable();
    let has = has.join(", ");
    assert_eq!(unknown("pth"), format!("table t has no option 'pth'; did you mean 'path'? It has: {has}"));
    assert_eq!(unknown("colour"), format!("table t has no option 'colour'; it has: {has}"));
    assert!(unknown("fields.a.least").starts_with("table t has no option 'fields.a.least'"));
    // What nobody read is checked all the same.
    let wrong = |key: &str, text: &str| with(&[(key, text)], |options| options.finish());
    assert!(error(wrong("old", "ten")).ends_with("option 'old' is 'ten'; expected a number from 0 to 9"));
    wrong("old", "9").unwrap();
    wrong("connector", "any").unwrap();
    wrong("property-version", "1").unwrap();
}

#[test]
fn an_option_of_a_name_of_the_tables_is_one_when_it_was_asked_for() {
    with(&[("fields.a.least", "3"), ("fields.b.least", "x")], |options| {
        assert_eq!(options.get_at(&LEAST, "a").unwrap(), Some(3));
        assert!(error(options.finish()).starts_with("table t has no option 'fields.b.least'"));
        assert!(error(options.get_at(&LEAST, "b")).starts_with("table t: option 'fields.b.least' is 'x'"));
        assert_eq!(options.get_at(&LEAST, "c").unwrap(), None);
    });
}

#[test]
fn what_is_read_must_be_listed() {
    with(&[], |options| {
        assert_eq!(options.get(&LOST).unwrap_err().kind(), ErrorKind::Internal);
        assert_eq!(options.get_at(&LOST, "a").unwrap_err().kind(), ErrorKind::Internal);
    });
}

#[test]
fn a_planner_reads_its_own() {
    let values = BTreeMap::from([(SINK_PARALLELISM.key().to_owned(), "0".to_owned())]);
    assert_eq!(SCAN_PARALLELISM.read_from(&values).unwrap(), None);
    let error = error(SINK_PARALLELISM.read_from(&values));
    assert_eq!(error, "option 'sink.parallelism' is '0'; expected a number above 0");
}
