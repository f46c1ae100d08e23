//! Programs that do not end by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flott_cluster::JobStatus;
use flott_datastream::{
    KeyedContext, KeyedProcessFunction, Result, StreamExecutionEnvironment, WatermarkStrategy,
};

use crate::support::{LONG, wait_until};

/// Sets the timer that has fired again.
#[derive(Clone)]
struct Restless(Arc<AtomicU64>);

impl KeyedProcessFunction<i64, i64> for Restless {
    type Out = i64;

    fn process_element(&mut self, value: i64, context: &mut KeyedContext<'_, i64, i64>) -> Result<()> {
        context.register_event_time_timer(value);
        Ok(())
    }

    fn on_timer(&mut self, at: i64, context: &mut KeyedContext<'_, i64, i64>) -> Result<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        context.register_event_time_timer(at + 1);
        Ok(())
    }
}

#[test]
fn a_job_whose_timers_set_themselves_again_at_the_end_of_input_is_cancelled() {
    let env = StreamExecutionEnvironment::new();
    let fired = Arc::new(AtomicU64::new(0));
    let times = WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|at: &i64, _| *at);
    let values = env.from_collection([1_i64, 2]).assign_timestamps_and_watermarks(times);
    values.key_by(|_| 0).process(Restless(fired.clone())).add_sink(|_| Ok(()));
    let job = env.execute_async("restless").unwrap();
    // More than there would be by the records' own times.
    assert!(wait_until(|| fired.load(Ordering::Relaxed) > 1_000), "{:?}", job.info());
    job.cancel();
    assert_eq!(job.wait_for(LONG), Some(JobStatus::Canceled), "{:?}", job.info());
}
