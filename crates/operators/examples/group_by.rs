//! How fast is `SELECT k, COUNT(*), SUM(v) FROM t GROUP BY k` with a million keys, the operator alone?
//!
//! `cargo run --release -p flott-operators --example group_by [rows] [keys] [rows a batch]`

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use flott_batch::{Batch, ChangeBatch, WatermarkStatus, arrow_type};
use flott_operator::{Context, OperatorMetrics, Output, TaskInfo};
use flott_operators::{BuildContext, build};
use flott_plan::{AggregateCall, AggregatePhase, ChainedNode, Node, OperatorSpec, Schema, Wishes};
use flott_runtime::Outside;
use flott_state::RestoredState;
use flott_types::{
    CheckpointId, Clock, JobId, KeyGroupRange, OperatorUid, Result, SubtaskIndex, SystemClock, TypeKind,
    Waker, Watermark,
};

/// Counts the rows that come out.
struct Counted(usize);

impl Output for Counted {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        self.0 += batch.num_rows();
        Ok(())
    }

    fn watermark(&mut self, _: Watermark) -> Result<()> {
        Ok(())
    }

    fn watermark_status(&mut self, _: WatermarkStatus) -> Result<()> {
        Ok(())
    }
}

fn call(function: &str, args: Vec<usize>) -> AggregateCall {
    AggregateCall {
        function: function.to_owned(),
        arg_types: args.iter().map(|_| TypeKind::BigInt.nullable()).collect(),
        args,
        distinct: false,
        filter: None,
        ty: TypeKind::BigInt.nullable(),
        name: function.to_lowercase(),
    }
}

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|number| number.parse::<usize>().ok());
    let rows = numbers.next().unwrap_or(10_000_000);
    let keys = numbers.next().unwrap_or(1_000_000);
    let size = numbers.next().unwrap_or(8_192);
    let bigint = || TypeKind::BigInt.nullable();
    let input = Schema::new([("k", bigint()), ("v", bigint())]);
    let node = ChainedNode {
        node: Node {
            uid: OperatorUid("bench".to_owned()),
            name: "GroupAggregate".to_owned(),
            spec: OperatorSpec::GroupAggregate {
                keys: vec![0],
                aggregates: vec![call("COUNT", vec![]), call("SUM", vec![1])],
                phase: AggregatePhase::Single,
                input_updates: false,
                emit_update_before: true,
                ttl: 0,
            },
            schema: Schema::new([("k", bigint()), ("c", bigint()), ("s", bigint())]),
            parallelism: 1,
            wishes: Wishes::default(),
            lineage: flott_plan::Lineage::default(),
        },
        parent: None,
        tag: None,
        inputs: vec![input.clone()],
    };
    let mut operator = build(&node, &BuildContext::default(), &Outside::nothing())?;
    let info = TaskInfo {
        job: JobId(0),
        uid: node.node.uid.clone(),
        name: node.node.name.clone(),
        subtask: SubtaskIndex(0),
        parallelism: 1,
        max_parallelism: 128,
        key_groups: KeyGroupRange::all(128),
        attempt: 0,
        continues: false,
    };
    let (mut output, metrics, mut wake_at) = (Counted(0), OperatorMetrics::default(), None);
    let mut context = Context {
        info: &info,
        now: 0,
        watermark: Watermark::MIN,
        output: &mut output,
        metrics: &metrics,
        wake_at: &mut wake_at,
        waker: &Waker::default(),
    };
    operator.open(RestoredState::default(), &mut context)?;

    let schema = arrow_type::schema(input.iter());
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut batches = Vec::new();
    for _ in 0..rows.div_ceil(size) {
        let mut column = || -> ArrayRef {
            Arc::new(Int64Array::from_iter_values((0..size).map(|_| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                (random % keys as u64) as i64
            })))
        };
        let columns = vec![column(), column()];
        let batch = RecordBatch::try_new(schema.clone(), columns)
            .map_err(|error| flott_types::Error::internal("batch").with_source(error))?;
        batches.push(ChangeBatch::insert_only(batch));
    }

    let clock = SystemClock::new();
    let start = clock.nanos();
    for batch in batches {
        operator.process(0, Batch::Changes(batch), &mut context)?;
    }
    let seconds = (clock.nanos() - start) as f64 / 1e9;
    println!("{:.2} million rows/s in, {} rows out", rows as f64 / seconds / 1e6, output.0);
    let start = clock.nanos();
    let snapshot = operator.snapshot(CheckpointId(1), false)?;
    let written: usize = snapshot.keyed.iter().map(|delta| delta.rows.num_rows()).sum();
    println!("first snapshot: {written} rows in {:.0} ms", (clock.nanos() - start) as f64 / 1e6);
    Ok(())
}
