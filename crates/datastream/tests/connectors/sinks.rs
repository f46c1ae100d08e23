//! Sinks of values.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, Records};
use flott_connector::conformance::{SinkUnderTest, check_sink, commit};
use flott_connector::{Consumes, Sink, SinkContext};
use flott_datastream::sink::{DiscardingSink, FileSink, FunctionSink};
use flott_types::clock::ManualClock;
use flott_types::{CheckpointId, Error, JobId, Result, SubtaskIndex};
use parking_lot::Mutex;

fn values(number: usize) -> Vec<(u64, String)> {
    (0..5u64).map(|row| (row, format!("b{number}r{row}"))).collect()
}

struct Files {
    directory: tempfile::TempDir,
    make: fn(&str) -> FileSink<(u64, String)>,
}

impl SinkUnderTest for Files {
    fn sink(&self) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new((self.make)(self.directory.path().to_str().unwrap())))
    }

    fn batch(&self, number: usize) -> Batch {
        Records::new(values(number)).into()
    }

    fn rows(&self, number: usize) -> Vec<String> {
        values(number).into_iter().map(|(_, text)| text).collect()
    }

    fn visible(&self) -> Result<Vec<String>> {
        Ok(visible(self.directory.path()).into_iter().flat_map(|(_, lines)| lines).collect())
    }
}

/// The lines of each file that is not hidden, by its path below the directory.
fn visible(directory: &Path) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if !path.file_name().unwrap().to_str().unwrap().starts_with('.') {
                let name = path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((name, text.lines().map(str::to_owned).collect()));
            }
        }
    }
    found.sort();
    found
}

fn lines(path: &str) -> FileSink<(u64, String)> {
    FileSink::lines(path, |(_, text): &(u64, String)| text.clone()).unwrap()
}

fn files(make: fn(&str) -> FileSink<(u64, String)>) -> Box<dyn SinkUnderTest> {
    Box::new(Files { directory: tempfile::tempdir().unwrap(), make })
}

#[test]
fn files_hold_the_rules() {
    check_sink(&|| files(lines)).unwrap();
    check_sink(&|| files(|path| lines(path).with_file_size(10))).unwrap();
    check_sink(&|| files(|path| lines(path).with_file_size(10).compact_after(1))).unwrap();
    check_sink(&|| files(|path| lines(path).roll_on_checkpoint())).unwrap();
    check_sink(&|| files(|path| lines(path).with_buckets(|(row, _)| format!("b={}", row % 2)))).unwrap();
}

fn context(clock: &Arc<ManualClock>) -> SinkContext {
    SinkContext {
        job: JobId(1),
        attempt: 1,
        subtask: SubtaskIndex(0),
        parallelism: 1,
        restored: None,
        schema: None,
        metrics: Default::default(),
        waker: Default::default(),
        clock: clock.clone(),
    }
}

#[test]
fn files_are_closed_when_they_are_large_or_old() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let clock = Arc::new(ManualClock::new(0));
    let sink = lines(path).with_file_size(20);
    let mut writer = sink.writer(context(&clock), Vec::new()).unwrap();
    (0..3).for_each(|batch| writer.write(Records::new(values(batch)).into()).unwrap());
    let committables = writer.prepare_commit(CheckpointId(1), false).unwrap().wait().unwrap();
    assert_eq!(committables.len(), 3);

    let sink = lines(path).with_intervals(Duration::from_secs(10), Duration::from_secs(3));
    let mut writer = sink.writer(context(&clock), Vec::new()).unwrap();
    writer.write(Records::new(values(0)).into()).unwrap();
    let due = writer.next_time().unwrap();
    assert!(due <= 3_000, "{due}");
    clock.set(due);
    writer.on_time(due).unwrap();
    assert_eq!(writer.next_time(), None);
    writer.write(Records::new(values(1)).into()).unwrap();
    assert_eq!(writer.prepare_commit(CheckpointId(1), false).unwrap().wait().unwrap().len(), 2);
}

#[test]
fn a_value_goes_to_the_directory_of_its_bucket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let clock = Arc::new(ManualClock::new(0));
    let sink = lines(path).with_buckets(|(row, _)| format!("parity/{}", row % 2));
    let mut writer = sink.writer(context(&clock), Vec::new()).unwrap();
    writer.write(Records::new(values(0)).into()).unwrap();
    commit(&sink, &writer.prepare_commit(CheckpointId(1), true).unwrap().wait().unwrap()).unwrap();
    let found = visible(directory.path());
    let directories: Vec<&str> = found.iter().map(|(name, _)| &name[..8]).collect();
    assert_eq!(directories, ["parity/0", "parity/1"]);
    assert_eq!(found[1].1, ["b0r1", "b0r3"]);

    let sink = lines(path).with_buckets(|_| "../elsewhere".to_owned());
    let mut writer = sink.writer(context(&clock), Vec::new()).unwrap();
    let error = writer.write(Records::new(values(0)).into()).unwrap_err().to_string();
    assert!(error.contains("'../elsewhere' of a file is not below"), "{error}");
}

struct Functions(Arc<Mutex<Vec<String>>>);

impl SinkUnderTest for Functions {
    fn sink(&self) -> Result<Arc<dyn Sink>> {
        let seen = self.0.clone();
        Ok(Arc::new(FunctionSink::new(move |(_, text): (u64, String)| {
            seen.lock().push(text);
            Ok(())
        })))
    }

    fn batch(&self, number: usize) -> Batch {
        Records::new(values(number)).into()
    }

    fn rows(&self, number: usize) -> Vec<String> {
        values(number).into_iter().map(|(_, text)| text).collect()
    }

    fn visible(&self) -> Result<Vec<String>> {
        Ok(self.0.lock().clone())
    }
}

#[test]
fn a_function_sees_each_value() {
    check_sink(&|| Box::new(Functions(Arc::default()))).unwrap();
}

#[test]
fn the_error_of_a_function_is_the_sinks() {
    let clock = Arc::new(ManualClock::new(0));
    let sink = FunctionSink::new(|value: i64| match value {
        3 => Err(Error::data("no three")),
        _ => Ok(()),
    });
    let mut writer = sink.writer(context(&clock), Vec::new()).unwrap();
    writer.write(Records::new(vec![1i64, 2]).into()).unwrap();
    assert_eq!(writer.write(Records::new(vec![3i64]).into()).unwrap_err().message(), "no three");
}

#[test]
fn what_is_discarded_is_gone() {
    fn takes(_: &impl Consumes<String>) {}
    takes(&DiscardingSink);
    let clock = Arc::new(ManualClock::new(0));
    let mut writer = DiscardingSink.writer(context(&clock), Vec::new()).unwrap();
    writer.write(Records::new(vec!["x".to_owned()]).into()).unwrap();
    assert!(writer.prepare_commit(CheckpointId(1), true).unwrap().wait().unwrap().is_empty());
}
