//! Channels through bytes: order, credit, slow receivers, receivers that leave.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test must not meet ends it")]

use std::sync::Arc;
use std::time::Duration;

use flott_batch::codec::RecordsReader;
use flott_batch::{Batch, Records};
use flott_checkpoint::{Attempt, TaskId};
use flott_runtime::connect::{InputChannel, Sender, SenderContext};
use flott_runtime::gate::overtaking::Admit;
use flott_runtime::gate::{CancelFlag, Element, Gate, Limits, Next};
use flott_runtime::piped::PipedExchanges;
use flott_runtime::{ChannelKey, Exchanges, TaskMetrics, Threads};
use flott_types::{JobId, SubtaskIndex, SystemClock, VertexId, Watermark};

const LIMITS: Limits =
    Limits { batches: 4, rows: 10_000, bytes: 1 << 20, gate_bytes: 1 << 22, batch_bytes: 1 << 20 };

fn task(vertex: u32, subtask: u32) -> TaskId {
    TaskId { vertex: VertexId(vertex), subtask: SubtaskIndex(subtask) }
}

fn key(from: u32) -> ChannelKey {
    ChannelKey { job: JobId(1), attempt: Attempt(1), edge: 0, from: task(0, from), to: task(1, 0) }
}

struct World {
    exchanges: PipedExchanges,
    gate: Arc<Gate>,
    threads: Threads,
    cancel: Arc<CancelFlag>,
}

impl World {
    fn new(channels: u32, credit: usize, records: Option<RecordsReader>) -> Self {
        let threads = Threads::default();
        let exchanges = PipedExchanges::new(credit, threads.clone());
        let gate = Arc::new(Gate::new(channels as usize, LIMITS));
        let ends: Vec<_> = (0..channels).map(|from| InputChannel { key: key(from), records }).collect();
        exchanges.register(&ends, &gate).unwrap();
        World { exchanges, gate, threads, cancel: Arc::default() }
    }

    fn sender(&self, from: u32) -> Box<dyn Sender> {
        let clock = Arc::new(SystemClock::new());
        let metrics = Arc::new(TaskMetrics::new(&*clock));
        let context = SenderContext { cancel: self.cancel.clone(), metrics, clock, overtakes: false };
        self.exchanges.connect(key(from), &context).unwrap()
    }

    fn leave(&self) {
        self.gate.close();
        self.exchanges.unregister(JobId(1), Attempt(1), task(1, 0));
    }

    /// The next element that is there within a long time.
    fn next(&self) -> (usize, Element) {
        loop {
            match self.gate.next() {
                Next::Element { channel, element } => return (channel, element),
                Next::Nothing => self.gate.wait(Duration::from_millis(20), Admit::All, false),
                other @ (Next::Command(_) | Next::Arrived { .. }) => panic!("{other:?}"),
            }
        }
    }
}

fn batch(from: u64, count: u64) -> Element {
    Element::Batch(Records::new((from..from + count).collect::<Vec<u64>>()).into())
}

fn numbers(batch: Batch) -> Vec<u64> {
    batch.into_records::<u64>().unwrap().values
}

#[test]
fn elements_come_in_order_through_a_credit_of_one_byte() {
    let world = World::new(3, 1, Some(RecordsReader::of::<u64>()));
    std::thread::scope(|scope| {
        for from in 0..3 {
            let mut sender = world.sender(from);
            scope.spawn(move || {
                for at in 0..200 {
                    sender.send(batch(at * 10, 10)).unwrap();
                    if at % 7 == 0 {
                        sender.send(Element::Watermark(Watermark(at as i64))).unwrap();
                    }
                }
                sender.send(Element::EndOfInput).unwrap();
            });
        }
        let (mut read, mut ended) = ([0; 3], 0);
        while ended < 3 {
            match world.next() {
                (channel, Element::Batch(batch)) => {
                    assert_eq!(numbers(batch), (read[channel]..read[channel] + 10).collect::<Vec<_>>());
                    read[channel] += 10;
                }
                (channel, Element::Watermark(Watermark(at))) => {
                    assert_eq!(at as u64 * 10 + 10, read[channel], "after the rows before it")
                }
                (channel, Element::EndOfInput) => {
                    assert_eq!(read[channel], 2_000);
                    ended += 1;
                }
                (_, other) => panic!("{other:?}"),
            }
        }
    });
    world.leave();
    assert!(world.threads.wait_until(0, Duration::from_secs(10)), "without receivers there is no thread");
}

#[test]
fn a_channel_that_is_not_read_holds_back_its_sender_and_no_other() {
    let world = World::new(2, 1_000, Some(RecordsReader::of::<u64>()));
    world.gate.block(0);
    let mut held = world.sender(0);
    std::thread::scope(|scope| {
        let sending = scope.spawn(move || {
            (0..1_000).try_for_each(|at| held.send(batch(at, 100))).map_err(|error| error.to_string())
        });
        let mut free = world.sender(1);
        scope.spawn(move || (0..200).for_each(|at| free.send(batch(at, 1)).unwrap()));
        for at in 0..200 {
            let (channel, element) = world.next();
            let Element::Batch(batch) = element else { panic!("{element:?}") };
            assert_eq!((channel, numbers(batch)), (1, vec![at]));
        }
        assert!(!sending.is_finished(), "its channel is full");
        // What a gate and a pipe hold, and one batch more each.
        assert!(world.gate.queued_rows() <= 500, "{}", world.gate.queued_rows());
        world.cancel.set();
        assert!(sending.join().unwrap().is_err(), "who is cancelled waits no longer");
    });
    world.leave();
    assert!(world.threads.wait_until(0, Duration::from_secs(10)));
}

#[test]
fn nobody_waits_for_a_receiver_that_has_left() {
    let world = World::new(1, 1, Some(RecordsReader::of::<u64>()));
    let mut sender = world.sender(0);
    std::thread::scope(|scope| {
        let sending = scope.spawn(move || (0..1_000).try_for_each(|at| sender.send(batch(at, 100))).is_ok());
        world.next();
        world.leave();
        assert!(sending.join().unwrap());
    });
    assert!(world.threads.wait_until(0, Duration::from_secs(10)));
}

#[test]
fn what_cannot_be_read_breaks_the_channel_and_says_why() {
    for (records, expected) in
        [(Some(RecordsReader::of::<String>()), "alloc::string::String"), (None, "their type is not known")]
    {
        let world = World::new(1, 1, records);
        let mut sender = world.sender(0);
        (0..50).for_each(|at| sender.send(batch(at, 3)).unwrap());
        let (_, element) = world.next();
        let Element::Broken(why) = element else { panic!("{element:?}") };
        assert!(why.contains(expected), "{why}");
        world.leave();
    }
}
