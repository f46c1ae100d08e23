//! The four kinds of windows over sales, second by second.

use flott_testkit::Harness;

use super::*;

fn harness(windows: &'static str) -> Harness<String, (String, i64, u64)> {
    Harness::new(move |lines: DataStream<String>| {
        totals(&lines.try_map(parse), windows)
            .unwrap()
            .map(|(month, _, _, profit, count)| (month, profit, count))
    })
}

fn total(month: &str, profit: i64, count: u64) -> (String, i64, u64) {
    (month.to_owned(), profit, count)
}

fn june(profit: i64) -> String {
    format!("June,Bat,Category5,{profit}")
}

const NOTHING: [(String, i64, u64); 0] = [];

#[test]
fn tumbling_windows_have_each_sale_once() {
    let mut sales = harness("tumbling");
    sales.push(june(10)).unwrap();
    assert_eq!(sales.advance(SECOND).unwrap(), NOTHING);
    sales.push(june(20)).unwrap();
    sales.push("July,PC,Category1,5".to_owned()).unwrap();
    let mut first = sales.advance(SECOND).unwrap();
    first.sort();
    assert_eq!(first, [total("July", 5, 1), total("June", 30, 2)]);
    assert_eq!(sales.advance(2 * SECOND).unwrap(), NOTHING, "an empty window puts out nothing");
    sales.push(june(7)).unwrap();
    assert_eq!(sales.advance(2 * SECOND).unwrap(), [total("June", 7, 1)]);
}

#[test]
fn sliding_windows_have_each_sale_twice() {
    let mut sales = harness("sliding");
    sales.push(june(10)).unwrap();
    assert_eq!(sales.advance(SECOND).unwrap(), [total("June", 10, 1)]);
    sales.push(june(20)).unwrap();
    assert_eq!(sales.advance(SECOND).unwrap(), [total("June", 30, 2)]);
    assert_eq!(sales.advance(SECOND).unwrap(), [total("June", 20, 1)]);
    assert_eq!(sales.advance(SECOND).unwrap(), NOTHING);
}

#[test]
fn a_session_lasts_until_nothing_has_come_for_five_seconds() {
    let mut sales = harness("session");
    for _ in 0..3 {
        sales.push(june(10)).unwrap();
        assert_eq!(sales.advance(4 * SECOND).unwrap(), NOTHING);
    }
    assert_eq!(sales.advance(SECOND).unwrap(), [total("June", 30, 3)]);
    sales.push(june(1)).unwrap();
    assert_eq!(sales.advance(5 * SECOND).unwrap(), [total("June", 1, 1)]);
}

#[test]
fn the_global_window_fires_with_every_fifth_sale_and_keeps_them_all() {
    let mut sales = harness("global");
    for sale in 1..=10 {
        let expected = if sale % 5 == 0 { vec![total("June", 10 * sale, sale as u64)] } else { Vec::new() };
        assert_eq!(sales.push(june(10)).unwrap(), expected, "{sale}");
    }
}

#[test]
fn a_window_continues_after_a_restart() {
    let mut sales = harness("tumbling");
    sales.push(june(10)).unwrap();
    sales.advance(SECOND).unwrap();
    let snapshot = sales.snapshot().unwrap();
    sales.restore(&snapshot, 2).unwrap();
    sales.push(june(5)).unwrap();
    assert_eq!(sales.advance(SECOND).unwrap(), [total("June", 15, 2)]);
}

#[test]
fn lines_that_are_none_are_refused_with_what_they_look_like() {
    let error = parse("June,Bat,Category5".to_owned()).unwrap_err().to_string();
    assert!(error.contains("is not a line like June,Bat,Category5,12"), "{error}");
}
