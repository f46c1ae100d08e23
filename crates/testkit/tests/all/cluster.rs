//! The mini cluster: whole jobs, with failures where the test wants them.

use std::time::Duration;

use flott_cluster::JobStatus;
use flott_datastream::{AsyncOptions, JobClient, WatermarkStrategy};
use flott_testkit::{Fault, MiniCluster, TestSink, TestSource};

use crate::functions::{PAUSE, visits};

/// Sums of numbers by their last digit, and what a transaction shows of them.
struct Sums {
    cluster: MiniCluster,
    source: TestSource<(i64, i64)>,
    sink: TestSink<(i64, i64)>,
    job: JobClient,
}

fn sums(parallelism: u32, restore: Option<&str>) -> Sums {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::new(), TestSink::transactional());
    let job = submit(&cluster, &source, &sink, parallelism, restore);
    Sums { cluster, source, sink, job }
}

fn submit(
    cluster: &MiniCluster,
    source: &TestSource<(i64, i64)>,
    sink: &TestSink<(i64, i64)>,
    parallelism: u32,
    restore: Option<&str>,
) -> JobClient {
    let env = cluster.environment();
    env.set_parallelism(parallelism);
    if let Some(path) = restore {
        env.set("execution.state-recovery.path", path);
    }
    let sums = source.stream(&env).key_by(|(key, _)| *key).sum(|(_, value)| value).name("sum").uid("sums");
    sums.sink_to(sink.clone());
    env.execute_async("sums").unwrap()
}

#[test]
fn a_failure_at_a_record_replays_what_the_checkpoint_does_not_hold() {
    let Sums { cluster, source, sink, job } = sums(2, None);
    source.push_all([(1, 10), (2, 20)]).unwrap();
    cluster.checkpoint(&job).unwrap();
    assert_eq!(sink.take_sorted(), [(1, 10), (2, 20)]);

    cluster.fail(Fault::at_record("sum", 3));
    source.push_all([(1, 1), (2, 1), (1, 1), (2, 1)]).unwrap();
    cluster.settle().unwrap();
    assert_eq!(job.info().checkpoints.restored, 1);
    assert_eq!(cluster.pending_faults(), []);
    assert_eq!(sink.take(), [], "nothing is visible without a checkpoint");

    cluster.checkpoint(&job).unwrap();
    assert_eq!(sink.take_sorted(), [(1, 11), (1, 12), (2, 21), (2, 22)]);
}

#[test]
fn a_failure_at_a_barrier_fails_the_checkpoint_and_not_the_next() {
    let Sums { cluster, source, sink, job } = sums(1, None);
    source.push((1, 1)).unwrap();
    cluster.fail(Fault::at_barrier("sums"));
    cluster.checkpoint(&job).unwrap_err();
    assert_eq!(sink.take(), []);
    cluster.checkpoint(&job).unwrap();
    assert_eq!(sink.take(), [(1, 1)]);
    assert_eq!(job.info().checkpoints.failed, 1);
}

#[test]
fn a_failure_after_a_checkpoint_loses_and_doubles_nothing() {
    let Sums { cluster, source, sink, job } = sums(2, None);
    cluster.fail(Fault::after_checkpoint("sum"));
    source.push((1, 1)).unwrap();
    cluster.checkpoint(&job).unwrap();
    assert_eq!(cluster.pending_faults(), []);
    assert_eq!(sink.take(), [(1, 1)]);
    source.push((1, 1)).unwrap();
    cluster.checkpoint(&job).unwrap();
    assert_eq!(sink.take(), [(1, 2)]);
}

#[test]
fn failures_while_opening_and_at_the_end_lose_and_double_nothing() {
    let Sums { cluster, source, sink, job } = sums(1, None);
    source.push((1, 1)).unwrap();
    cluster.checkpoint(&job).unwrap();
    cluster.fail(Fault::at_record("sum", 1));
    cluster.fail(Fault::at_open("sum"));
    source.push((1, 1)).unwrap();
    cluster.settle().unwrap();
    cluster.fail(Fault::at_finish("sum"));
    cluster.fail(Fault::after_finish("sum"));
    source.end();
    job.wait().unwrap();
    assert_eq!(cluster.pending_faults(), []);
    assert_eq!(job.info().exceptions.len(), 4);
    assert_eq!(sink.take(), [(1, 1), (1, 2)]);
}

#[test]
fn a_failure_of_the_source_replays() {
    let Sums { cluster, source, sink, job } = sums(1, None);
    source.push((1, 1)).unwrap();
    cluster.settle().unwrap();
    source.fail("the line is dead");
    cluster.settle().unwrap();
    let failure = job.info().exceptions.front().map(|entry| entry.failure.message.clone());
    assert!(failure.unwrap().contains("the line is dead"));
    cluster.checkpoint(&job).unwrap();
    assert_eq!(sink.take(), [(1, 1)]);
}

#[test]
fn a_job_continues_from_a_savepoint_at_another_parallelism() {
    let Sums { cluster, source, sink, job } = sums(1, None);
    source.push_all((0..10).map(|key| (key, key))).unwrap();
    let savepoint = cluster.savepoint(&job).unwrap();
    cluster.cancel(&job).unwrap();
    assert_eq!(sink.take(), [], "a savepoint makes nothing visible; who starts from it does");

    let job = submit(&cluster, &source, &sink, 3, Some(&savepoint));
    source.push_all((0..10).map(|key| (key, 1))).unwrap();
    cluster.checkpoint(&job).unwrap();
    let expected: Vec<_> = (0..10).flat_map(|key| [(key, key), (key, key + 1)]).collect();
    assert_eq!(sink.take_sorted(), expected);
}

#[test]
fn a_job_that_waits_to_be_restarted_waits_for_the_clock_of_the_test() {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::new(), TestSink::new());
    let env = cluster.environment();
    env.set("restart-strategy.fixed-delay.delay", "10 s");
    source.stream(&env).map(|n: i64| n).name("map").sink_to(sink.clone());
    let job = env.execute_async("waits").unwrap();
    cluster.fail(Fault::at_record("map", 1));
    source.push(1).unwrap();
    cluster.settle().unwrap();
    assert_eq!(job.status().to_string(), "RESTARTING");
    cluster.advance(Duration::from_millis(9_999)).unwrap();
    assert_eq!(job.status().to_string(), "RESTARTING");
    cluster.advance(Duration::from_millis(1)).unwrap();
    assert_eq!(job.status().to_string(), "RUNNING");
    assert_eq!(sink.take(), [1]);
}

#[test]
fn checkpoints_are_taken_when_the_clock_of_the_test_says_so() {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::new(), TestSink::transactional());
    let env = cluster.environment();
    env.enable_checkpointing(Duration::from_secs(1));
    source.stream(&env).sink_to(sink.clone());
    let _job = env.execute_async("checkpoints").unwrap();
    source.push(5).unwrap();
    cluster.settle().unwrap();
    assert_eq!(sink.take(), [0; 0]);
    cluster.advance(Duration::from_secs(1)).unwrap();
    assert_eq!(sink.take(), [5]);
}

#[test]
fn timers_wait_for_the_clock_of_the_test_through_several_tasks() {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::new(), TestSink::new());
    let env = cluster.environment();
    env.set_parallelism(2);
    let first = source.stream(&env).key_by_ref(|(name, _): &(String, i64)| name).process(visits());
    let second = first.map(|line| (line, 1)).key_by_ref(|(name, _)| name).process(visits());
    second.sink_to(sink.clone());
    let _job = env.execute_async("timers").unwrap();
    source.push(("ann".to_owned(), 1)).unwrap();
    cluster.advance(PAUSE).unwrap();
    assert_eq!(sink.take(), [""; 0]);
    cluster.advance(PAUSE).unwrap();
    assert_eq!(sink.take(), ["ann=1=1"]);
}

#[test]
fn a_source_in_the_hands_of_a_test_takes_any_strategy() {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::new(), TestSink::new());
    let env = cluster.environment();
    let strategy = WatermarkStrategy::for_monotonous_timestamps()
        .with_timestamp_assigner(|(_, second): &(String, i64), _| second * 1_000);
    let visitors = env.from_source(source.clone(), strategy, "visitors");
    visitors.key_by_ref(|(name, _)| name).process(visits()).sink_to(sink.clone());
    let _job = env.execute_async("strategy").unwrap();
    source.push(("ann".to_owned(), 0)).unwrap();
    source.push(("bob".to_owned(), 60)).unwrap();
    cluster.advance(Duration::from_secs(1)).unwrap();
    assert_eq!(sink.take(), [""; 0], "event time is a millisecond before bob");
    source.push(("bob".to_owned(), 61)).unwrap();
    cluster.advance(Duration::from_secs(1)).unwrap();
    assert_eq!(sink.take(), ["ann=1"]);
}

#[test]
fn collections_and_results_work_as_anywhere() {
    let cluster = MiniCluster::new().unwrap();
    let env = cluster.environment();
    env.set_parallelism(2);
    let squares = env.from_sequence(1, 4).map(|n| n * n).execute_and_collect("squares").unwrap();
    let mut squares: Vec<i64> = squares.map(Result::unwrap).collect();
    squares.sort_unstable();
    assert_eq!(squares, [1, 4, 9, 16]);
}

/// The test's wrapper must not keep calls from the operator.
#[test]
fn operators_that_wait_for_others_work_in_a_mini_cluster() {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::new(), TestSink::transactional());
    let env = cluster.environment();
    let answers = |number: i64| async move { Ok(vec![number * 10]) };
    let options = AsyncOptions::ordered(Duration::from_secs(60)).capacity(2);
    source.stream(&env).async_map(answers, options).name("lookup").sink_to(sink.clone());
    let job = env.execute_async("lookups").unwrap();
    source.push_all(1..=9).unwrap();
    source.end();
    assert_eq!(job.wait_for(Duration::from_secs(60)), Some(JobStatus::Finished));
    assert_eq!(sink.take(), (1..=9).map(|number| number * 10).collect::<Vec<i64>>());
}
