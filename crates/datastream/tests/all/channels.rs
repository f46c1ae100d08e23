//! Sources that wait for somebody: each value is emitted at once, and neither checkpoints nor a cancellation
//! wait with them.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use flott_datastream::source::Received;
use flott_datastream::{DataStream, JobClient, StreamExecutionEnvironment};
use parking_lot::Mutex;
use std::sync::Arc;

use crate::support::{LONG, Seen, environment, once_running};

/// Values come one by one, with a checkpoint in between; then the job is cancelled while the source waits.
fn is_lively(stream: impl Fn(&StreamExecutionEnvironment) -> DataStream<i64>, send: impl Fn(i64)) {
    let env = environment(1, None);
    let (seen, job) = start(&env, &stream(&env));
    for value in 1..4 {
        send(value);
        assert_eq!(seen.take(1, &job), [value]);
        once_running(|| job.trigger_checkpoint(false)).unwrap();
    }
    job.cancel();
    assert!(job.wait_for(LONG).is_some());
}

fn start(env: &StreamExecutionEnvironment, stream: &DataStream<i64>) -> (Seen<i64>, JobClient) {
    let seen = Seen::of(stream);
    (seen, env.execute_async("lively").unwrap())
}

#[test]
fn a_channel_of_the_standard_library() {
    let (sender, receiver) = channel();
    let receiver = Mutex::new(Some(receiver));
    is_lively(|env| env.from_channel(receiver.lock().take().unwrap()), |value| sender.send(value).unwrap());
}

#[test]
fn a_channel_of_tokio() {
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    let receiver = Mutex::new(Some(receiver));
    is_lively(
        |env| env.from_channel(receiver.lock().take().unwrap()),
        |value| sender.blocking_send(value).unwrap(),
    );
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let receiver = Mutex::new(Some(receiver));
    is_lively(|env| env.from_channel(receiver.lock().take().unwrap()), |value| sender.send(value).unwrap());
}

#[test]
fn any_channel_as_a_closure() {
    let (sender, receiver) = channel();
    let receiver = Mutex::new(Some(receiver));
    let stream = |env: &StreamExecutionEnvironment| {
        let receiver = receiver.lock().take().unwrap();
        env.from_channel(move |patience: Duration| match receiver.recv_timeout(patience) {
            Ok(value) => Received::Value(value),
            Err(RecvTimeoutError::Timeout) => Received::Nothing,
            Err(RecvTimeoutError::Disconnected) => Received::Closed,
        })
    };
    is_lively(stream, |value| sender.send(value).unwrap());
}

#[test]
fn an_iterator_that_waits() {
    let (sender, receiver) = channel();
    let receiver = Arc::new(Mutex::new(receiver));
    let stream = |env: &StreamExecutionEnvironment| {
        let receiver = receiver.clone();
        env.from_iter(move || {
            let receiver = receiver.clone();
            std::iter::from_fn(move || receiver.lock().recv().ok())
        })
    };
    is_lively(stream, |value| sender.send(value).unwrap());
}

#[test]
fn a_channel_ends_with_its_senders_and_continues_after_a_failure() {
    let (sender, receiver) = channel();
    let env = environment(1, None);
    env.set("restart-strategy.type", "fixed-delay").set("restart-strategy.fixed-delay.delay", "0 ms");
    let numbers = env.from_channel(receiver).map(|n: i64| {
        assert_ne!(n, 2, "it fails once: the value is not sent again");
        n
    });
    let (seen, job) = start(&env, &numbers);
    sender.send(1).unwrap();
    assert_eq!(seen.take(1, &job), [1]);
    sender.send(2).unwrap();
    assert!(job.wait_until(LONG, |info| info.attempt.0 > 1), "{:?}", job.info());
    sender.send(3).unwrap();
    assert_eq!(seen.take(1, &job), [3]);
    drop(sender);
    job.execution_result().unwrap();
}

#[test]
fn an_iterator_that_panics_fails_the_job() {
    let env = environment(1, None);
    env.from_iter(|| (1..3).inspect(|n| assert!(*n < 2, "broken at two"))).discard();
    let error = env.execute("broken").unwrap_err().to_string();
    assert!(error.contains("broken at two"), "{error}");
}
