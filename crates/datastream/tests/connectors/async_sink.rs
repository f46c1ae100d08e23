//! A sink that sends requests, in a job that fails on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flott_datastream::sink::{AsyncSink, AsyncSinkOptions};
use flott_datastream::*;
use parking_lot::Mutex;

/// The service refuses every third value at first, and a function fails once behind the middle: nothing is
/// lost, and what was sent before the last checkpoint is not sent again.
#[test]
fn nothing_is_lost() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2).enable_checkpointing(Duration::from_millis(5));
    env.set_restart_strategy(RestartStrategy::FixedDelay { attempts: 3, delay: Duration::ZERO });
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::new(Mutex::new(std::collections::BTreeSet::new()));
    let own = accepted.clone();
    let send = move |values: Vec<i64>| {
        let (accepted, seen) = (own.clone(), seen.clone());
        async move {
            let refused = |value: &i64| value % 3 == 0 && seen.lock().insert(*value);
            let (again, fine): (Vec<i64>, Vec<i64>) = values.into_iter().partition(refused);
            accepted.lock().extend(fine);
            Ok(again)
        }
    };
    let options = AsyncSinkOptions::default().max_batch_size(7).max_in_flight_requests(4);
    let options = options.backoff(Duration::from_millis(1), Duration::from_millis(2));
    let failed = AtomicBool::new(false);
    let failed = Arc::new(failed);
    env.from_sequence(1, 5_000)
        .try_map(move |n| match n == 4_000 && !failed.swap(true, Ordering::Relaxed) {
            true => Err(Error::external("once")),
            false => Ok(n),
        })
        .sink_to(AsyncSink::new(send, options))
        .uid("service");
    env.execute("requests").unwrap();
    let mut values = std::mem::take(&mut *accepted.lock());
    values.sort_unstable();
    values.dedup();
    assert_eq!(values, (1..=5_000).collect::<Vec<i64>>());
}
