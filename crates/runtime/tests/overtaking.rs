//! A gate whose channels can be overtaken.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test must not meet ends it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flott_batch::Records;
use flott_checkpoint::{Barrier, CheckpointKind};
use flott_runtime::gate::overtaking::{Admit, Arrival, Kept};
use flott_runtime::gate::{CancelFlag, Element, Gate, Limits, Next};
use flott_types::{CheckpointId, SystemClock, Waker, Watermark};

const LIMITS: Limits =
    Limits { batches: 2, rows: 100, bytes: 1 << 20, gate_bytes: 1 << 22, batch_bytes: 1 << 18 };

fn gate(channels: usize) -> Gate {
    Gate::new(channels, LIMITS).with_overtaking(true)
}

fn batch(value: u64) -> Element {
    Element::Batch(Records::new(vec![value]).into())
}

fn barrier(id: u64) -> Element {
    let kind = CheckpointKind::Checkpoint;
    let barrier = Barrier { checkpoint: CheckpointId(id), created_at: 0, kind, overtakes_after: Some(0) };
    Element::Barrier(barrier, None)
}

fn show(element: Element) -> String {
    match element {
        Element::Batch(batch) => batch.into_records::<u64>().unwrap().values[0].to_string(),
        Element::Watermark(Watermark(at)) => format!("w{at}"),
        Element::Barrier(barrier, _) => format!("b{}", barrier.checkpoint),
        Element::EndOfInput => "end".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn shown(kept: Kept) -> Vec<String> {
    kept.into_iter().map(|(channel, element)| format!("{channel}:{}", show(element))).collect()
}

/// What there is to read, in order.
fn rest(gate: &Gate) -> Vec<String> {
    let next = || match gate.next() {
        Next::Element { channel, element } => Some(format!("{channel}:{}", show(element))),
        Next::Arrived { channel, arrival: Arrival::Barrier(barrier, _) } => {
            Some(format!("({channel}:b{})", barrier.checkpoint))
        }
        Next::Arrived { channel, arrival: Arrival::End } => Some(format!("({channel}:end)")),
        Next::Nothing => None,
        Next::Command(command) => panic!("{command:?}"),
    };
    std::iter::from_fn(next).collect()
}

#[test]
fn what_is_overtaken_is_what_lies_before_the_barrier_and_what_still_arrives_before_it() {
    let gate = gate(3);
    for (channel, element) in
        [(0, batch(1)), (0, Element::Watermark(Watermark(5))), (0, barrier(7)), (0, batch(2)), (1, batch(3))]
    {
        gate.force(channel, element);
    }
    gate.force(2, batch(4));
    gate.force(2, Element::EndOfInput);
    gate.keep(CheckpointId(7), &[0, 1, 2]);
    gate.force(1, batch(5));
    assert!(gate.take_kept(CheckpointId(8)).is_err());
    // Of a checkpoint that was given up.
    gate.force(1, barrier(6));
    gate.force(1, batch(6));
    gate.force(1, barrier(7));
    gate.force(1, batch(9));
    let kept = shown(gate.take_kept(CheckpointId(7)).unwrap().unwrap());
    assert_eq!(kept, ["0:1", "0:w5", "1:3", "2:4", "1:5", "1:6"]);
    // What has arrived is told first, and everything is read as always.
    let read = rest(&gate);
    assert_eq!(read[..4], ["(0:b7)", "(2:end)", "(1:b6)", "(1:b7)"]);
    assert_eq!(read.len(), 4 + 12, "{read:?}");
}

#[test]
fn what_is_not_complete_is_not_taken_and_what_is_dropped_is_gone() {
    let gate = gate(1);
    gate.keep(CheckpointId(7), &[0]);
    assert!(gate.take_kept(CheckpointId(7)).is_err());
    gate.keep(CheckpointId(8), &[0]);
    gate.drop_kept(CheckpointId(8));
    gate.force(0, barrier(8));
    assert!(gate.take_kept(CheckpointId(8)).is_err());
}

#[test]
fn a_sender_asks_for_room_and_may_finish_what_it_has_begun() {
    let gate = gate(1);
    let wakes = Arc::new(AtomicUsize::new(0));
    let counting = wakes.clone();
    let waker = Waker::new(move || _ = counting.fetch_add(1, Ordering::SeqCst));
    let send = |value| {
        gate.send(0, batch(value), &CancelFlag::default(), &SystemClock::new()).unwrap();
    };
    assert!(gate.has_room(0, &waker));
    send(1);
    assert!(gate.has_room(0, &waker));
    // It is in the middle of something: twice the limits.
    (2..=4).for_each(send);
    assert!(!gate.has_room(0, &waker));
    let cancel = CancelFlag::default();
    cancel.set();
    assert!(gate.send(0, batch(5), &cancel, &SystemClock::new()).is_err(), "it would have to wait");
    gate.force(0, batch(5));
    for _ in 0..3 {
        assert_eq!(wakes.load(Ordering::SeqCst), 0);
        assert!(matches!(gate.next(), Next::Element { .. }));
    }
    assert!(matches!(gate.next(), Next::Element { .. }));
    assert_eq!(wakes.load(Ordering::SeqCst), 1, "half is free again");
    assert!(gate.has_room(0, &waker));
}

#[test]
fn what_is_put_in_front_is_read_first_and_counts() {
    let gate = gate(2);
    gate.force(0, batch(3));
    gate.replay(0, vec![batch(1), batch(2)]);
    assert_eq!(gate.queued_rows(), 3);
    let waker = Waker::new(|| {});
    assert!(!gate.has_room(0, &waker) && gate.has_room(1, &waker));
    assert!(matches!(gate.next_if(Admit::Nothing), Next::Nothing));
    assert_eq!(rest(&gate), ["0:1", "0:2", "0:3"]);
    assert_eq!((gate.queued_rows(), gate.queued_bytes()), (0, 0));
}

/// What is new in one channel may retract what is replayed in another.
#[test]
fn nothing_new_is_read_before_everything_that_is_replayed() {
    let gate = gate(3);
    gate.force(0, batch(10));
    gate.force(2, barrier(7));
    gate.replay(1, vec![batch(1), batch(2), batch(3)]);
    gate.replay(0, vec![batch(4)]);
    gate.force(1, batch(11));
    // Arrivals wait too: nothing overtakes what is replayed.
    let Next::Element { channel: 0, element } = gate.next() else { panic!("not what is replayed") };
    assert_eq!(show(element), "4");
    let Next::Element { channel: 1, element } = gate.next() else { panic!("not what is replayed") };
    assert_eq!(show(element), "1");
    gate.unblock_all();
    // The rest of a batch that is taken in pieces, also of the last one.
    gate.put_back(1, Records::new(vec![1_u64]).into());
    for value in ["1", "2", "3"] {
        let Next::Element { channel: 1, element } = gate.next() else { panic!("not what is replayed") };
        assert_eq!(show(element), value);
    }
    gate.put_back(1, Records::new(vec![33_u64]).into());
    let Next::Element { channel: 1, element } = gate.next() else { panic!("not what is replayed") };
    assert_eq!(show(element), "33");
    assert_eq!(rest(&gate), ["(2:b7)", "2:b7", "0:10", "1:11"]);
    gate.force(2, batch(12));
    gate.put_back(2, Records::new(vec![5_u64]).into());
    assert_eq!(rest(&gate), ["2:5", "2:12"]);
}

/// A sender whose barrier comes much later than the others' would have everything kept.
#[test]
fn what_is_kept_is_bounded() {
    let gate = Gate::new(1, Limits { gate_bytes: 100, ..LIMITS }).with_overtaking(true);
    gate.keep(CheckpointId(7), &[0]);
    let mut bytes = 0;
    while bytes <= 400 {
        let Element::Batch(batch) = batch(1) else { panic!("a batch") };
        bytes += batch.bytes();
        gate.force(0, Element::Batch(batch));
        assert!(matches!(gate.next(), Next::Element { .. }));
    }
    gate.force(0, barrier(7));
    let refused = gate.take_kept(CheckpointId(7)).unwrap().unwrap_err().to_string();
    assert!(refused.contains("more than 400 bytes"), "{refused}");
}
