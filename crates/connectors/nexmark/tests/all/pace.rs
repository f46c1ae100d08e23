//! Events that come when they are due.

use std::sync::Arc;

use flott_connector::{EnumeratorContext, Poll, ReaderContext, SourceReader};
use flott_types::clock::ManualClock;
use flott_types::{Clock, SubtaskIndex};

use crate::support::{Events, NOW, nexmark, source};

fn reader(options: &[(&str, &str)], clock: &Arc<ManualClock>) -> Box<dyn SourceReader> {
    let source = source(&nexmark(options)).unwrap();
    let context = EnumeratorContext { parallelism: 1, clock: clock.clone() };
    let splits = source.enumerator(None, context).unwrap().next_splits(SubtaskIndex(0)).unwrap().unwrap();
    let context = ReaderContext {
        subtask: SubtaskIndex(0),
        parallelism: 1,
        batch_size: 4_096,
        clock: clock.clone(),
        waker: flott_connector::Waker::default(),
    };
    let mut reader = source.reader(context).unwrap();
    reader.add_splits(splits).unwrap();
    reader
}

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
fn what_was_due_while_nobody_read_comes_at_once() {
    let clock = Arc::new(ManualClock::new(NOW));
    let mut reader = reader(&[("rate.limited", "true"), ("first-event.rate", "1000")], &clock);
    clock.advance(99);
    let mut events = Events::default();
    assert_eq!(reader.poll(&mut events).unwrap(), Poll::More);
    assert_eq!(events.lines().len(), 100);
    assert_eq!(reader.poll(&mut events).unwrap(), Poll::Wait(NOW + 100));
}
