//! Each violation is found, with operators that emit what a test tells them to.

use flott_batch::pretty;
use flott_plan::{AggregatePhase, Node, OperatorSpec, WindowKind, WindowSpec, Wishes};
use flott_types::{JobId, KeyGroupRange, LogicalType, OperatorUid, SubtaskIndex, TypeKind, Waker};

use super::*;
use crate::{OperatorMetrics, Output, TaskInfo};

/// Emits its input as if it had computed it; records each call of the other methods.
#[derive(Default)]
struct Echo {
    /// Emitted instead of the input, batch by batch.
    instead: Vec<Batch>,
    calls: std::sync::Arc<parking_lot::Mutex<Vec<&'static str>>>,
}

impl Echo {
    fn called(&self, method: &'static str) -> Result<()> {
        self.calls.lock().push(method);
        Ok(())
    }
}

#[deny(clippy::missing_trait_methods, reason = "each method is tested")]
impl Operator for Echo {
    fn open(&mut self, _: RestoredState, _: &mut Context<'_>) -> Result<()> {
        self.called("open")
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        self.called("process")?;
        let instead = if self.instead.is_empty() { None } else { Some(self.instead.remove(0)) };
        context.output.emit(instead.unwrap_or(batch))
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.called("watermark")?;
        context.output.watermark(watermark)
    }

    fn watermark_status(&mut self, _: WatermarkStatus, _: &mut Context<'_>) -> Result<()> {
        self.called("watermark_status")
    }

    fn processing_time(&mut self, _: Timestamp, _: &mut Context<'_>) -> Result<()> {
        self.called("processing_time")
    }

    fn woken(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.called("woken")
    }

    fn backlog(&self) -> Backlog {
        Backlog::Full
    }

    fn prepare_barrier(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.called("prepare_barrier")
    }

    fn snapshot(&mut self, _: CheckpointId, _: bool) -> Result<OperatorSnapshot> {
        self.called("snapshot").map(|()| OperatorSnapshot::default())
    }

    fn restores_in_parts(&self) -> bool {
        true
    }

    fn snapshot_later(&mut self) -> Option<SnapshotLater> {
        let _ = self.called("snapshot_later");
        None
    }

    fn committing(&self) -> Committing {
        Committing::UnderWay
    }

    fn checkpoint_complete(&mut self, _: CheckpointId) -> Result<()> {
        self.called("checkpoint_complete")
    }

    fn checkpoint_aborted(&mut self, _: CheckpointId) -> Result<()> {
        self.called("checkpoint_aborted")
    }

    fn input_dry(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.called("input_dry")
    }

    fn end_input(&mut self, _: usize, _: &mut Context<'_>) -> Result<()> {
        self.called("end_input")
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.called("finish")
    }

    fn close(&mut self) {
        let _ = self.called("close");
    }
}

struct Nowhere;

impl Output for Nowhere {
    fn emit(&mut self, _: Batch) -> Result<()> {
        Ok(())
    }

    fn watermark(&mut self, _: Watermark) -> Result<()> {
        Ok(())
    }

    fn watermark_status(&mut self, _: WatermarkStatus) -> Result<()> {
        Ok(())
    }
}

fn types() -> Vec<LogicalType> {
    vec![TypeKind::Int.nullable(), TypeKind::Int.nullable(), TypeKind::Timestamp(3).nullable()]
}

fn rows(text: &str) -> Batch {
    let lines: Vec<String> = text
        .split(',')
        .map(|line| format!("{} 1970-01-01T00:00:{:0>2}", line.trim(), line.trim().len()))
        .collect();
    Batch::Changes(pretty::parse(&lines.join("\n"), &types()).unwrap())
}

/// A row with a timestamp of this second.
fn at(second: u32) -> Batch {
    let row = format!("+I 1 1 1970-01-01T00:00:{second:0>2}");
    Batch::Changes(pretty::parse(&row, &types()).unwrap())
}

struct Bench {
    checked: Checked,
    metrics: OperatorMetrics,
    info: TaskInfo,
}

impl Bench {
    fn new(spec: OperatorSpec, instead: Vec<Batch>) -> Self {
        Bench::around(spec, Echo { instead, ..Echo::default() })
    }

    fn around(spec: OperatorSpec, operator: Echo) -> Self {
        let schema = Schema::new(["k", "v", "t"].into_iter().zip(types()));
        let uid = OperatorUid("test".to_owned());
        let name = "test".to_owned();
        let node = Node {
            uid: uid.clone(),
            name,
            spec,
            schema: schema.clone(),
            parallelism: 1,
            wishes: Wishes::default(),
            lineage: flott_plan::Lineage::default(),
        };
        let node = ChainedNode { node, parent: None, tag: None, inputs: vec![schema] };
        let info = TaskInfo {
            job: JobId(0),
            uid,
            name: "test".to_owned(),
            subtask: SubtaskIndex(0),
            parallelism: 1,
            max_parallelism: 128,
            key_groups: KeyGroupRange::all(128),
            attempt: 0,
            continues: false,
        };
        Bench { checked: Checked::new(Box::new(operator), &node), metrics: OperatorMetrics::default(), info }
    }

    fn call<T>(&mut self, call: impl FnOnce(&mut Checked, &mut Context<'_>) -> Result<T>) -> Result<T> {
        let Bench { checked, metrics, info } = self;
        let mut context = Context {
            info,
            now: 0,
            watermark: Watermark::MIN,
            output: &mut Nowhere,
            metrics,
            wake_at: &mut None,
            waker: &Waker::default(),
        };
        call(checked, &mut context)
    }

    /// Pushes batches one after the other; returns the first violation, if any.
    fn push(&mut self, batches: impl IntoIterator<Item = Batch>) -> Result<(), String> {
        let push = |batch| self.call(|checked, context| checked.process(0, batch, context));
        batches.into_iter().try_for_each(push).map_err(|error| error.message().to_owned())
    }

    fn watermark(&mut self, at: i64) -> Result<(), String> {
        let result = self.call(|checked, context| checked.watermark(Watermark(at), context));
        result.map_err(|error| error.message().to_owned())
    }
}

fn found(result: Result<(), String>) -> String {
    result.unwrap_err().strip_prefix("invariant violated: ").unwrap().to_owned()
}

fn join() -> OperatorSpec {
    let (left_keys, right_keys) = (vec![0], vec![0]);
    let kind = flott_plan::JoinKind::Inner;
    OperatorSpec::Join {
        kind,
        left_keys,
        right_keys,
        null_safe: vec![false],
        condition: None,
        ttl: 0,
        right_ttl: None,
        bound: None,
        rows: Default::default(),
        emit_update_before: true,
        first_by: Vec::new(),
    }
}

fn normalize() -> OperatorSpec {
    OperatorSpec::ChangelogNormalize { keys: vec![0], ttl: 0, emit_update_before: true }
}

#[test]
fn nothing_is_retracted_that_was_not_emitted() {
    let inserts = || [rows("+I 1 1, +I 1 1"), rows("+I 2 2")];
    let says = |second: &str| Bench::new(join(), vec![rows("+I 1 1, +I 1 1"), rows(second)]).push(inserts());
    assert_eq!(says("-D 1 1, -D 1 1, +I 1 1, -D 1 1"), Ok(()));
    assert_eq!(
        found(says("-D 1 1, -D 1 1, -D 1 1")),
        "a row is retracted that was not emitted, or was retracted before: -D 1 1 1970-01-01T00:00:06.000"
    );
    assert!(found(says("-D 1 2")).ends_with("-D 1 2 1970-01-01T00:00:06.000"));
}

#[test]
fn forwarding_an_invalid_retraction_is_not_a_violation() {
    assert_eq!(Bench::new(OperatorSpec::Union, Vec::new()).push([rows("-D 1 1"), rows("-D 2 2")]), Ok(()));
}

#[test]
fn a_restored_operator_may_retract_earlier_output() {
    let mut join = Bench::new(join(), vec![rows("-D 1 1")]);
    let restored = RestoredState { found: true, ..RestoredState::default() };
    join.call(|checked, context| checked.open(restored, context)).unwrap();
    assert_eq!(join.push([rows("+I 1 1")]), Ok(()));
}

#[test]
fn the_halves_of_an_update_are_adjacent_and_have_one_key() {
    let says = |then: &str| {
        let first = rows("+I 1 1, +I 2 2");
        Bench::new(normalize(), vec![first.try_clone().unwrap(), rows(then)]).push([first, rows("+I 3 3")])
    };
    assert_eq!(says("-U 1 1, +U 1 2, -U 2 2, +U 2 3"), Ok(()));
    assert!(found(says("-U 1 1, -U 2 2, +U 1 2, +U 2 3")).starts_with("a -U without its +U"));
    assert!(found(says("+U 1 2")).starts_with("a +U without its -U"));
    assert_eq!(found(says("-U 1 1")), "a batch ends between -U and +U");
    assert!(found(says("-U 1 1, +U 2 2")).starts_with("the halves of an update have different keys: -U 1 1"));
}

#[test]
fn a_window_fires_before_the_watermark_passes_it() {
    let kind = WindowKind::Tumble { size: 10_000, offset: 0 };
    let window = WindowSpec { kind, time_column: 2, event_time: true, zone: None };
    let spec = |phase| OperatorSpec::WindowAggregate {
        window: window.clone(),
        keys: vec![0, 1],
        aggregates: Vec::new(),
        phase,
        attached: None,
        window_columns: [false, false, true],
        input_updates: false,
    };
    let mut single = Bench::new(spec(AggregatePhase::Single), Vec::new());
    assert_eq!(single.push([at(1)]), Ok(()));
    single.watermark(9_999).unwrap();
    assert_eq!(single.push([at(10)]), Ok(()));
    assert_eq!(
        found(single.push([at(9)])),
        "a row is emitted behind the watermark 9999: +I 1 1 1970-01-01T00:00:09.000"
    );
    let mut local = Bench::new(spec(AggregatePhase::Local), Vec::new());
    local.watermark(9_999).unwrap();
    assert_eq!(local.push([at(9)]), Ok(()));
}

#[test]
fn watermarks_do_not_go_back() {
    let mut union = Bench::new(OperatorSpec::Union, Vec::new());
    union.watermark(5).unwrap();
    union.watermark(5).unwrap();
    assert_eq!(found(union.watermark(4)), "watermark 4 comes after 5");
}

/// Clippy's `missing_trait_methods` on both guarantees that no method is missing here.
#[test]
fn every_call_reaches_the_operator() {
    let echo = Echo::default();
    let calls = echo.calls.clone();
    let mut bench = Bench::around(OperatorSpec::Union, echo);
    let one = CheckpointId(1);
    bench.call(|checked, context| checked.open(RestoredState::default(), context)).unwrap();
    bench.call(|checked, context| checked.process(0, rows("+I 1 1"), context)).unwrap();
    bench.call(|checked, context| checked.watermark(Watermark(1), context)).unwrap();
    bench.call(|checked, context| checked.watermark_status(WatermarkStatus::Idle, context)).unwrap();
    bench.call(|checked, context| checked.processing_time(1, context)).unwrap();
    bench.call(|checked, context| checked.woken(context)).unwrap();
    bench.call(|checked, context| checked.prepare_barrier(context)).unwrap();
    bench.checked.snapshot(one, false).unwrap();
    assert!(bench.checked.snapshot_later().is_none());
    bench.checked.checkpoint_complete(one).unwrap();
    bench.checked.checkpoint_aborted(one).unwrap();
    bench.call(|checked, context| checked.input_dry(context)).unwrap();
    bench.call(|checked, context| checked.end_input(0, context)).unwrap();
    bench.call(|checked, context| checked.finish(context)).unwrap();
    bench.checked.close();
    let expected = [
        "open",
        "process",
        "watermark",
        "watermark_status",
        "processing_time",
        "woken",
        "prepare_barrier",
        "snapshot",
        "snapshot_later",
        "checkpoint_complete",
        "checkpoint_aborted",
        "input_dry",
        "end_input",
        "finish",
        "close",
    ];
    assert_eq!(*calls.lock(), expected);
    assert!(bench.checked.restores_in_parts());
    assert_eq!(bench.checked.backlog(), Backlog::Full);
    assert_eq!(bench.checked.committing(), Committing::UnderWay);
}
