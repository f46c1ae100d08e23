//! Whatever crosses between two tasks of a program can be written as bytes and read again, by the types that
//! the program knows.

use std::sync::Arc;

use flott_cluster::LocalClusterOptions;
use flott_datastream::*;
use flott_runtime::piped::PipedExchanges;
use serde::{Deserialize, Serialize};

/// A cluster whose exchanges go through bytes, and channels that are full with this many.
fn piped(credit: usize) -> Arc<Executor> {
    Executor::start(move |registry, operators| {
        let mut options = LocalClusterOptions::new(Arc::new(registry), operators, 1_000);
        options.exchanges = Arc::new(PipedExchanges::new(credit, options.threads.clone()));
        options
    })
    .unwrap()
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
enum Event {
    Small { n: i64, word: Option<String> },
    Large(Vec<i64>),
}

/// Numbers, and the odd ones beside them.
#[derive(Clone)]
struct Split(OutputTag<String>);

impl ProcessFunction<i64> for Split {
    type Out = Event;

    fn process_element(&mut self, n: i64, context: &mut ProcessContext<'_, Event>) -> Result<()> {
        if n % 2 == 1 {
            context.output(&self.0, format!("odd {n}"));
        }
        context.collect(match n % 3 {
            0 => Event::Large((0..n % 7).collect()),
            1 => Event::Small { n, word: None },
            _ => Event::Small { n, word: Some("ü".repeat(n as usize % 4)) },
        });
        Ok(())
    }
}

/// Every kind of exchange, values of several types, side outputs, keys, windows.
fn results(env: &StreamExecutionEnvironment) -> Vec<String> {
    env.set_parallelism(3).set("pipeline.operator-chaining.enabled", false);
    let odd = OutputTag::new("odd");
    let split = env.from_sequence(1, 300).process(Split(odd.clone()));
    let size = |event: &Event| match event {
        Event::Small { n, word } => n + word.as_ref().map_or(0, |word| word.len() as i64),
        Event::Large(numbers) => numbers.iter().sum(),
    };
    // How often each size has occurred by then: independent of the order.
    let sized = split.map(move |event| (size(&event) % 10, 1)).rebalance().map(|pair: (i64, i64)| pair);
    let counts = sized.key_by(|pair: &(i64, i64)| pair.0).reduce(|a, b| (a.0, a.1 + b.1));
    let sizes = counts.map(|(size, count)| format!("{size} for the {count}th time"));
    let odd = split.side_output(&odd);
    let everywhere = odd.broadcast().map(|text| format!("{text} everywhere"));
    let numbers = env.from_sequence(1, 50);
    let pairs = numbers.map(|n| (n, n.to_string())).parallelism(2).rescale();
    let pairs = pairs.map(|(n, text): (i64, String)| format!("{n} is {text}"));
    let chosen =
        odd.partition_custom(|key: &usize, parts: u32| *key as u32 % parts, |text: &String| text.len(), 3);
    let all = sizes.union(&everywhere).union(&pairs).union(&chosen).union(&odd.global());
    let mut results: Vec<String> =
        all.execute_and_collect("test").unwrap().map(|result| result.unwrap()).collect();
    results.sort();
    results
}

#[test]
fn a_program_gives_the_same_when_every_exchange_goes_through_bytes() {
    let expected = results(&StreamExecutionEnvironment::new());
    assert!(expected.len() > 1_000, "{}", expected.len());
    for credit in [1, 4_096] {
        assert_eq!(results(&StreamExecutionEnvironment::on(piped(credit))), expected, "credit {credit}");
    }
}

/// Adds the number of its subtask.
#[derive(Clone, Default)]
struct Where(u32);

impl ProcessFunction<Vec<u32>> for Where {
    type Out = Vec<u32>;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.0 = context.subtask_index();
        Ok(())
    }

    fn process_element(
        &mut self,
        mut seen: Vec<u32>,
        context: &mut ProcessContext<'_, Vec<u32>>,
    ) -> Result<()> {
        seen.push(self.0);
        context.collect(seen);
        Ok(())
    }
}

/// For each exchange where values were before and after it: two subtasks send to three.
fn crossed(exchange: fn(&DataStream<Vec<u32>>) -> DataStream<Vec<u32>>, receivers: u32) -> Vec<Vec<u32>> {
    let env = StreamExecutionEnvironment::new();
    let numbers = env.from_sequence(1, 600).map(|_| Vec::new()).parallelism(2);
    let sent = numbers.rebalance().process(Where::default()).parallelism(2);
    let received = exchange(&sent).process(Where::default()).parallelism(receivers);
    let all: Vec<Vec<u32>> = received.execute_and_collect("test").unwrap().collect::<Result<_>>().unwrap();
    assert!(all.iter().all(|seen| seen.len() == 2 && seen[0] < 2 && seen[1] < receivers), "{all:?}");
    all
}

#[test]
fn values_come_to_the_subtasks_that_the_exchange_says() {
    let spread = |all: &[Vec<u32>]| {
        let mut counts = [0; 3];
        all.iter().for_each(|seen| counts[seen[1] as usize] += 1);
        counts
    };
    for exchange in [DataStream::shuffle, DataStream::rebalance] {
        assert_eq!(spread(&crossed(exchange, 3)), [200; 3]);
    }
    assert_eq!(spread(&crossed(DataStream::broadcast, 3)), [600; 3]);
    assert_eq!(spread(&crossed(DataStream::global, 3)), [600, 0, 0]);
    let stayed = crossed(DataStream::forward, 2);
    assert_eq!(stayed.len(), 600);
    assert!(stayed.iter().all(|seen| seen[0] == seen[1]), "{stayed:?}");
    assert_eq!(crossed(DataStream::rescale, 3).len(), 600);
}

/// Sums, and stops with a savepoint; answers where that lies, and in what the program differs from that of
/// the savepoint before.
fn round(name: &str, folder: &std::path::Path, savepoint: Option<&str>) -> (String, Vec<String>) {
    let env = crate::support::environment(2, savepoint);
    env.set("execution.checkpointing.savepoint-dir", folder.display());
    let numbers = env.from_sequence(1, i64::MAX);
    let sums = numbers.uid("numbers").key_by(|n: &i64| n % 3).reduce(|a, b| a.wrapping_add(b));
    sums.name(name).uid("sums").discard();
    let job = env.execute_async("sums").unwrap();
    let changed = match &job.beginning().from {
        flott_cluster::BeganFrom::Snapshot(point) => point.changed.clone(),
        _ => Vec::new(),
    };
    assert!(crate::support::wait_until(|| job.metrics().records_read() > 0));
    let stop = || job.stop_with_savepoint(None, false);
    (crate::support::once_running(stop).unwrap(), changed)
}

#[test]
fn a_program_that_continues_from_anothers_savepoint_learns_what_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (savepoint, _) = round("sum", folder.path(), None);
    let (savepoint, changed) = round("sum", folder.path(), Some(&savepoint));
    assert_eq!(changed, [""; 0], "the same program");
    let (_, changed) = round("total", folder.path(), Some(&savepoint));
    assert_eq!(changed, ["'total' (uid 'sums') is called 'total' in the program and 'sum' in the snapshot"]);
}
