//! What operators emit at the end of their input is emitted once, even if the job fails afterwards.

use std::time::Duration;

use flott_batch::Record;
use flott_cluster::JobStatus;
use flott_datastream::{
    BroadcastContext, BroadcastProcessFunction, CoProcessFunction, DataStream, JobClient, ProcessContext,
    ProcessFunction, ReadOnlyContext, Result, RuntimeMode, StreamExecutionEnvironment,
};
use flott_testkit::{Fault, MiniCluster, TestSink, TestSource};

const PATIENCE: Duration = Duration::from_secs(60);
const MODES: [RuntimeMode; 2] = [RuntimeMode::Streaming, RuntimeMode::Batch];

/// Emits at the end how much it has seen, which is not in any state.
#[derive(Clone, Default)]
struct Count(i64);

impl ProcessFunction<i64> for Count {
    type Out = i64;

    fn process_element(&mut self, _: i64, _: &mut ProcessContext<'_, i64>) -> Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn finish(&mut self, context: &mut ProcessContext<'_, i64>) -> Result<()> {
        context.collect(self.0);
        Ok(())
    }
}

impl CoProcessFunction<i64, i64> for Count {
    type Out = i64;

    fn process_first(&mut self, _: i64, _: &mut ProcessContext<'_, i64>) -> Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn process_second(&mut self, _: i64, _: &mut ProcessContext<'_, i64>) -> Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn finish(&mut self, context: &mut ProcessContext<'_, i64>) -> Result<()> {
        context.collect(self.0);
        Ok(())
    }
}

impl BroadcastProcessFunction<i64, i64> for Count {
    type Out = i64;

    fn process_element(&mut self, _: i64, _: &mut ReadOnlyContext<'_, i64>) -> Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn process_broadcast_element(&mut self, _: i64, _: &mut BroadcastContext<'_, i64>) -> Result<()> {
        self.0 += 100;
        Ok(())
    }

    fn finish(&mut self, context: &mut ProcessContext<'_, i64>) -> Result<()> {
        context.collect(self.0);
        Ok(())
    }
}

fn finished(job: &JobClient) {
    assert_eq!(job.wait_for(PATIENCE), Some(JobStatus::Finished), "{:?}", job.info().exceptions);
}

/// Runs a pipeline over 0..10 whose last operator fails when it is notified that the last checkpoint has
/// completed, in both modes and at two parallelisms; returns what is committed in the end.
fn committed<O: Record + Ord>(
    pipeline: impl Fn(&DataStream<i64>) -> DataStream<O>,
    mode: RuntimeMode,
    parallelism: u32,
) -> Vec<O> {
    let cluster = MiniCluster::new().unwrap();
    let env: StreamExecutionEnvironment = cluster.environment();
    env.set_runtime_mode(mode).set_parallelism(parallelism);
    let sink = TestSink::transactional();
    pipeline(&env.from_sequence(0, 9)).name("ends").sink_to(sink.clone());
    cluster.fail(Fault::after_checkpoint("ends"));
    let job = env.execute_async("ends").unwrap();
    finished(&job);
    assert_eq!((cluster.pending_faults(), job.info().checkpoints.restored), (vec![], 1), "{mode:?}");
    sink.take_sorted()
}

#[test]
fn a_reduction_of_a_batch_puts_out_its_results_once() {
    for parallelism in [1, 2] {
        let sums = |numbers: &DataStream<i64>| numbers.key_by(|n| n % 3).reduce(|a, b| a + b);
        assert_eq!(committed(sums, RuntimeMode::Batch, parallelism), [12, 15, 18]);
    }
}

#[test]
fn a_function_of_a_partition_is_called_once() {
    for mode in MODES {
        let sums = |numbers: &DataStream<i64>| {
            numbers.map_partition(|numbers, out| out.collect((numbers.len(), numbers.iter().sum::<i64>())))
        };
        assert_eq!(committed(sums, mode, 1), [(10, 45)]);
        let halves = committed(sums, mode, 2);
        let (count, sum) = halves.iter().fold((0, 0), |(count, sum), half| (count + half.0, sum + half.1));
        assert_eq!((halves.len(), count, sum), (2, 10, 45), "{halves:?}");
    }
}

#[test]
fn functions_finish_once() {
    for mode in MODES {
        let process = |numbers: &DataStream<i64>| numbers.process(Count::default());
        assert_eq!(committed(process, mode, 1), [10]);
        assert_eq!(committed(process, mode, 2).iter().sum::<i64>(), 10);
        let both = |numbers: &DataStream<i64>| numbers.connect(numbers).process(Count::default());
        assert_eq!(committed(both, mode, 1), [20]);
        let broadcast =
            |numbers: &DataStream<i64>| numbers.connect_broadcast(numbers).process(Count::default());
        assert_eq!(committed(broadcast, mode, 1), [1_010]);
    }
}

/// One input has ended, with what follows from it; then the job fails.
#[test]
fn a_finished_part_of_a_job_stays_finished_while_the_rest_continues() {
    let cluster = MiniCluster::new().unwrap();
    let env = cluster.environment();
    let (first, second, sink) = (TestSource::new(), TestSource::new(), TestSink::transactional());
    first.stream(&env).process(Count::default()).name("first").sink_to(sink.clone());
    second.stream(&env).process(Count::default()).name("second").sink_to(sink.clone());
    let job = env.execute_async("two").unwrap();
    first.push_all([1, 2, 3]).unwrap();
    first.end();
    second.push(1).unwrap();
    cluster.checkpoint(&job).unwrap();
    assert_eq!(sink.take(), [3]);

    cluster.fail(Fault::at_record("second", 1));
    second.push(1).unwrap();
    cluster.settle().unwrap();
    assert_eq!(job.info().checkpoints.restored, 1);
    second.end();
    finished(&job);
    // The second counts outside of state, so it starts over.
    assert_eq!(sink.take(), [1]);
}

/// A job that starts from a snapshot taken after the end, and reads more input, ends once more.
#[test]
fn rows_wake_an_operator_that_had_finished() {
    let cluster = MiniCluster::new().unwrap();
    let (first, second, sink) = (TestSource::new(), TestSource::new(), TestSink::transactional());
    let submit = |from: Option<&str>| {
        let env = cluster.environment();
        from.into_iter().for_each(|path| {
            env.set("execution.state-recovery.path", path);
        });
        let sums = |source: &TestSource<i64>, name: &str| {
            let sums = source.stream(&env).uid(&format!("{name} source")).key_by(|_| 0).sum(|sum| sum);
            sums.uid(&format!("{name} sum")).process(Count::default()).name(name).uid(name)
        };
        let ends = sums(&first, "first").union(&sums(&second, "second"));
        ends.sink_to(sink.clone()).uid("sink");
        env.execute_async("two").unwrap()
    };
    let job = submit(None);
    first.push_all([1, 2, 3]).unwrap();
    second.push_all([1, 2]).unwrap();
    cluster.settle().unwrap();
    let savepoint = job.stop_with_savepoint(None, true).unwrap();
    finished(&job);
    assert_eq!(sink.take_sorted(), [2, 3]);

    let job = submit(Some(&savepoint));
    first.push(4).unwrap();
    first.end();
    second.end();
    finished(&job);
    assert_eq!(sink.take(), [1], "the second has seen no row, and has finished already");
}
