//! Values of a program's types that wait in full channels are part of a checkpoint whose barriers overtake.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use flott_cluster::JobStatus;
use flott_datastream::{
    Error, JobClient, KeyedContext, KeyedProcessFunction, Result, RuntimeContext, ValueState,
};

use crate::support::{LONG, Seen, environment, once_running, wait_until};

const VALUES: i64 = 60_000;
const KEYS: i64 = 7;

#[derive(Default)]
struct Controls {
    /// A value takes a millisecond.
    slow: AtomicBool,
    fails: AtomicBool,
    read: AtomicU64,
    counted: AtomicU64,
}

/// How often a key has come.
#[derive(Clone)]
struct Count {
    count: ValueState<u64>,
    controls: Arc<Controls>,
}

impl KeyedProcessFunction<i64, i64> for Count {
    type Out = (i64, u64);

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.count = context.value_state("count")?;
        Ok(())
    }

    fn process_element(&mut self, value: i64, ctx: &mut KeyedContext<'_, i64, (i64, u64)>) -> Result<()> {
        if self.controls.slow.load(Ordering::SeqCst) {
            std::thread::park_timeout(Duration::from_millis(3));
        }
        if self.controls.fails.swap(false, Ordering::SeqCst) {
            return Err(Error::external("a fault of the test"));
        }
        self.controls.counted.fetch_add(1, Ordering::SeqCst);
        let count = self.count.take(ctx).unwrap_or(0) + 1;
        self.count.set(ctx, count);
        ctx.collect((value % KEYS, count));
        Ok(())
    }
}

fn start(
    folder: &tempfile::TempDir,
    parallelism: u32,
    from: Option<&str>,
    controls: &Arc<Controls>,
) -> (Seen<(i64, u64)>, JobClient) {
    let env = environment(2, from);
    env.set("execution.checkpointing.interval", "1 h")
        .set("execution.checkpointing.dir", folder.path().display())
        .set("execution.checkpointing.unaligned.enabled", true)
        .set("pipeline.name", "unaligned")
        .set("restart-strategy.type", "fixed-delay")
        .set("restart-strategy.fixed-delay.delay", "0 ms")
        .set("table.exec.batch-size", 1_024);
    let reading = controls.clone();
    let numbers = env.from_sequence(1, VALUES).uid("numbers").map(move |n| {
        reading.read.fetch_add(1, Ordering::SeqCst);
        n
    });
    let count = Count { count: ValueState::default(), controls: controls.clone() };
    let counts = numbers.uid("read").key_by(|n: &i64| n % KEYS).process(count);
    let seen = Seen::of(&counts.uid("count").parallelism(parallelism));
    (seen, env.execute_async("unaligned").unwrap())
}

/// Waits until the channels are full, and takes a checkpoint that does not wait for them.
fn checkpoint_under_pressure(controls: &Controls, job: &JobClient) {
    let of = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
    let (mut before, mut still) = (0, 0);
    assert!(wait_until(|| {
        let now = of(&controls.read);
        still = if now == before && of(&controls.counted) > 0 { still + 1 } else { 0 };
        before = now;
        still > 100
    }));
    let (read, counted) = (of(&controls.read), of(&controls.counted));
    assert!(read < VALUES as u64, "the channels hold everything: there is no pressure");
    once_running(|| job.trigger_checkpoint(false)).unwrap();
    let (under_way, meanwhile) = (read - counted, of(&controls.counted) - counted);
    assert!(meanwhile < under_way / 2, "{meanwhile} of {under_way} values were counted meanwhile");
}

/// Counts say so if anything is lost or comes twice; that a sink without a transaction gets some again does not matter.
fn check(seen: &Seen<(i64, u64)>) {
    let mut most = BTreeMap::new();
    for (key, count) in seen.now() {
        let known = most.entry(key).or_insert(0);
        *known = count.max(*known);
    }
    let of = |key: i64| (1..=VALUES).filter(|n| n % KEYS == key).count() as u64;
    assert_eq!(most, (0..KEYS).map(|key| (key, of(key))).collect());
}

#[test]
fn values_under_way_come_again_after_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let controls = Arc::new(Controls { slow: true.into(), ..Controls::default() });
    let (seen, job) = start(&folder, 2, None, &controls);
    checkpoint_under_pressure(&controls, &job);
    controls.slow.store(false, Ordering::SeqCst);
    controls.fails.store(true, Ordering::SeqCst);
    assert_eq!(job.wait_for(LONG), Some(JobStatus::Finished), "{:#?}", job.info());
    assert_eq!(job.info().checkpoints.restored, 1);
    check(&seen);
}

#[test]
fn values_under_way_go_to_the_owners_of_their_keys() {
    for parallelism in [1, 3] {
        let folder = tempfile::tempdir().unwrap();
        let controls = Arc::new(Controls { slow: true.into(), ..Controls::default() });
        let (_, job) = start(&folder, 2, None, &controls);
        checkpoint_under_pressure(&controls, &job);
        job.cancel();
        assert!(job.wait_for(LONG).is_some());
        controls.slow.store(false, Ordering::SeqCst);
        let (seen, job) = start(&folder, parallelism, Some("latest"), &controls);
        assert_eq!(job.wait_for(LONG), Some(JobStatus::Finished), "{:#?}", job.info());
        assert_eq!(job.info().checkpoints.restored, 1);
        check(&seen);
    }
}
