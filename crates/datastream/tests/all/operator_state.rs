//! Operator state, and checkpoint notifications of functions.

use std::collections::BTreeMap;
use std::sync::Arc;

use std::time::Duration;

use flott_datastream::window::{AllWindowContext, GlobalWindow, NoKey, ProcessWindowFunction};
use flott_datastream::{
    AsyncFunction, AsyncOptions, BroadcastContext, BroadcastProcessFunction, BroadcastState, JoinContext,
    OperatorListState, ProcessContext, ProcessFunction, ProcessJoinFunction, ReadOnlyContext, Result,
    RuntimeContext, SavepointReader, SnapshotContext, StreamExecutionEnvironment, WatermarkStrategy,
};
use flott_types::CheckpointId;
use flott_types::clock::ManualClock;
use parking_lot::Mutex;

use crate::support::{Feed, Seen, cluster, environment, stop, wait_until};

/// Keeps values in two lists, and those that come to all subtasks in a map. A negative one asks what is
/// there.
#[derive(Clone, Default)]
struct Keeper {
    subtask: u32,
    restored: bool,
    dealt: OperatorListState<i64>,
    united: OperatorListState<i64>,
    shared: BroadcastState<String, i64>,
}

/// Values from here on go to all subtasks.
const SHARED: i64 = 1_000;

/// Subtask, restored, dealt, united, shared.
type Kept = (u32, bool, Vec<i64>, Vec<i64>, BTreeMap<String, i64>);

impl BroadcastProcessFunction<i64, i64> for Keeper {
    type Out = Kept;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.subtask = context.subtask_index();
        self.restored = context.is_restored();
        self.dealt = context.operator_list_state("dealt")?;
        self.united = context.union_list_state("united")?;
        self.shared = context.broadcast_state("shared")?;
        Ok(())
    }

    fn process_element(&mut self, value: i64, ctx: &mut ReadOnlyContext<'_, Kept>) -> Result<()> {
        self.dealt.add(ctx, value);
        let sum = self.united.get(ctx).iter().sum::<i64>() + value;
        self.united.update(ctx, [sum]);
        Ok(())
    }

    fn process_broadcast_element(&mut self, value: i64, ctx: &mut BroadcastContext<'_, Kept>) -> Result<()> {
        if value >= 0 {
            self.shared.insert(ctx, format!("key {}", value % 3), value);
            return Ok(());
        }
        let mut dealt = self.dealt.get(ctx).to_vec();
        dealt.sort_unstable();
        let mut united = self.united.get(ctx).to_vec();
        united.sort_unstable();
        let shared = self.shared.iter(ctx).map(|(key, value)| (key.clone(), *value)).collect();
        ctx.collect((self.subtask, self.restored, dealt, united, shared));
        Ok(())
    }
}

/// What all subtasks have at the start; then they get these values, and a savepoint is taken.
fn round(
    parallelism: u32,
    savepoint: Option<&str>,
    values: &[i64],
    folder: &tempfile::TempDir,
) -> (Vec<Kept>, String) {
    let env = environment(parallelism, savepoint);
    let (dealt, to_all) = (Feed::new(), Feed::new());
    let source = env.from_source(to_all.clone(), WatermarkStrategy::no_watermarks(), "to all");
    let to_all_stream = source.parallelism(1).uid("to all");
    let kept = dealt
        .stream(&env)
        .rebalance()
        .connect_broadcast(&to_all_stream)
        .process(Keeper::default())
        .uid("keeper");
    let seen = Seen::of(&kept);
    let job = env.execute_async("keeper").unwrap();
    to_all.push([-1]);
    let before = seen.take(parallelism as usize, &job);
    dealt.push(values.iter().copied().filter(|value| *value < SHARED));
    to_all.push(values.iter().copied().filter(|value| *value >= SHARED));
    let shared = values.iter().filter(|value| **value >= SHARED).count();
    let expected = parallelism as usize * (1 + shared) + values.len() - shared;
    let records = || {
        let metrics = job.metrics();
        let keepers = metrics.operators().filter(|(_, operator)| operator.uid.0 == "keeper");
        keepers.map(|(_, operator)| operator.num_records_in as usize).sum::<usize>()
    };
    assert!(wait_until(|| records() >= expected));
    let savepoint = stop(&job, folder);
    (before, savepoint)
}

#[test]
fn lists_are_dealt_out_or_united_and_broadcast_state_is_everywhere_once() {
    let folder = tempfile::tempdir().unwrap();
    let (kept, mut savepoint) = round(2, None, &[0, 1, 2, 3, 4, 5, 1_000, 1_001, 1_002, 1_003], &folder);
    let nothing = |subtask| (subtask, false, vec![], vec![], BTreeMap::new());
    assert_eq!(kept, [nothing(0), nothing(1)]);
    let shared = [("key 0", 1_002), ("key 1", 1_003), ("key 2", 1_001)];
    let shared: BTreeMap<String, i64> = shared.map(|(key, value)| (key.to_owned(), value)).into();
    // A united list has what all subtasks had, each of which had it all: as in Flink, it is for those that
    // know their part.
    for (parallelism, united, sum) in [(3, 2, 15), (1, 2 * 3, 15 * 3), (2, 2 * 3, 15 * 3)] {
        let (kept, next) = round(parallelism, Some(&savepoint), &[], &folder);
        let mut dealt: Vec<i64> = kept.iter().flat_map(|kept| kept.2.clone()).collect();
        dealt.sort_unstable();
        assert_eq!(dealt, [0, 1, 2, 3, 4, 5], "each value is at one subtask");
        assert!(parallelism > 2 || kept.iter().all(|kept| !kept.2.is_empty()), "they are spread");
        for (_, restored, _, own, own_shared) in &kept {
            assert!(restored, "the function knows that it is restored");
            assert_eq!((own.len(), own.iter().sum::<i64>()), (united, sum));
            assert_eq!(*own_shared, shared);
        }
        savepoint = next;
    }
}

#[test]
fn lists_and_broadcast_state_are_read_from_a_savepoint() {
    let folder = tempfile::tempdir().unwrap();
    let (_, savepoint) = round(2, None, &[0, 1, 2, 3, 4, 5, 1_000, 1_001], &folder);
    let env = environment(1, None);
    let reader = SavepointReader::open(&env, &savepoint).unwrap();
    let dealt = reader.list_state::<i64>("keeper", "dealt").unwrap();
    let mut dealt: Vec<i64> = dealt.execute_and_collect("dealt").unwrap().collect::<Result<_>>().unwrap();
    dealt.sort_unstable();
    assert_eq!(dealt, [0, 1, 2, 3, 4, 5]);
    let shared = reader.broadcast_state::<String, i64>("keeper", "shared").unwrap();
    let mut shared: Vec<_> = shared.execute_and_collect("shared").unwrap().collect::<Result<_>>().unwrap();
    shared.sort();
    assert_eq!(shared, [("key 1".to_owned(), 1_000), ("key 2".to_owned(), 1_001)]);
    let told = |result: Result<()>| result.unwrap_err().to_string();
    assert!(told(reader.list_state::<String>("keeper", "dealt").map(drop)).contains("is read as STRING"));
    assert!(told(reader.list_state::<i64>("keeper", "others").map(drop)).contains("no state 'others'"));
    assert!(told(reader.list_state::<i64>("others", "dealt").map(drop)).contains("no operator 'others'"));
}

/// Counts in a field, and writes the count into its state when a snapshot is taken.
#[derive(Clone, Default)]
struct Counter {
    count: u64,
    stored: OperatorListState<u64>,
    told: Arc<Mutex<Told>>,
}

/// The checkpoints that a function was asked for, and what it was told of them.
#[derive(Clone, Default, Debug)]
struct Told {
    asked: Vec<CheckpointId>,
    completed: Vec<CheckpointId>,
    aborted: Vec<CheckpointId>,
}

impl ProcessFunction<i64> for Counter {
    type Out = u64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.stored = context.operator_list_state("count")?;
        Ok(())
    }

    fn process_element(&mut self, _: i64, ctx: &mut ProcessContext<'_, u64>) -> Result<()> {
        self.count += self.stored.take(ctx).iter().sum::<u64>() + 1;
        ctx.collect(self.count);
        Ok(())
    }

    fn snapshot_state(&mut self, ctx: &mut SnapshotContext<'_>) -> Result<()> {
        let before: u64 = self.stored.get(ctx).iter().sum();
        self.stored.update(ctx, [before + std::mem::take(&mut self.count)]);
        self.told.lock().asked.push(ctx.checkpoint_id());
        Ok(())
    }

    fn notify_checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.told.lock().completed.push(checkpoint);
        Ok(())
    }

    fn notify_checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.told.lock().aborted.push(checkpoint);
        Ok(())
    }
}

#[test]
fn a_function_is_called_before_a_snapshot_and_notified_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let mut savepoint: Option<String> = None;
    for round in 0..3u64 {
        let env = environment(1, savepoint.as_deref());
        let (feed, function) = (Feed::new(), Counter::default());
        let told = function.told.clone();
        let seen = Seen::of(&feed.stream(&env).process(function).uid("counter"));
        let job = env.execute_async("counter").unwrap();
        feed.push([1, 1]);
        assert_eq!(seen.take(2, &job), [3 * round + 1, 3 * round + 2]);
        job.trigger_savepoint(Some(folder.path().to_str().unwrap())).unwrap();
        feed.push([1]);
        assert_eq!(seen.take(1, &job), [3 * round + 3]);
        savepoint = Some(stop(&job, &folder));
        let told = told.lock().clone();
        assert_eq!(told.asked.len(), 2);
        assert_eq!(told.completed.last(), told.asked.last(), "{told:?}");
    }
}

#[test]
fn a_function_is_notified_when_a_checkpoint_is_aborted() {
    let clock = Arc::new(ManualClock::new(1_000_000));
    let env = StreamExecutionEnvironment::on(cluster(&clock));
    env.set_parallelism(1).set("execution.checkpointing.timeout", "1 min");
    env.set("execution.checkpointing.tolerable-failed-checkpoints", 10);
    let (feed, function) = (Feed::new(), Counter::default());
    let told = function.told.clone();
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.clone();
    let counts = feed.stream(&env).process(function).uid("counter");
    let behind_gate = counts.map(move |count| {
        drop(closed.lock());
        count
    });
    let seen = Seen::of(&behind_gate.disable_chaining());
    let job = env.execute_async("counter").unwrap();
    let shut = gate.lock();
    feed.push([1]);
    assert!(wait_until(|| {
        let metrics = job.metrics();
        metrics.operators().any(|(_, operator)| operator.uid.0 == "counter" && operator.num_records_in == 1)
    }));
    // The barrier is stuck behind the value that does not come through the gate.
    let asking = job.clone();
    let asked = std::thread::spawn(move || crate::support::once_running(|| asking.trigger_checkpoint(false)));
    assert!(wait_until(|| !told.lock().asked.is_empty()));
    clock.advance(100_000);
    asked.join().unwrap().unwrap_err();
    assert!(wait_until(|| !told.lock().aborted.is_empty()), "{:?}", told.lock());
    drop(shut);
    assert_eq!(seen.take(1, &job), [1]);
    job.trigger_checkpoint(false).unwrap();
    assert!(wait_until(|| !told.lock().completed.is_empty()), "{:?}", told.lock());
    let told = told.lock().clone();
    assert_eq!(
        (told.asked.len(), &told.aborted[..], &told.completed[..]),
        (2, &told.asked[..1], &told.asked[1..])
    );
    job.cancel();
}

/// Counts its calls outside its state, and writes the count to the state when a snapshot is taken.
#[derive(Clone, Default)]
struct Calls {
    since: Arc<Mutex<u64>>,
    stored: OperatorListState<u64>,
    told: Arc<Mutex<Told>>,
    /// What the state was at the last snapshot.
    counted: Arc<Mutex<u64>>,
}

impl Calls {
    fn call(&self) {
        *self.since.lock() += 1;
    }

    fn snapshot(&self, ctx: &mut SnapshotContext<'_>) {
        let before: u64 = self.stored.get(ctx).iter().sum();
        let count = before + std::mem::take(&mut *self.since.lock());
        self.stored.update(ctx, [count]);
        *self.counted.lock() = count;
        self.told.lock().asked.push(ctx.checkpoint_id());
    }

    /// Called for two checkpoints and notified of the last one, with this many calls in the state.
    fn check(&self, count: u64) {
        let told = self.told.lock();
        assert_eq!((told.asked.len(), told.completed.last()), (2, told.asked.last()), "{told:?}");
        assert_eq!(*self.counted.lock(), count);
    }
}

#[derive(Clone, Default)]
struct Windows(Calls);

#[derive(Clone, Default)]
struct Pairs(Calls);

#[derive(Clone, Default)]
struct Requests(Calls);

impl ProcessWindowFunction<NoKey, GlobalWindow, i64> for Windows {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.0.stored = context.operator_list_state("calls")?;
        Ok(())
    }

    fn snapshot_state(&mut self, context: &mut SnapshotContext<'_>) -> Result<()> {
        self.0.snapshot(context);
        Ok(())
    }

    fn notify_checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.0.told.lock().completed.push(checkpoint);
        Ok(())
    }

    fn process(&mut self, values: &[i64], ctx: &mut AllWindowContext<'_, GlobalWindow, i64>) -> Result<()> {
        self.0.call();
        values.iter().for_each(|value| ctx.collect(*value));
        Ok(())
    }
}

impl ProcessJoinFunction<i64, i64> for Pairs {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.0.stored = context.operator_list_state("calls")?;
        Ok(())
    }

    fn snapshot_state(&mut self, context: &mut SnapshotContext<'_>) -> Result<()> {
        self.0.snapshot(context);
        Ok(())
    }

    fn notify_checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.0.told.lock().completed.push(checkpoint);
        Ok(())
    }

    fn process_element(&mut self, left: &i64, _: &i64, ctx: &mut JoinContext<'_, i64>) -> Result<()> {
        self.0.call();
        ctx.collect(*left);
        Ok(())
    }
}

impl AsyncFunction<i64> for Requests {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.0.stored = context.operator_list_state("calls")?;
        Ok(())
    }

    fn snapshot_state(&self, context: &mut SnapshotContext<'_>) -> Result<()> {
        self.0.snapshot(context);
        Ok(())
    }

    fn notify_checkpoint_complete(&self, checkpoint: CheckpointId) -> Result<()> {
        self.0.told.lock().completed.push(checkpoint);
        Ok(())
    }

    async fn invoke(&self, value: i64) -> Result<Vec<i64>> {
        self.0.call();
        Ok(vec![value])
    }
}

#[test]
fn functions_of_windows_pairs_and_requests_have_operator_state_and_checkpoint_notifications() {
    let folder = tempfile::tempdir().unwrap();
    let mut savepoint: Option<String> = None;
    for round in 1..=2u64 {
        let env = environment(1, savepoint.as_deref());
        let (windows, pairs, requests) = (Windows::default(), Pairs::default(), Requests::default());
        let feed = Feed::new();
        let strategy = WatermarkStrategy::for_monotonous_timestamps();
        let strategy = strategy.with_timestamp_assigner(|value: &i64, _| *value);
        let values = feed.stream(&env).assign_timestamps_and_watermarks(strategy).uid("times");
        let windowed = values.count_window_all(1).process(windows.clone()).uid("windows");
        let keyed = values.key_by(|value| *value);
        let joined = keyed.interval_join(&keyed).between(0, 0).process(pairs.clone()).uid("pairs");
        let options = AsyncOptions::ordered(Duration::from_secs(60));
        let asked = values.async_map(requests.clone(), options).uid("requests");
        let seen = Seen::of(&windowed.union(&joined).union(&asked));
        let job = env.execute_async("calls").unwrap();
        let first = 10 * round as i64;
        feed.push([first]);
        assert_eq!(seen.take(3, &job), [first; 3]);
        job.trigger_savepoint(Some(folder.path().to_str().unwrap())).unwrap();
        feed.push([first + 1]);
        assert_eq!(seen.take(3, &job), [first + 1; 3]);
        savepoint = Some(stop(&job, &folder));
        [&windows.0, &pairs.0, &requests.0].into_iter().for_each(|calls| calls.check(2 * round));
    }
}
