//! Asynchronous functions, request by request: each is answered when the test says so, by the test's clock.

use std::sync::Arc;
use std::time::Duration;

use flott_operator::Backlog;
use flott_types::{Error, Result};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::*;
use crate::testing::{Harness, Stored, options};
use flott_function::async_function::AsyncFunction;

const SECOND: Duration = Duration::from_secs(1);

type Answer = Result<Vec<String>>;

type Asked = (u8, oneshot::Sender<Answer>);

/// Requests, answered by hand.
#[derive(Clone, Default)]
struct Service(Arc<(Mutex<Vec<Asked>>, Condvar)>);

impl AsyncFunction<u8> for Service {
    type Out = String;

    async fn invoke(&self, input: u8) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.0.0.lock().push((input, answer));
        self.0.1.notify_all();
        answered.await.unwrap_or_else(|_| panic!("nobody answers {input}"))
    }
}

impl Service {
    /// Waits for the request for a record.
    fn request(&self, input: u8) -> oneshot::Sender<Answer> {
        let mut requests = self.0.0.lock();
        loop {
            if let Some(at) = requests.iter().position(|(asked, _)| *asked == input) {
                return requests.remove(at).1;
            }
            let timeout = Duration::from_secs(30);
            assert!(!self.0.1.wait_for(&mut requests, timeout).timed_out(), "no request for {input}");
        }
    }

    fn answer(&self, input: u8) {
        self.request(input).send(Ok(vec![format!("r{input}")])).unwrap();
    }

    fn fail(&self, input: u8) {
        self.request(input).send(Err(Error::external(format!("no {input}")))).unwrap();
    }

    fn open(&self) -> usize {
        self.0.0.lock().len()
    }
}

fn start<F: AsyncFunction<u8, Out = String>>(
    function: F,
    options: AsyncOptions,
    retry: Option<AsyncRetry<String>>,
) -> Harness {
    restored(function, options, retry, &Stored::default())
}

fn restored<F: AsyncFunction<u8, Out = String>>(
    function: F,
    options: AsyncOptions,
    retry: Option<AsyncRetry<String>>,
    stored: &Stored,
) -> Harness {
    let operator = AsyncWait::new(function, options, retry, self::options());
    Harness::restored::<String>(operator, stored, 0, 1)
}

#[test]
fn in_order_a_result_waits_for_those_before_it() {
    let service = Service::default();
    let mut task = start(service.clone(), AsyncOptions::ordered(SECOND), None);
    assert!(task.push(0, [1u8, 2, 3]).is_empty());
    service.answer(3);
    assert!(task.wait_woken().unwrap().is_empty());
    service.answer(1);
    assert_eq!(task.wait_woken().unwrap(), ["\"r1\""]);
    assert!(task.watermark(10).is_empty());
    service.answer(2);
    assert_eq!(task.wait_woken().unwrap(), ["\"r2\"", "\"r3\"", "W10"]);
    assert_eq!(task.backlog(), Backlog::None);
    assert_eq!(task.watermark(20), ["W20"]);
}

#[test]
fn without_order_results_pass_each_other_but_no_watermark() {
    let service = Service::default();
    let mut task = start(service.clone(), AsyncOptions::unordered(SECOND), None);
    task.push(0, [1u8, 2]);
    assert!(task.watermark(10).is_empty());
    task.push(0, [3u8]);
    service.answer(3);
    assert!(task.wait_woken().unwrap().is_empty());
    service.answer(2);
    assert_eq!(task.wait_woken().unwrap(), ["\"r2\""]);
    service.answer(1);
    assert_eq!(task.wait_woken().unwrap(), ["\"r1\"", "W10", "\"r3\""]);
}

#[test]
fn results_have_the_timestamps_of_their_records() {
    let service = Service::default();
    let mut task = start(service.clone(), AsyncOptions::ordered(SECOND), None);
    task.push_keyed(0, |value: &u8| *value, [(7u8, 70)]).unwrap();
    service.request(7).send(Ok(vec!["a".to_owned(), "b".to_owned()])).unwrap();
    assert_eq!(task.wait_woken().unwrap(), ["\"a\"@70", "\"b\"@70"]);
}

#[test]
fn no_more_requests_are_in_flight_than_the_capacity() {
    let service = Service::default();
    let mut task = start(service.clone(), AsyncOptions::ordered(SECOND).capacity(2), None);
    task.push(0, [1u8, 2, 3, 4]);
    assert_eq!(task.backlog(), Backlog::Full);
    let (first, second) = (service.request(1), service.request(2));
    assert_eq!(service.open(), 0);
    // Done, but not emitted: no room yet.
    second.send(Ok(vec![])).unwrap();
    task.wait_woken().unwrap();
    assert_eq!((service.open(), task.backlog()), (0, Backlog::Full));
    first.send(Ok(vec![])).unwrap();
    task.wait_woken().unwrap();
    assert_eq!(task.backlog(), Backlog::Open);
    service.answer(3);
    service.answer(4);
    let mut out = task.wait_woken().unwrap();
    if out.len() < 2 {
        out.extend(task.wait_woken().unwrap());
    }
    assert_eq!((out, task.backlog()), (vec!["\"r3\"".to_owned(), "\"r4\"".to_owned()], Backlog::None));
    assert!(task.finish().is_empty());
}

#[test]
fn a_request_that_fails_fails_the_task() {
    let service = Service::default();
    let mut task = start(service.clone(), AsyncOptions::unordered(SECOND), None);
    task.push(0, [1u8]);
    service.fail(1);
    assert_eq!(task.wait_woken().unwrap_err().to_string(), "no 1");
}

#[test]
fn a_panic_fails_the_task_and_says_what_it_said() {
    let service = Service::default();
    let mut task = start(service.clone(), AsyncOptions::unordered(SECOND), None);
    task.push(0, [1u8]);
    drop(service.request(1));
    let error = task.wait_woken().unwrap_err().to_string();
    assert_eq!(error, "the asynchronous function panicked: nobody answers 1");
}

#[test]
fn a_request_that_takes_too_long_fails_the_task() {
    let mut task = start(Service::default(), AsyncOptions::unordered(SECOND), None);
    task.push(0, [1u8]);
    assert!(task.clock(999).unwrap().is_empty());
    let error = task.clock(1_000).unwrap_err().to_string();
    assert!(error.starts_with("an asynchronous request has timed out"), "{error}");
}

/// Has a value for timeouts.
#[derive(Clone)]
struct Patient(Service);

impl AsyncFunction<u8> for Patient {
    type Out = String;

    async fn invoke(&self, input: u8) -> Answer {
        self.0.invoke(input).await
    }

    fn timeout(&self, input: u8) -> Answer {
        Ok(vec![format!("late {input}")])
    }
}

#[test]
fn a_function_says_what_follows_from_a_timeout() {
    let service = Service::default();
    let mut task = start(Patient(service.clone()), AsyncOptions::ordered(SECOND), None);
    task.push(0, [1u8]);
    task.set_clock(500);
    task.push(0, [2u8]);
    let late = service.request(1);
    assert_eq!(task.clock(1_000).unwrap(), ["\"late 1\""]);
    // Its future is gone, or its answer no longer counts.
    let _ = late.send(Ok(vec!["r1".to_owned()]));
    service.answer(2);
    let mut out = Vec::new();
    while out.is_empty() {
        out = task.wait_woken().unwrap();
    }
    assert_eq!(out, ["\"r2\""]);
}

#[test]
fn without_a_limit_nothing_times_out() {
    let service = Service::default();
    let mut task = start(service.clone(), AsyncOptions::ordered(Duration::ZERO), None);
    task.push(0, [1u8]);
    assert!(task.clock(i64::MAX / 2).unwrap().is_empty());
    service.answer(1);
    assert_eq!(task.wait_woken().unwrap(), ["\"r1\""]);
}

#[test]
fn a_failed_request_is_made_again_after_a_pause_until_it_is_enough() {
    let service = Service::default();
    let retry = AsyncRetry::fixed_delay(2, Duration::from_millis(100));
    let mut task = start(service.clone(), AsyncOptions::ordered(10 * SECOND), Some(retry));
    task.push(0, [1u8]);
    for attempt in 1..=2 {
        service.fail(1);
        assert!(task.wait_woken().unwrap().is_empty());
        task.clock(attempt * 100 - 1).unwrap();
        assert_eq!(service.open(), 0);
        task.clock(attempt * 100).unwrap();
    }
    service.fail(1);
    assert_eq!(task.wait_woken().unwrap_err().to_string(), "no 1");
}

#[test]
fn a_result_that_is_not_good_enough_is_asked_for_again() {
    let service = Service::default();
    let retry = AsyncRetry::fixed_delay(1, Duration::from_millis(100)).if_result(|found| found.is_empty());
    let mut task = start(service.clone(), AsyncOptions::ordered(10 * SECOND), Some(retry));
    task.push(0, [1u8]);
    service.request(1).send(Ok(vec![])).unwrap();
    assert!(task.wait_woken().unwrap().is_empty());
    assert_eq!(task.backlog(), Backlog::Open);
    task.clock(100).unwrap();
    // The last one is taken as it is.
    service.request(1).send(Ok(vec![])).unwrap();
    assert!(task.wait_woken().unwrap().is_empty());
    assert_eq!(task.backlog(), Backlog::None);
}

#[test]
fn the_time_limit_is_for_all_attempts_together() {
    let service = Service::default();
    let retry = AsyncRetry::fixed_delay(100, Duration::from_millis(600));
    let mut task = start(Patient(service.clone()), AsyncOptions::ordered(SECOND), Some(retry));
    task.push(0, [1u8]);
    service.fail(1);
    task.wait_woken().unwrap();
    task.clock(600).unwrap();
    let _under_way = service.request(1);
    assert_eq!(task.clock(1_000).unwrap(), ["\"late 1\""]);
}

#[test]
fn requests_in_flight_are_sent_again_after_a_restore_before_anything_else() {
    let service = Service::default();
    let options = AsyncOptions::ordered(SECOND).capacity(3);
    let mut task = start(service.clone(), options.clone(), None);
    task.push_keyed(0, |value: &u8| *value, [(1u8, 10), (2, 20), (3, 30), (4, 40)]).unwrap();
    service.answer(2);
    assert!(task.wait_woken().unwrap().is_empty());
    service.answer(1);
    assert_eq!(task.wait_woken().unwrap(), ["\"r1\"@10", "\"r2\"@20"]);
    // Done before the barrier: emitted before it, and not requested again.
    task.push_keyed(0, |value: &u8| *value, [(5u8, 50)]).unwrap();
    service.answer(3);
    let mut stored = Stored::default();
    let mut before = task.wait_woken().unwrap();
    before.extend(task.snapshot(&mut stored));
    assert_eq!(before, ["\"r3\"@30"]);
    assert_eq!(stored.list("requests").len(), 2);
    task.close();

    let again = Service::default();
    let mut task = restored(again.clone(), options, None, &stored);
    task.push_keyed(0, |value: &u8| *value, [(6u8, 60), (7, 70)]).unwrap();
    assert_eq!(task.backlog(), Backlog::Full);
    let mut out = Vec::new();
    for input in 4..=7 {
        again.answer(input);
        out.extend(task.wait_woken().unwrap());
    }
    assert_eq!(out, ["\"r4\"@40", "\"r5\"@50", "\"r6\"@60", "\"r7\"@70"]);
}

#[test]
fn futures_are_dropped_when_the_operator_is_closed() {
    let service = Service::default();
    let mut task = start(service.clone(), AsyncOptions::ordered(SECOND), None);
    task.push(0, [1u8]);
    let mut request = service.request(1);
    task.close();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let dropped = async { tokio::time::timeout(30 * SECOND, request.closed()).await };
    assert!(runtime.block_on(dropped).is_ok(), "the future of a closed operator goes on");
}

#[test]
fn futures_run_where_the_program_says() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("my own").build().unwrap();
    let here = |_: u8| async move { Ok(vec![std::thread::current().name().unwrap_or_default().to_owned()]) };
    let options = AsyncOptions::ordered(SECOND).runtime(runtime.handle().clone());
    let mut task = start(here, options, None);
    task.push(0, [1u8]);
    assert_eq!(task.wait_woken().unwrap(), ["\"my own\""]);
    runtime.shutdown_background();
    task.push(0, [2u8]);
    let error = task.wait_woken().unwrap_err().to_string();
    assert_eq!(error, "the runtime of the asynchronous function was shut down during a request");
}
