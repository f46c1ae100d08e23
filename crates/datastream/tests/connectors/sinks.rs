//! Sinks of values.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, Records};
use flott_connector::conformance::{SinkUnderTest, check_sink, commit};
use flott_connector::{CommitOutcome, CommitRequest, CommitterContext, Consumes, Sink, SinkContext};
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
    waits: bool,
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

    fn lets_wait(&self) -> bool {
        self.waits
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
    Box::new(Files { directory: tempfile::tempdir().unwrap(), make, waits: false })
}

#[test]
fn files_hold_the_rules() {
    check_sink(&|| files(lines)).unwrap();
    check_sink(&|| files(|path| lines(path).with_file_size(10))).unwrap();
    check_sink(&|| files(|path| lines(path).with_file_size(10).compact_after(1))).unwrap();
    check_sink(&|| files(|path| lines(path).roll_on_checkpoint())).unwrap();
    check_sink(&|| files(|path| lines(path).with_buckets(|(row, _)| format!("b={}", row % 2)))).unwrap();
}

#[test]
fn files_that_wait_to_be_merged_hold_the_rules() {
    let merging = |make| -> Box<dyn SinkUnderTest> {
        Box::new(Files { directory: tempfile::tempdir().unwrap(), make, waits: true })
    };
    check_sink(&|| merging(|path| lines(path).compact_after(2))).unwrap();
    check_sink(&|| merging(|path| lines(path).with_file_size(10).compact_after(3))).unwrap();
    check_sink(&|| merging(|path| lines(path).compact_at(60))).unwrap();
}

/// What was merged is removed once the merged file is visible. If it cannot be now, it is tried again.
#[test]
fn what_was_merged_is_removed_later_if_it_cannot_be_now() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(0));
    let sink = lines(directory.path().to_str().unwrap()).compact_after(2);
    let mut writer = sink.writer(context(&clock), Vec::new()).unwrap();
    writer.write(Records::new(values(0)).into()).unwrap();
    assert_eq!(writer.prepare_commit(CheckpointId(1), false).unwrap().wait().unwrap(), []);
    let hidden = |entry: std::fs::DirEntry| {
        let lines = std::fs::read_to_string(entry.path()).is_ok_and(|text| text.starts_with("b0r0"));
        lines.then(|| entry.path())
    };
    let part = std::fs::read_dir(directory.path()).unwrap().find_map(|entry| hidden(entry.unwrap())).unwrap();
    writer.write(Records::new(values(1)).into()).unwrap();
    let merged = writer.prepare_commit(CheckpointId(2), false).unwrap().wait().unwrap();
    // A directory is not removed as a file is.
    std::fs::remove_file(&part).unwrap();
    std::fs::create_dir(&part).unwrap();
    let merged: Vec<_> = merged.iter().map(|one| CommitRequest::new(CheckpointId(2), one.clone())).collect();
    let commit = || {
        let (subtask, metrics) = (SubtaskIndex(0), Default::default());
        let context = CommitterContext { job: JobId(1), subtask, metrics, clock: clock.clone() };
        sink.committer(context).unwrap().commit(&merged).unwrap()
    };
    assert!(matches!(commit()[..], [CommitOutcome::Retry { .. }]), "{:?}", commit());
    std::fs::remove_dir(&part).unwrap();
    assert_eq!(commit(), [CommitOutcome::Committed]);
    let lines: Vec<String> = visible(directory.path()).into_iter().flat_map(|(_, lines)| lines).collect();
    assert_eq!(lines.len(), 10, "{lines:?}");
}

fn context(clock: &Arc<ManualClock>) -> SinkContext {
    SinkContext {
        job: JobId(1),
        attempt: 1,
        succession: None,
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
