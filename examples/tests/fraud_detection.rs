//! The fraud detector, by the harness.

use std::time::Duration;

use flott_testkit::Harness;

use super::*;

fn detector() -> Harness<Transaction, String> {
    Harness::new(|transactions| detect(&transactions))
}

fn transaction(account: u64, amount: f64) -> Transaction {
    Transaction { account, amount }
}

const NO_ALERT: [&str; 0] = [];

#[test]
fn a_large_amount_right_after_a_small_one_raises_an_alert() {
    let mut detector = detector();
    assert_eq!(detector.push(transaction(1, 0.99)).unwrap(), NO_ALERT);
    assert_eq!(detector.push(transaction(2, 800.0)).unwrap(), NO_ALERT, "another account");
    assert_eq!(detector.advance(Duration::from_millis(59_999)).unwrap(), NO_ALERT);
    assert_eq!(detector.push(transaction(1, 500.01)).unwrap(), ["account 1: 500.01 after a small amount"]);
    assert_eq!(detector.push(transaction(1, 900.0)).unwrap(), NO_ALERT, "the small one has had its alert");
}

#[test]
fn bounds_are_not_included_and_what_comes_in_between_makes_it_innocent() {
    let mut detector = detector();
    for amount in [1.0, 900.0, 0.5, 500.0, 900.0, 0.5, 30.0, 900.0] {
        assert_eq!(detector.push(transaction(1, amount)).unwrap(), NO_ALERT, "{amount}");
    }
}

#[test]
fn after_a_minute_it_is_forgotten() {
    let mut detector = detector();
    detector.push(transaction(1, 0.1)).unwrap();
    detector.advance(Duration::from_secs(60)).unwrap();
    assert_eq!(detector.push(transaction(1, 900.0)).unwrap(), NO_ALERT);
}

#[test]
fn a_second_small_amount_restarts_the_minute() {
    let mut detector = detector();
    detector.push(transaction(1, 0.1)).unwrap();
    detector.advance(Duration::from_secs(40)).unwrap();
    detector.push(transaction(1, 0.2)).unwrap();
    detector.advance(Duration::from_secs(40)).unwrap();
    assert_eq!(detector.push(transaction(1, 900.0)).unwrap().len(), 1);
}

#[test]
fn a_restart_forgets_neither_the_amount_nor_the_timer() {
    let mut detector = detector();
    detector.push(transaction(1, 0.1)).unwrap();
    detector.push(transaction(2, 0.1)).unwrap();
    detector.advance(Duration::from_secs(30)).unwrap();
    let snapshot = detector.snapshot().unwrap();
    detector.restore(&snapshot, 3).unwrap();
    assert_eq!(detector.push(transaction(1, 900.0)).unwrap().len(), 1);
    detector.advance(Duration::from_secs(30)).unwrap();
    assert_eq!(detector.push(transaction(2, 900.0)).unwrap(), NO_ALERT);
}

#[test]
fn lines_that_are_none_are_refused_with_what_they_look_like() {
    assert_eq!(parse("7, 12.50".to_owned()).unwrap().amount, 12.5);
    assert!(
        parse("seven".to_owned()).unwrap_err().to_string().contains("'seven' is not a line like 7,12.50")
    );
}
