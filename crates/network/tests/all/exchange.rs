//! Two TaskManagers' exchanges in one process, with a connection between them.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::Duration;

use flott_batch::Records;
use flott_batch::codec::RecordsReader;
use flott_checkpoint::resources::TaskManagerId;
use flott_checkpoint::{Attempt, Barrier, CheckpointKind, TaskId};
use flott_network::exchange::{Compression, ExchangeOptions, NetworkExchanges};
use flott_network::tls::Tls;
use flott_runtime::connect::{Exchanges, Home, InputChannel, Sender, SenderContext};
use flott_runtime::gate::overtaking::{Admit, Arrival};
use flott_runtime::gate::{CancelFlag, Element, Gate, Limits, Next};
use flott_runtime::{ChannelKey, TaskMetrics};
use flott_types::{CheckpointId, JobId, Result, SubtaskIndex, SystemClock, VertexId, Waker, Watermark};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

const JOB: JobId = JobId(7);
const ATTEMPT: Attempt = Attempt(1);
const LONG: Duration = Duration::from_secs(60);
const LIMITS: Limits =
    Limits { batches: 4, rows: 1 << 20, bytes: 64 * 1024, gate_bytes: 1 << 20, batch_bytes: 64 * 1024 };

/// A TaskManager, as far as its channels are concerned.
struct Node {
    id: TaskManagerId,
    exchanges: Arc<NetworkExchanges>,
    address: String,
    runtime: Option<Runtime>,
}

impl Node {
    fn new(id: u32, compression: Compression) -> Self {
        Node::with_tls(id, compression, None)
    }

    fn with_tls(id: u32, compression: Compression, tls: Option<Arc<Tls>>) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let options =
            ExchangeOptions { compression, alive_every: Duration::from_secs(1), silent_for: LONG, tls };
        let id = TaskManagerId(id);
        let exchanges = NetworkExchanges::start(id, options, listener, runtime.handle().clone());
        Node { id, exchanges, address, runtime: Some(runtime) }
    }

    fn home(&self, vertex: u32, subtasks: u32) -> Home {
        let tasks = (0..subtasks).map(|subtask| task(vertex, subtask)).collect();
        Home { task_manager: self.id, address: Some(self.address.clone()), tasks }
    }
}

impl Drop for Node {
    /// As when the process ends: its connections are gone.
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

fn task(vertex: u32, subtask: u32) -> TaskId {
    TaskId { vertex: VertexId(vertex), subtask: SubtaskIndex(subtask) }
}

/// From the sender of vertex 0 to this subtask of vertex 1.
fn key(subtask: u32) -> ChannelKey {
    ChannelKey { job: JOB, attempt: ATTEMPT, edge: 0, from: task(0, 0), to: task(1, subtask) }
}

/// One sender on `a`, receivers on `b`.
fn place(a: &Node, b: &Node, receivers: u32) {
    let homes = [a.home(0, 1), b.home(1, receivers)];
    a.exchanges.place(JOB, ATTEMPT, &homes);
    b.exchanges.place(JOB, ATTEMPT, &homes);
}

fn register(node: &Node, subtask: u32) -> Arc<Gate> {
    register_gate(node, subtask, Gate::new(1, LIMITS))
}

fn register_gate(node: &Node, subtask: u32, gate: Gate) -> Arc<Gate> {
    let gate = Arc::new(gate);
    let channel = InputChannel { key: key(subtask), records: Some(RecordsReader::of::<String>()) };
    node.exchanges.register(&[channel], &gate).unwrap();
    gate
}

fn context() -> SenderContext {
    let clock = Arc::new(SystemClock::new());
    SenderContext {
        cancel: Arc::default(),
        metrics: Arc::new(TaskMetrics::new(&*clock)),
        clock,
        overtakes: false,
    }
}

fn connect(node: &Node, subtask: u32) -> Box<dyn Sender> {
    node.exchanges.connect(key(subtask), &context()).unwrap()
}

fn batch(number: usize) -> Element {
    Element::Batch(Records::new(vec![format!("{number:06}").repeat(1_000)]).into())
}

fn next(gate: &Gate) -> Element {
    let started = SystemClock::new();
    loop {
        match gate.next() {
            Next::Element { element, .. } => return element,
            Next::Nothing => gate.wait(Duration::from_millis(100), Admit::All, false),
            other @ (Next::Command(_) | Next::Arrived { .. }) => panic!("{other:?}"),
        }
        assert!(Duration::from_nanos(flott_types::Clock::nanos(&started)) < LONG, "nothing comes");
    }
}

fn number(element: Element) -> usize {
    let Element::Batch(batch) = element else { panic!("{element:?}") };
    batch.into_records::<String>().unwrap().values[0][..6].parse().unwrap()
}

#[test]
fn elements_cross_in_order_whoever_is_there_first() {
    for (compression, receiver_first) in
        [(Compression::None, true), (Compression::Lz4, false), (Compression::Zstd, true)]
    {
        let (a, b) = (Node::new(1, compression), Node::new(2, compression));
        place(&a, &b, 1);
        let mut gate = receiver_first.then(|| register(&b, 0));
        let exchanges = a.exchanges.clone();
        let sending = spawn(move || -> Result<()> {
            let mut sender = exchanges.connect(key(0), &context())?;
            sender.send(Element::Begin)?;
            for at in 0..300 {
                sender.send(batch(at))?;
                sender.send(Element::Watermark(Watermark(at as i64)))?;
            }
            sender.send(Element::EndOfInput)
        });
        let gate = gate.take().unwrap_or_else(|| register(&b, 0));
        assert!(matches!(next(&gate), Element::Begin));
        for at in 0..300 {
            assert_eq!(number(next(&gate)), at);
            assert!(matches!(next(&gate), Element::Watermark(Watermark(time)) if time == at as i64));
        }
        assert!(matches!(next(&gate), Element::EndOfInput));
        sending.join().unwrap().unwrap();
    }
}

#[test]
fn a_channel_that_nobody_reads_holds_up_no_other() {
    let (a, b) = (Node::new(1, Compression::None), Node::new(2, Compression::None));
    place(&a, &b, 2);
    let (idle, busy) = (register(&b, 0), register(&b, 1));
    let (mut first, mut second) = (connect(&a, 0), connect(&a, 1));
    let (sent, told) = channel();
    let sending = spawn(move || {
        for at in 0..500 {
            first.send(batch(at)).unwrap();
            sent.send(at).unwrap();
        }
    });
    // Sooner or later it waits: what is under way is bounded.
    let mut blocked = 0;
    loop {
        match told.recv_timeout(Duration::from_millis(500)) {
            Ok(at) => blocked = at,
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => panic!("all was sent to a task that reads nothing"),
        }
    }
    let other = spawn(move || (0..500).for_each(|at| second.send(batch(at)).unwrap()));
    (0..500).for_each(|at| assert_eq!(number(next(&busy)), at));
    other.join().unwrap();
    assert!(blocked < 100, "{blocked} batches of 6 kB are under way");
    (0..500).for_each(|at| assert_eq!(number(next(&idle)), at));
    sending.join().unwrap();
}

#[test]
fn a_barrier_overtakes_what_waits_before_a_full_gate() {
    let (a, b) = (Node::new(1, Compression::None), Node::new(2, Compression::None));
    place(&a, &b, 1);
    let gate = register_gate(&b, 0, Gate::new(1, LIMITS).with_overtaking(true));
    let overtaking = SenderContext { overtakes: true, ..context() };
    let mut sender = a.exchanges.connect(key(0), &overtaking).unwrap();
    let mut sent = 0;
    while sender.has_room(&Waker::new(|| {})).unwrap() {
        sender.send(batch(sent)).unwrap();
        sent += 1;
    }
    // What precedes the barrier does not wait for credit.
    sender.force(batch(sent)).unwrap();
    let (checkpoint, kind) = (CheckpointId(3), CheckpointKind::Checkpoint);
    let barrier = Barrier { checkpoint, created_at: 0, kind, overtakes_after: Some(0) };
    sender.send(Element::Barrier(barrier, None)).unwrap();
    let started = SystemClock::new();
    let arrived = loop {
        match gate.next_if(Admit::Nothing) {
            Next::Arrived { arrival: Arrival::Barrier(barrier, _), .. } => break barrier,
            Next::Nothing => gate.wait(Duration::from_millis(100), Admit::Nothing, false),
            other => panic!("{other:?}"),
        }
        assert!(Duration::from_nanos(flott_types::Clock::nanos(&started)) < LONG, "it does not arrive");
    };
    assert_eq!(arrived, barrier);
    gate.keep(checkpoint, &[0]);
    let kept: Vec<usize> = gate
        .take_kept(checkpoint)
        .unwrap()
        .unwrap()
        .into_iter()
        .map(|(_, element)| number(element))
        .collect();
    assert_eq!(kept, (0..=sent).collect::<Vec<_>>());
    (0..=sent).for_each(|at| assert_eq!(number(next(&gate)), at));
}

#[test]
fn a_task_that_has_ended_takes_everything_and_holds_nobody_up() {
    let (a, b) = (Node::new(1, Compression::None), Node::new(2, Compression::None));
    place(&a, &b, 1);
    let gate = register(&b, 0);
    let mut sender = connect(&a, 0);
    let sending = spawn(move || (0..500).for_each(|at| sender.send(batch(at)).unwrap()));
    assert_eq!(number(next(&gate)), 0);
    gate.close();
    b.exchanges.unregister(JOB, ATTEMPT, task(1, 0));
    sending.join().unwrap();
}

#[test]
fn who_waits_is_cancelled() {
    let (a, b) = (Node::new(1, Compression::None), Node::new(2, Compression::None));
    place(&a, &b, 2);
    // Nobody ever reads the one, and nobody ever registers the other.
    let _gate = register(&b, 0);
    for subtask in [0, 1] {
        let (exchanges, context) = (a.exchanges.clone(), context());
        let cancel: Arc<CancelFlag> = context.cancel.clone();
        let sending = spawn(move || -> Result<()> {
            let mut sender = exchanges.connect(key(subtask), &context)?;
            loop {
                sender.send(batch(0))?;
            }
        });
        cancel.set();
        assert_eq!(sending.join().unwrap().unwrap_err().kind(), flott_types::ErrorKind::Cancelled);
    }
}

#[test]
fn connections_are_encrypted_and_strangers_are_refused() {
    let (one, other) = (crate::tls::of("broker"), crate::tls::of("client"));
    let a = Node::with_tls(1, Compression::Lz4, Some(one));
    let b = Node::with_tls(2, Compression::Lz4, Some(other));
    place(&a, &b, 1);
    let gate = register(&b, 0);
    let mut sender = connect(&a, 0);
    let sending = spawn(move || (0..20).for_each(|at| sender.send(batch(at)).unwrap()));
    (0..20).for_each(|at| assert_eq!(number(next(&gate)), at));
    sending.join().unwrap();
    // One without a certificate, and one whose certificate nobody knows.
    for stranger in [None, Some(crate::tls::stranger())] {
        let stranger = Node::with_tls(1, Compression::None, stranger);
        place(&stranger, &b, 1);
        let refused = stranger.exchanges.connect(key(0), &context()).map(|_| ()).unwrap_err();
        assert!(refused.to_string().contains("TaskManager 2"), "{refused}");
    }
}

#[test]
fn both_ends_fail_when_the_other_process_is_gone() {
    let (a, b) = (Node::new(1, Compression::None), Node::new(2, Compression::None));
    place(&a, &b, 1);
    let gate = register(&b, 0);
    let mut sender = connect(&a, 0);
    sender.send(batch(0)).unwrap();
    assert_eq!(number(next(&gate)), 0);
    drop(a);
    let Element::Broken(why) = next(&gate) else { panic!("the connection is gone") };
    assert!(why.contains("TaskManager 1"), "{why}");

    let (a, b) = (Node::new(1, Compression::None), Node::new(2, Compression::None));
    place(&a, &b, 1);
    let _gate = register(&b, 0);
    let mut sender = connect(&a, 0);
    drop(b);
    let failed = (0..1_000_000).find_map(|at| sender.send(batch(at)).err());
    let told = failed.unwrap().to_string();
    assert!(told.contains("TaskManager 2"), "{told}");
    let refused = a.exchanges.connect(key(0), &context()).map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("TaskManager 2"), "{refused}");
}
