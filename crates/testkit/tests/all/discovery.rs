//! Splits that are found while a job runs.

use std::time::Duration;

use flott_datastream::{Result, WatermarkStrategy};
use flott_testkit::{MiniCluster, TestSink};

use crate::topic::{LOOKS_EVERY, Topic, Wrong};

#[test]
fn readers_at_work_are_given_partitions_that_appear_and_acknowledge_with_checkpoints() -> Result<()> {
    let cluster = MiniCluster::new()?;
    let env = cluster.environment();
    env.set_parallelism(2);
    let (topic, sink) = (Topic::new(2, 5, Wrong::Nothing), TestSink::new());
    let stream = env.from_source(topic.clone(), WatermarkStrategy::no_watermarks(), "topic");
    stream.uid("topic").sink_to(sink.clone());
    let job = env.execute_async("grows")?;
    cluster.settle()?;
    assert_eq!(sink.take_sorted(), topic.rows());

    let acknowledged = || topic.state.lock().partitions.iter().map(|p| p.acknowledged).collect::<Vec<_>>();
    assert_eq!(acknowledged(), [0, 0]);
    cluster.checkpoint(&job)?;
    assert_eq!(acknowledged(), [5, 5]);

    // Both readers are busy: nobody asks for splits.
    let more: Vec<u64> = (0..3).flat_map(|rows| topic.add_partition(rows + 1)).collect();
    cluster.settle()?;
    assert!(sink.take().is_empty(), "it is not yet time to look");
    cluster.advance(Duration::from_millis(LOOKS_EVERY as u64))?;
    assert_eq!(sink.take_sorted(), more);
    let told: Vec<String> = topic.state.lock().told.iter().cloned().collect();
    assert_eq!(told, ["0: reads 0", "0: reads 2", "0: reads 4", "1: reads 1", "1: reads 3"]);

    cluster.checkpoint(&job)?;
    assert_eq!(acknowledged(), [5, 5, 1, 2, 3]);
    topic.close();
    cluster.advance(Duration::from_millis(LOOKS_EVERY as u64))?;
    job.execution_result()?;
    Ok(())
}
