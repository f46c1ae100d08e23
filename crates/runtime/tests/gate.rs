//! The gate between tasks: order, bounds, blocking, cancellation.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test must not meet ends it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;
use std::time::Duration;

use arrow::array::{Int64Array, RecordBatch};
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_checkpoint::{Barrier, CheckpointKind};
use flott_runtime::TaskCommand;
use flott_runtime::gate::overtaking::Admit;
use flott_runtime::gate::{CancelFlag, Element, Gate, Limits, Next, Offer};
use flott_types::{CheckpointId, SystemClock, TypeKind, Waker, Watermark};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const LIMITS: Limits =
    Limits { batches: 4, rows: 20, bytes: 1 << 20, gate_bytes: 1 << 22, batch_bytes: 1 << 18 };

fn batch(values: impl IntoIterator<Item = i64>) -> Element {
    let schema = arrow_type::schema([("v", &TypeKind::BigInt.nullable())]);
    let values: Int64Array = values.into_iter().map(Some).collect();
    let columns = RecordBatch::try_new(schema, vec![Arc::new(values)]).unwrap();
    Element::Batch(ChangeBatch::insert_only(columns).into())
}

fn first(element: &Element) -> i64 {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    match element {
        Element::Batch(Batch::Changes(changes)) => changes.column(0).as_primitive::<Int64Type>().value(0),
        Element::Watermark(watermark) => watermark.0,
        other => panic!("{other:?}"),
    }
}

fn barrier(id: u64) -> Element {
    let barrier = Barrier {
        checkpoint: CheckpointId(id),
        created_at: 0,
        kind: CheckpointKind::Checkpoint,
        overtakes_after: None,
    };
    Element::Barrier(barrier, None)
}

fn take(gate: &Gate) -> Option<(usize, Element)> {
    match gate.next() {
        Next::Element { channel, element } => Some((channel, element)),
        Next::Nothing => None,
        other @ (Next::Command(_) | Next::Arrived { .. }) => panic!("{other:?}"),
    }
}

fn send(gate: &Gate, channel: usize, element: Element) {
    gate.send(channel, element, &CancelFlag::default(), &SystemClock::new()).unwrap();
}

#[test]
fn channels_take_turns_and_messages_go_first() {
    let gate = Gate::new(3, LIMITS);
    for (channel, value) in [(0, 1), (0, 2), (2, 3), (1, 4)] {
        send(&gate, channel, batch([value]));
    }
    gate.post(TaskCommand::Drain);
    assert!(matches!(gate.next(), Next::Command(TaskCommand::Drain)));
    let order: Vec<_> = std::iter::from_fn(|| take(&gate)).map(|(channel, e)| (channel, first(&e))).collect();
    assert_eq!(order, [(0, 1), (1, 4), (2, 3), (0, 2)]);
}

#[test]
fn a_watermark_replaces_the_one_before_it_but_not_across_rows() {
    let gate = Gate::new(1, LIMITS);
    for element in [Element::Watermark(Watermark(1)), Element::Watermark(Watermark(2)), batch([7])] {
        send(&gate, 0, element);
    }
    send(&gate, 0, Element::Watermark(Watermark(3)));
    let order: Vec<_> = std::iter::from_fn(|| take(&gate)).map(|(_, e)| first(&e)).collect();
    assert_eq!(order, [2, 7, 3]);
}

#[test]
fn a_blocked_channel_is_skipped_until_it_is_unblocked() {
    let gate = Gate::new(2, LIMITS);
    send(&gate, 0, batch([1]));
    send(&gate, 1, batch([2]));
    gate.block(0);
    send(&gate, 0, batch([3]));
    assert_eq!(take(&gate).unwrap().0, 1);
    assert!(take(&gate).is_none());
    gate.unblock_all();
    assert_eq!([take(&gate), take(&gate)].map(|next| first(&next.unwrap().1)), [1, 3]);
    assert!(take(&gate).is_none());
}

/// For a test that wants to know when everything has happened.
#[test]
fn a_reader_is_idle_while_it_waits_and_nothing_is_there_or_expected() {
    let gate = Gate::new(1, LIMITS);
    assert_eq!(gate.idle(), None, "it does not wait");
    let waits = |expected: Option<u64>| {
        (0..5_000).any(|_| {
            std::thread::park_timeout(Duration::from_millis(1));
            gate.idle() == expected
        })
    };
    scope(|scope| {
        let waiting = scope.spawn(|| gate.wait(Duration::from_secs(60), Admit::All, false));
        assert!(waits(Some(1)));
        gate.expect(true);
        assert_eq!(gate.idle(), None, "a message will come");
        gate.expect(false);
        assert_eq!(gate.idle(), Some(1));
        gate.wake();
        waiting.join().unwrap();
        assert_eq!(gate.idle(), None);

        let waiting = scope.spawn(|| gate.wait(Duration::from_secs(60), Admit::All, false));
        assert!(waits(Some(2)), "another wait has another number");
        send(&gate, 0, batch([1]));
        assert_eq!(gate.idle(), None);
        waiting.join().unwrap();
    });
    assert!(!gate.is_left());
    gate.close();
    assert!(!gate.is_left(), "who closes it may have something to tell");
    gate.leave();
    assert!(gate.is_left());
}

#[test]
fn without_room_only_elements_before_a_batch_are_read() {
    let gate = Gate::new(3, LIMITS);
    send(&gate, 0, batch([1]));
    send(&gate, 0, barrier(1));
    send(&gate, 1, Element::Watermark(Watermark(5)));
    send(&gate, 1, barrier(1));
    let next = || gate.next_if(Admit::Control);
    assert!(matches!(next(), Next::Element { channel: 1, element: Element::Watermark(_) }));
    assert!(matches!(next(), Next::Element { channel: 1, element: Element::Barrier(..) }));
    assert!(matches!(next(), Next::Nothing));
    scope(|scope| {
        // A batch does not end this wait; what is no batch does.
        let waiting = scope.spawn(|| gate.wait(Duration::from_secs(60), Admit::Control, false));
        send(&gate, 1, batch([2]));
        // Nobody ever wakes this one.
        Gate::new(0, LIMITS).wait(Duration::from_millis(20), Admit::All, false);
        assert!(!waiting.is_finished());
        send(&gate, 2, barrier(1));
        waiting.join().unwrap();
    });
    assert!(matches!(next(), Next::Element { channel: 2, element: Element::Barrier(..) }));
    assert_eq!([take(&gate), take(&gate)].map(|next| next.unwrap().0), [0, 1]);
}

#[test]
fn a_producer_that_waits_notices_its_cancellation() {
    let gate = Gate::new(1, Limits { batches: 1, rows: 1, ..LIMITS });
    let cancel = CancelFlag::default();
    send(&gate, 0, batch([1]));
    // Control elements never wait.
    send(&gate, 0, barrier(1));
    scope(|scope| {
        let blocked = scope.spawn(|| gate.send(0, batch([2]), &cancel, &SystemClock::new()));
        gate.wait(Duration::from_millis(20), Admit::Control, false);
        assert!(!blocked.is_finished());
        cancel.set();
        assert!(blocked.join().unwrap().is_err());
    });
}

#[test]
fn a_closed_gate_blocks_nobody_and_keeps_nothing() {
    let gate = Gate::new(1, Limits { batches: 1, rows: 1, ..LIMITS });
    send(&gate, 0, batch([1]));
    scope(|scope| {
        let blocked = scope.spawn(|| send(&gate, 0, batch([2])));
        gate.wait(Duration::from_millis(20), Admit::Control, false);
        assert!(!blocked.is_finished());
        gate.close();
    });
    send(&gate, 0, batch([3]));
    gate.post(TaskCommand::Drain);
    assert!(matches!(gate.next(), Next::Nothing));
    assert_eq!(gate.queued_rows(), 0);
}

#[test]
fn producers_at_random_speed_lose_nothing_and_stay_within_bounds() {
    for seed in 0..20 {
        let gate = Gate::new(3, LIMITS);
        let ended = AtomicBool::new(false);
        let mut received = vec![Vec::new(); 3];
        scope(|scope| {
            for channel in 0..3 {
                let gate = &gate;
                scope.spawn(move || {
                    let mut random = SmallRng::seed_from_u64(seed * 10 + channel as u64);
                    let mut next = 0;
                    while next < 300 {
                        let end = next + random.random_range(1..12);
                        send(gate, channel, batch(next..end));
                        next = end;
                        if random.random_bool(0.1) {
                            send(gate, channel, barrier(next as u64));
                        }
                    }
                    send(gate, channel, Element::EndOfInput);
                });
            }
            let mut random = SmallRng::seed_from_u64(seed);
            let mut open = 3;
            while open > 0 {
                assert!(gate.queued_rows() <= 3 * (LIMITS.rows + 12), "seed {seed}");
                match take(&gate) {
                    None => gate.wait(Duration::from_millis(100), Admit::All, false),
                    Some((_, Element::EndOfInput)) => open -= 1,
                    Some((channel, Element::Batch(batch))) => {
                        let from = first(&Element::Batch(batch.try_clone().unwrap()));
                        received[channel].extend(from..from + batch.num_rows() as i64);
                    }
                    Some((channel, _)) if random.random_bool(0.3) => {
                        gate.block(channel);
                        gate.unblock_all();
                    }
                    Some(_) => {}
                }
            }
            ended.store(true, Ordering::SeqCst);
        });
        for values in received {
            assert!(values.len() >= 300 && values.iter().copied().eq(0..values.len() as i64), "seed {seed}");
        }
    }
}

fn wide(rows: usize, bytes: usize) -> Element {
    let schema = arrow_type::schema([("v", &TypeKind::STRING.nullable())]);
    let values = arrow::array::StringArray::from_iter_values((0..rows).map(|_| "x".repeat(bytes)));
    let columns = RecordBatch::try_new(schema, vec![Arc::new(values)]).unwrap();
    Element::Batch(ChangeBatch::insert_only(columns).into())
}

#[test]
fn wide_rows_fill_a_channel_by_their_bytes() {
    let gate = Gate::new(
        1,
        Limits { batches: 100, rows: 1_000, bytes: 10_000, gate_bytes: 10_000, batch_bytes: 2_500 },
    );
    let woken = Arc::new(AtomicBool::new(false));
    let told = woken.clone();
    let waker = Waker::new(move || told.store(true, Ordering::SeqCst));
    let offer = |element| gate.offer(0, element, &waker);
    assert_eq!(gate.room(0), 10_000);
    assert!(matches!(offer(wide(1, 6_000)), Offer::Taken));
    assert!((3_900..4_000).contains(&gate.room(0)), "{}", gate.room(0));
    assert!(matches!(offer(wide(2, 3_000)), Offer::Taken), "one more than fits");
    assert_eq!(gate.room(0), 0);
    let Offer::Full(returned) = offer(wide(1, 1)) else { panic!("there was room") };
    assert!(matches!(offer(Element::Watermark(Watermark(1))), Offer::Taken), "only batches wait");
    assert!(!woken.load(Ordering::SeqCst));
    take(&gate).unwrap();
    assert!(!woken.load(Ordering::SeqCst), "more than half is taken still");
    take(&gate).unwrap();
    assert!(woken.swap(false, Ordering::SeqCst));
    assert!(matches!(offer(returned), Offer::Taken));
    assert!(gate.queued_bytes() < 100);

    offer(wide(1, 20_000));
    assert!(matches!(offer(wide(1, 1)), Offer::Full(_)));
    gate.close();
    assert!(woken.load(Ordering::SeqCst), "nobody waits for a receiver that has gone");
    assert!(matches!(offer(wide(1, 1)), Offer::Taken));
}

/// Many channels, each of which holds little, hold no more than the gate may; and whatever is full, the
/// reader gets on.
#[test]
fn all_channels_together_are_bounded() {
    let limits = Limits { batches: 100, rows: 1_000, bytes: 10_000, gate_bytes: 20_000, batch_bytes: 2_500 };
    let gate = Gate::new(100, limits);
    let woken: Vec<_> = (0..100).map(|_| Arc::new(AtomicBool::new(false))).collect();
    let offer = |channel: usize, bytes| {
        let told = woken[channel].clone();
        gate.offer(channel, wide(1, bytes), &Waker::new(move || told.store(true, Ordering::SeqCst)))
    };
    let taken = (0..100).filter(|channel| matches!(offer(*channel, 6_000), Offer::Taken)).count();
    assert_eq!(taken, 4, "of 6 KB each: 20 KB and one more");
    assert!(gate.queued_bytes() < 26_000 && gate.room(50) == 0);
    let is_woken = |channel: usize| woken[channel].swap(false, Ordering::SeqCst);
    take(&gate).unwrap();
    take(&gate).unwrap();
    assert!(!is_woken(50), "more than half is taken still");
    take(&gate).unwrap();
    assert!((4..100).all(is_woken), "all who were turned away");
    // Channel 3 is left. What it holds waits behind a barrier: then others may send, however much it is.
    for channel in 3..5 {
        offer(channel, 9_000);
    }
    assert!(matches!(offer(50, 6_000), Offer::Full(_)));
    gate.block(3);
    assert!(!is_woken(50), "there is something to read");
    gate.block(4);
    assert!(is_woken(50));
    assert!(matches!(offer(50, 6_000), Offer::Taken));
    assert!(matches!(offer(51, 6_000), Offer::Full(_)));
    assert_eq!(take(&gate).unwrap().0, 50);
    assert!(is_woken(51), "nothing is left to read");
    gate.unblock_all();
    while take(&gate).is_some() {}
    assert_eq!(gate.queued_bytes(), 0);
}
