//! No task reads before every task has begun; and every task begins.

use flott_batch::Records;
use flott_connector::{
    Assignments, Boundedness, EnumeratorContext, Payload, Poll, Produces, ReaderContext, Source,
    SourceOutput, SourceReader, Split, SplitEnumerator,
};
use flott_datastream::{Result, WatermarkStrategy};
use flott_testkit::{MiniCluster, TestSink};
use flott_types::{CheckpointId, SubtaskIndex};

/// A source that needs no splits to read, and never ends.
struct Splitless;

impl Source for Splitless {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Unbounded
    }

    fn enumerator(&self, _: Option<&Payload>, _: EnumeratorContext) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(Splitless))
    }

    fn reader(&self, _: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(Reader { read: false }))
    }
}

impl Produces<i64> for Splitless {}

impl SplitEnumerator for Splitless {
    fn splits_requested(&mut self, reader: SubtaskIndex, assignments: &mut Assignments) -> Result<()> {
        assignments.no_more_splits(reader);
        Ok(())
    }

    fn splits_returned(&mut self, _: SubtaskIndex, _: Vec<Split>, _: &mut Assignments) -> Result<()> {
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Payload> {
        Ok(Payload::default())
    }
}

struct Reader {
    read: bool,
}

impl SourceReader for Reader {
    fn add_splits(&mut self, _: Vec<Split>) -> Result<()> {
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if !std::mem::replace(&mut self.read, true) {
            output.emit("all", Records::new(vec![-1_i64]).into())?;
        }
        Ok(Poll::Wait(i64::MAX))
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        Ok(Vec::new())
    }
}

#[test]
fn a_source_that_reads_without_splits_delays_nobody() {
    let cluster = MiniCluster::new().unwrap();
    let env = cluster.environment();
    let sink = TestSink::new();
    let endless = env.from_source(Splitless, WatermarkStrategy::no_watermarks(), "endless");
    endless.union(&env.from_sequence(0, 4)).rebalance().map(|n| n).sink_to(sink.clone());
    let job = env.execute_async("begin").unwrap();
    cluster.settle().unwrap();
    assert_eq!(sink.take_sorted(), [-1, 0, 1, 2, 3, 4]);
    cluster.cancel(&job).unwrap();
}
