use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, Records};
use flott_connector::conformance::{SinkUnderTest, check_sink};
use flott_connector::{Prepared, Sink};
use flott_types::clock::ManualClock;
use flott_types::{CheckpointId, Error, JobId, SubtaskIndex};
use parking_lot::Mutex;

use super::*;

/// A service: what it has accepted, by request, and what it will refuse.
#[derive(Clone, Default)]
struct Service(Arc<Mutex<(Requests, Vec<u64>)>>);

type Requests = Vec<Vec<u64>>;
type Answer = std::future::Ready<Result<Vec<u64>>>;

impl Service {
    /// Accepts all but those that it was told to refuse, each once.
    fn refuse(&self, values: impl IntoIterator<Item = u64>) {
        self.0.lock().1.extend(values);
    }

    fn take(&self) -> Requests {
        std::mem::take(&mut self.0.lock().0)
    }

    fn sink(
        &self,
        options: AsyncSinkOptions,
    ) -> AsyncSink<u64, impl Fn(Vec<u64>) -> Answer + Clone + Send + Sync + 'static> {
        let service = self.clone();
        let send = move |values: Vec<u64>| {
            let mut state = service.0.lock();
            let (mut accepted, mut refused) = (Vec::new(), Vec::new());
            for value in values {
                match state.1.iter().position(|refuse| *refuse == value) {
                    Some(at) => {
                        state.1.remove(at);
                        refused.push(value);
                    }
                    None => accepted.push(value),
                }
            }
            state.0.push(accepted);
            std::future::ready(Ok(refused))
        };
        AsyncSink::new(send, options.backoff(Duration::ZERO, Duration::ZERO))
    }
}

fn context(clock: &Arc<ManualClock>) -> SinkContext {
    SinkContext {
        job: JobId(1),
        attempt: 0,
        succession: None,
        subtask: SubtaskIndex(0),
        parallelism: 1,
        restored: None,
        schema: None,
        metrics: Default::default(),
        waker: Default::default(),
        clock: clock.clone(),
    }
}

fn values(values: impl IntoIterator<Item = u64>) -> Batch {
    Records::new(values.into_iter().collect::<Vec<u64>>()).into()
}

fn checkpoint(writer: &mut dyn SinkWriter) -> Result<()> {
    writer.prepare_commit(CheckpointId(1), false).and_then(Prepared::wait).map(|_| ())
}

#[test]
fn values_are_sent_in_batches_and_a_checkpoint_waits_for_them() {
    let (service, clock) = (Service::default(), Arc::new(ManualClock::new(0)));
    let sink = service.sink(AsyncSinkOptions::default().max_batch_size(3));
    let mut writer = sink.writer(context(&clock), Vec::new()).unwrap();
    writer.write(values(0..7)).unwrap();
    checkpoint(&mut *writer).unwrap();
    let mut sent = service.take();
    sent.sort();
    assert_eq!(sent, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    checkpoint(&mut *writer).unwrap();
    assert!(service.take().is_empty(), "nothing is sent twice");
}

#[test]
fn what_was_refused_is_sent_again() {
    let (service, clock) = (Service::default(), Arc::new(ManualClock::new(0)));
    let mut writer = service.sink(AsyncSinkOptions::default()).writer(context(&clock), Vec::new()).unwrap();
    service.refuse([1, 3, 3]);
    writer.write(values(0..5)).unwrap();
    checkpoint(&mut *writer).unwrap();
    assert_eq!(service.take(), [vec![0, 2, 4], vec![1], vec![3]]);
}

#[test]
fn too_many_attempts_fail_the_checkpoint() {
    let (service, clock) = (Service::default(), Arc::new(ManualClock::new(0)));
    let options = AsyncSinkOptions::default().max_attempts(3);
    let mut writer = service.sink(options).writer(context(&clock), Vec::new()).unwrap();
    service.refuse([1; 3]);
    writer.write(values([1])).unwrap();
    let error = checkpoint(&mut *writer).unwrap_err();
    assert!(error.to_string().contains("1 values were sent 3 times"), "{error}");
}

#[test]
fn an_error_of_the_function_fails_the_task() {
    let clock = Arc::new(ManualClock::new(0));
    let send = |_: Vec<u64>| std::future::ready(Err(Error::external("the service is gone")));
    let options = AsyncSinkOptions::default().max_batch_size(1);
    let mut writer = AsyncSink::new(send, options).writer(context(&clock), Vec::new()).unwrap();
    writer.write(values([1])).unwrap();
    let error = checkpoint(&mut *writer).unwrap_err();
    assert!(error.to_string().contains("the service is gone"), "{error}");
}

#[test]
fn an_incomplete_batch_is_sent_after_its_time() {
    let (service, clock) = (Service::default(), Arc::new(ManualClock::new(1_000)));
    let options = AsyncSinkOptions::default().max_time_in_buffer(Duration::from_secs(2));
    let mut writer = service.sink(options).writer(context(&clock), Vec::new()).unwrap();
    assert_eq!(writer.next_time(), None);
    writer.write(values([1, 2])).unwrap();
    assert_eq!(writer.next_time(), Some(3_000));
    clock.advance(1_999);
    writer.on_time(2_999).unwrap();
    assert_eq!(writer.next_time(), Some(3_000), "it still waits");
    clock.advance(1);
    writer.on_time(3_000).unwrap();
    assert_eq!(writer.next_time(), None);
    checkpoint(&mut *writer).unwrap();
    assert_eq!(service.take(), [vec![1, 2]]);
}

/// While the service does not answer, no more requests than allowed are sent, and the sink is full at last.
#[test]
fn what_is_under_way_has_a_bound() {
    let clock = Arc::new(ManualClock::new(0));
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let sent = Arc::new(Mutex::new(0));
    let (own_gate, own_sent) = (gate.clone(), sent.clone());
    let send = move |_: Vec<u64>| {
        *own_sent.lock() += 1;
        let gate = own_gate.clone();
        async move {
            gate.acquire().await.map_err(|error| Error::internal("the gate").with_source(error))?.forget();
            Ok(Vec::new())
        }
    };
    let options =
        AsyncSinkOptions::default().max_batch_size(2).max_in_flight_requests(3).max_buffered_values(4);
    let mut writer = AsyncSink::new(send, options).writer(context(&clock), Vec::new()).unwrap();
    writer.write(values(0..9)).unwrap();
    assert!(!writer.is_full(), "six are on their way and three wait");
    writer.write(values(9..10)).unwrap();
    assert!(writer.is_full() && writer.next_time().is_none());
    let checkpoint = writer.prepare_commit(CheckpointId(1), false).unwrap();
    assert!(*sent.lock() <= 3);
    gate.add_permits(5);
    checkpoint.wait().unwrap();
    assert_eq!(*sent.lock(), 5);
    assert!(!writer.is_full());
}

#[test]
fn options_that_cannot_work_are_refused() {
    let service = Service::default();
    let error = |options| service.sink(options).check().unwrap_err().to_string();
    assert!(error(AsyncSinkOptions::default().max_batch_size(0)).contains("batch size"));
    assert!(error(AsyncSinkOptions::default().max_buffered_values(10)).contains("one batch"));
    service.sink(AsyncSinkOptions::default()).check().unwrap();
    let options = AsyncSinkOptions::default().backoff(Duration::from_millis(100), Duration::from_secs(1));
    let delays: Vec<u128> = (1..6).map(|attempts| options.delay(attempts).as_millis()).collect();
    assert_eq!(delays, [100, 200, 400, 800, 1_000]);
    assert_eq!(options.delay(1_000), Duration::from_secs(1));
}

impl SinkUnderTest for Service {
    fn sink(&self) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(Service::sink(self, AsyncSinkOptions::default().max_batch_size(1))))
    }

    fn batch(&self, number: usize) -> Batch {
        values([2 * number as u64, 2 * number as u64 + 1])
    }

    fn rows(&self, number: usize) -> Vec<String> {
        [2 * number, 2 * number + 1].map(|value| value.to_string()).to_vec()
    }

    fn visible(&self) -> Result<Vec<String>> {
        Ok(self.0.lock().0.iter().flatten().map(u64::to_string).collect())
    }
}

#[test]
fn the_sink_holds_the_rules() {
    check_sink(&|| Box::new(Service::default())).unwrap();
}
