//! Whole jobs that ask systems outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use flott_datastream::*;

const LONG: Duration = Duration::from_secs(60);

fn environment(parallelism: u32) -> StreamExecutionEnvironment {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(parallelism);
    env
}

/// Answers after a time that differs from record to record.
async fn slowly(number: i64) -> Result<Vec<i64>> {
    tokio::time::sleep(Duration::from_micros((number * 7_919 % 13) as u64 * 300)).await;
    Ok(vec![number * 10])
}

fn collected(stream: &DataStream<i64>) -> Vec<i64> {
    stream.execute_and_collect("test").unwrap().collect::<Result<_>>().unwrap()
}

#[test]
fn results_come_in_the_order_of_records_if_asked_for() {
    let env = environment(1);
    let results = env.from_sequence(1, 2_000).async_map(slowly, AsyncOptions::ordered(LONG).capacity(32));
    assert_eq!(collected(&results), (1..=2_000).map(|n| n * 10).collect::<Vec<_>>());
}

#[test]
fn without_order_all_results_come() {
    let env = environment(2);
    let results = env.from_sequence(1, 2_000).async_map(slowly, AsyncOptions::unordered(LONG).capacity(32));
    let mut results = collected(&results);
    results.sort_unstable();
    assert_eq!(results, (1..=2_000).map(|n| n * 10).collect::<Vec<_>>());
}

#[test]
fn exactly_the_capacity_of_requests_is_in_flight() {
    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let env = environment(1);
    let request = |number: i64| async move {
        MOST.fetch_max(UNDER_WAY.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // Nobody is done before all that may be there are there.
        while MOST.load(Ordering::SeqCst) < 7 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        Ok(vec![number])
    };
    let results = env.from_sequence(1, 200).async_map(request, AsyncOptions::unordered(LONG).capacity(7));
    assert_eq!((collected(&results).len(), MOST.load(Ordering::SeqCst)), (200, 7));
}

#[test]
fn a_capacity_of_nothing_is_refused() {
    let env = environment(1);
    let results = env.from_sequence(1, 2).async_map(slowly, AsyncOptions::unordered(LONG).capacity(0));
    let error = results.execute_and_collect("test").err().unwrap().to_string();
    assert_eq!(error, "the capacity of an asynchronous function is 0; expected at least 1");
}

#[test]
fn a_request_that_hangs_times_out_and_names_its_operator() {
    let env = environment(1);
    let hang = |_: i64| std::future::pending::<Result<Vec<i64>>>();
    let options = AsyncOptions::unordered(Duration::from_millis(50));
    let results = env.from_sequence(1, 2).async_map(hang, options).name("lookup");
    let end: Result<Vec<i64>> = results.execute_and_collect("test").unwrap().collect();
    let error = end.unwrap_err().to_string();
    assert!(error.contains("lookup") && error.contains("has timed out"), "{error}");
}

#[test]
fn failed_requests_are_made_again() {
    let env = environment(1);
    let failures = Arc::new(AtomicUsize::new(0));
    let failing = failures.clone();
    let request = move |number: i64| {
        let failing = failing.clone();
        async move {
            match number % 10 == 0 && failing.fetch_add(1, Ordering::SeqCst) < 5 {
                true => Err(Error::external("busy")),
                false => Ok(vec![number]),
            }
        }
    };
    let retry = AsyncRetry::exponential_backoff(6, Duration::from_millis(1), Duration::from_millis(4), 2.0);
    let results = env.from_sequence(1, 30).async_map_with_retry(request, AsyncOptions::ordered(LONG), retry);
    assert_eq!(collected(&results), (1..=30).collect::<Vec<_>>());
    assert!(failures.load(Ordering::SeqCst) >= 5);
}

#[test]
fn cancelling_does_not_wait_for_requests() {
    let env = environment(1);
    let asked = Arc::new(AtomicBool::new(false));
    let asking = asked.clone();
    let hang = move |_: i64| {
        asking.store(true, Ordering::SeqCst);
        std::future::pending::<Result<Vec<i64>>>()
    };
    // More records than there is room for: the task is full.
    env.from_sequence(1, 100_000).async_map(hang, AsyncOptions::ordered(LONG).capacity(2)).discard();
    let job = env.execute_async("test").unwrap();
    while !asked.load(Ordering::SeqCst) {
        job.wait_for(Duration::from_millis(5));
    }
    job.cancel();
    assert!(job.wait_for(LONG / 2).is_some(), "the job hangs");
}

#[test]
fn checkpoints_complete_while_requests_hang_and_a_restored_job_asks_again() {
    // The first attempt never gets an answer for records from 500 on. When a checkpoint has been taken
    // meanwhile, one fails.
    let state = Arc::new((AtomicBool::new(false), AtomicBool::new(false)));
    let shared = state.clone();
    let request = move |number: i64| {
        let shared = shared.clone();
        async move {
            let (checkpointed, failed) = &*shared;
            while number >= 500 && !failed.load(Ordering::SeqCst) {
                if number == 510 && checkpointed.load(Ordering::SeqCst) {
                    failed.store(true, Ordering::SeqCst);
                    return Err(Error::external("down"));
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(vec![number])
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let env = environment(1);
    env.enable_checkpointing(Duration::from_millis(20))
        .set("execution.checkpointing.dir", format!("file://{}", folder.path().display()))
        .set("restart-strategy.type", "fixed-delay")
        .set("restart-strategy.fixed-delay.delay", "1 ms");
    let options = AsyncOptions::ordered(LONG).capacity(64);
    let results = env.from_sequence(1, 1_000).async_map(request, options).uid("ask");
    let mut results = results.execute_and_collect("test").unwrap();
    let completed = |job: &flott_cluster::JobInfo| job.checkpoints.completed >= 2;
    assert!(results.job().wait_until(LONG, completed), "no checkpoint completes while the task is full");
    state.0.store(true, Ordering::SeqCst);
    let numbers: Vec<i64> = results.by_ref().collect::<Result<_>>().unwrap();
    assert_eq!(numbers, (1..=1_000).collect::<Vec<_>>());
    assert!(state.1.load(Ordering::SeqCst), "nothing has failed");
}

#[test]
fn collected_values_are_a_stream_for_async_code() {
    use futures::StreamExt;
    let env = environment(2);
    let numbers = env.from_sequence(1, 10_000).execute_and_collect("test").unwrap().into_stream();
    let sum = futures::executor::block_on(numbers.fold(0, async |sum, number| sum + number.unwrap()));
    assert_eq!(sum, 50_005_000);

    let env = environment(1);
    let failing = env.from_sequence(1, 3).try_map(|number| match number {
        3 => Err(Error::data("no 3")),
        _ => Ok(number),
    });
    let mut failing = failing.execute_and_collect("test").unwrap().into_stream();
    let last = futures::executor::block_on(async {
        let mut last = None;
        while let Some(next) = failing.next().await {
            last = Some(next);
        }
        last
    });
    let error = last.unwrap().unwrap_err().to_string();
    assert!(error.contains("no 3"), "{error}");
}
