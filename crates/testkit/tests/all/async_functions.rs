//! Asynchronous functions under test: results, retries by the test's clock, the end, failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use flott_datastream::{AsyncOptions, AsyncRetry, DataStream, Error};
use flott_testkit::{Fault, Harness, MiniCluster, TestSink, TestSource};
use parking_lot::Mutex;

/// Completes on another thread.
fn later() -> impl Future<Output = ()> {
    let state = Arc::new(Mutex::new((false, None::<Waker>)));
    let own = state.clone();
    std::thread::spawn(move || {
        std::thread::park_timeout(Duration::from_millis(20));
        let mut state = own.lock();
        state.0 = true;
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    });
    std::future::poll_fn(move |context| {
        let mut state = state.lock();
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(context.waker().clone());
        Poll::Pending
    })
}

const LONG: Duration = Duration::from_secs(3_600);

#[test]
fn results_come_without_a_snapshot() {
    let mut harness = Harness::new(|numbers: DataStream<i64>| {
        numbers.async_map(|n: i64| async move { Ok(vec![n, n * n]) }, AsyncOptions::ordered(LONG))
    });
    // Either at once or a little later.
    let mut results = harness.push(3).unwrap();
    results.extend(harness.wait_for(2 - results.len()).unwrap());
    assert_eq!(results, [3, 9]);
}

#[test]
fn the_end_waits_for_requests_in_flight() {
    let mut harness = Harness::new(|numbers: DataStream<i64>| {
        let request = |n: i64| async move {
            later().await;
            Ok(vec![n + 1])
        };
        numbers.async_map(request, AsyncOptions::unordered(LONG))
    });
    let mut results: Vec<i64> = (0..5).flat_map(|n| harness.push(n).unwrap()).collect();
    results.extend(harness.finish().unwrap());
    results.sort_unstable();
    assert_eq!(results, [1, 2, 3, 4, 5]);
}

#[test]
fn requests_are_made_again_when_the_clock_says_so() {
    let asked = Arc::new(AtomicU32::new(0));
    let own = asked.clone();
    let mut harness = Harness::new(move |numbers: DataStream<i64>| {
        let asked = own.clone();
        let request = move |n: i64| {
            let attempt = asked.fetch_add(1, Ordering::SeqCst);
            async move { if attempt < 2 { Err(Error::external("not yet")) } else { Ok(vec![n]) } }
        };
        let retry = AsyncRetry::fixed_delay(3, Duration::from_secs(60)).if_error(|_| true);
        numbers.async_map_with_retry(request, AsyncOptions::ordered(LONG), retry)
    });
    harness.push(7).unwrap();
    let mut results = Vec::new();
    for _ in 0..1_000 {
        results.extend(harness.advance(Duration::from_secs(60)).unwrap());
        if !results.is_empty() {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    assert_eq!((results, asked.load(Ordering::SeqCst)), (vec![7], 3));
}

#[test]
fn requests_in_flight_are_sent_again_after_a_failure() {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::new(), TestSink::transactional());
    let env = cluster.environment();
    let numbers =
        source.stream(&env).async_map(|n: i64| async move { Ok(vec![n]) }, AsyncOptions::ordered(LONG));
    numbers.name("ask").uid("ask").sink_to(sink.clone());
    let job = env.execute_async("asks").unwrap();
    source.push_all([1, 2]).unwrap();
    cluster.checkpoint(&job).unwrap();
    cluster.fail(Fault::at_record("ask", 1));
    source.push(3).unwrap();
    source.end();
    job.execution_result().unwrap();
    let mut all = sink.take();
    all.sort_unstable();
    assert_eq!((all, job.info().checkpoints.restored), (vec![1, 2, 3], 1));
}
