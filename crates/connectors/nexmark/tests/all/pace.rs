//! Events that come when they are due.

use std::sync::Arc;

use flott_connector::Poll;
use flott_types::Clock;
use flott_types::clock::ManualClock;

use crate::support::{Events, NOW, reader};

#[test]
fn an_event_comes_when_its_time_has_come() {
    let clock = Arc::new(ManualClock::new(NOW));
    let options = [
        ("rate.limited", "true"),
        ("base-time", "now"),
        ("first-event.rate", "5000"),
        ("events.num", "20000"),
    ];
    let mut reader = reader(&options, &clock);
    let mut events = Events::default();
    loop {
        match reader.poll(&mut events).unwrap() {
            Poll::More => {
                for line in events.lines() {
                    let cells: Vec<&str> = line.split('\t').collect();
                    let place = if cells[0] == "0" { 7 } else { 6 };
                    assert_eq!(cells[place].parse::<i64>().unwrap(), clock.now());
                }
                events.batches.clear();
            }
            Poll::Wait(until) => clock.set(until),
            Poll::SplitsDone => break,
        }
    }
    assert_eq!(clock.now(), NOW + 3_999);
}

#[test]
fn overdue_events_come_at_once() {
    let clock = Arc::new(ManualClock::new(NOW));
    let mut reader = reader(&[("rate.limited", "true"), ("first-event.rate", "1000")], &clock);
    clock.advance(99);
    let mut events = Events::default();
    assert_eq!(reader.poll(&mut events).unwrap(), Poll::More);
    assert_eq!(events.lines().len(), 100);
    assert_eq!(reader.poll(&mut events).unwrap(), Poll::Wait(NOW + 100));
}
