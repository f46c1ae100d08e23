//! Whole programs whose functions fail: nothing is lost or doubled, and what is late is late in every run.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test must not meet ends it")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flott_datastream::sink::FileSink;
use flott_datastream::source::{CollectionSource, HybridSource, RateLimited, SequenceSource};
use flott_datastream::{
    Error, ProcessContext, ProcessFunction, Result, StreamExecutionEnvironment, WatermarkStrategy,
};
use parking_lot::Mutex;

fn environment(parallelism: u32) -> StreamExecutionEnvironment {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(parallelism).enable_checkpointing(Duration::from_millis(5));
    env.set("restart-strategy.type", "fixed-delay")
        .set("restart-strategy.fixed-delay.attempts", 100)
        .set("restart-strategy.fixed-delay.delay", "1 ms")
        // Small batches, so that checkpoints come between them.
        .set("table.exec.batch-size", 7);
    env
}

/// Fails after this many values, over all subtasks; then as many later once more, and so on.
#[derive(Clone)]
struct Faults {
    every: i64,
    left: Arc<Mutex<Left>>,
}

/// What is left: values up to the next fault, and faults.
/// One lock for both: two subtasks that count down at once must not both take the last fault.
struct Left {
    values: i64,
    faults: u32,
}

impl Faults {
    fn new(every: i64, faults: u32) -> Self {
        Faults { every, left: Arc::new(Mutex::new(Left { values: every, faults })) }
    }

    fn pass(&self) -> Result<()> {
        let mut left = self.left.lock();
        left.values -= 1;
        if left.values > 0 || left.faults == 0 {
            return Ok(());
        }
        *left = Left { values: self.every, faults: left.faults - 1 };
        Err(Error::external("a fault of the test"))
    }

    fn left(&self) -> u32 {
        self.left.lock().faults
    }
}

/// The lines of all files that can be seen.
fn lines(directory: &Path) -> Vec<i64> {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let visible = files.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
    let text: Vec<String> = visible.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mut lines: Vec<i64> =
        text.iter().flat_map(|text| text.lines()).map(|line| line.parse().unwrap()).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn each_value_of_a_chain_of_sources_is_in_the_files_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let env = environment(2);
    let numbers = RateLimited::new(SequenceSource::new(1, 400).unwrap(), 4_000.0).unwrap();
    let source = HybridSource::new(numbers).then(CollectionSource::new(1_001..=1_100i64).unwrap()).unwrap();
    let faults = Faults::new(100, 4);
    env.from_source(source, WatermarkStrategy::no_watermarks(), "numbers")
        .try_map({
            let faults = faults.clone();
            move |number: i64| faults.pass().map(|()| number)
        })
        .sink_to(FileSink::lines(path.to_str().unwrap(), i64::to_string).unwrap());
    env.execute("files").unwrap();
    assert_eq!(faults.left(), 0, "the test does not test: there were too few faults");
    assert_eq!(lines(&path), (1..=400).chain(1_001..=1_100).collect::<Vec<_>>());
}

/// Puts out the events that are late.
#[derive(Clone)]
struct Late(Faults);

impl ProcessFunction<i64> for Late {
    type Out = i64;

    fn process_element(&mut self, value: i64, context: &mut ProcessContext<'_, i64>) -> Result<()> {
        self.0.pass()?;
        let timestamp = context.timestamp().unwrap_or_else(|| panic!("event {value} has no timestamp"));
        if timestamp <= context.current_watermark().0 {
            context.collect(value);
        }
        Ok(())
    }
}

/// The events that are late, of a stream in which one event of ten is far ahead of the nine behind it:
/// whoever forgets the watermark takes those that follow for punctual. Event time advances by more than the
/// watermark interval at a time, so that no clock has a say.
fn late(faults: &Faults) -> Vec<i64> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("late");
    let env = environment(1);
    let numbers = RateLimited::new(SequenceSource::new(1, 300).unwrap(), 3_000.0).unwrap();
    let strategy = WatermarkStrategy::for_bounded_out_of_orderness(Duration::from_millis(5_000))
        .with_timestamp_assigner(|number: &i64, _| {
            number * 1_000 - if number % 10 == 1 { 0 } else { 20_000 }
        });
    env.from_source(numbers, strategy, "numbers")
        .process(Late(faults.clone()))
        .sink_to(FileSink::lines(path.to_str().unwrap(), i64::to_string).unwrap());
    env.execute("late").unwrap();
    lines(&path)
}

#[test]
fn what_is_late_is_late_after_a_failure_too() {
    let undisturbed = late(&Faults::new(i64::MAX, 0));
    assert!(undisturbed.len() > 200, "{} events are late: the test does not test", undisturbed.len());
    for every in [35, 47, 59] {
        let faults = Faults::new(every, 5);
        assert_eq!(late(&faults), undisturbed, "a fault after every {every} events");
        assert_eq!(faults.left(), 0);
    }
}
