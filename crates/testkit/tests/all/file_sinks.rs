//! Files of a sink in a whole job: which are visible when, after failures and restores too.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use flott_datastream::sink::{
    BasePathBucketAssigner, BucketAssigner, BucketContext, DateTimeBucketAssigner, FileSink,
};
use flott_datastream::{JobClient, Result};
use flott_testkit::{Fault, MiniCluster, TestSource};

/// The lines of the files below a directory, by their paths in it; `hidden`: of those that nobody may read yet.
fn files(directory: &Path, hidden: bool) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                if name != ".writers" {
                    directories.push(path);
                }
            } else if name.starts_with('.') == hidden {
                let name = path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(name, text.lines().map(str::to_owned).collect());
            }
        }
    }
    found
}

fn visible(directory: &Path) -> Vec<String> {
    let mut lines: Vec<String> = files(directory, false).into_values().flatten().collect();
    lines.sort();
    lines
}

struct Job {
    cluster: MiniCluster,
    source: TestSource<i64>,
    directory: tempfile::TempDir,
}

impl Job {
    fn new() -> Self {
        Job {
            cluster: MiniCluster::new().unwrap(),
            source: TestSource::new(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn lines(&self) -> FileSink<i64> {
        FileSink::lines(self.directory.path().to_str().unwrap(), i64::to_string).unwrap()
    }

    fn start(&self, sink: FileSink<i64>, restored: Option<&str>, parallelism: u32) -> JobClient {
        let env = self.cluster.environment();
        if let Some(path) = restored {
            env.set("execution.state-recovery.path", path);
        }
        let numbers = self.source.stream(&env).uid("numbers").map(|n| n).name("numbers");
        let numbers = if parallelism > 1 { numbers.rebalance() } else { numbers };
        numbers.sink_to(sink).uid("files").parallelism(parallelism);
        env.execute_async("files").unwrap()
    }

    fn push(&self, numbers: impl IntoIterator<Item = i64>) {
        self.source.push_all(numbers).unwrap();
    }
}

#[test]
fn small_files_become_visible_merged() {
    let job = Job::new();
    let client = job.start(job.lines().compact_after(3), None, 1);
    for n in 1..=2 {
        job.push([n]);
        job.cluster.checkpoint(&client).unwrap();
        assert!(visible(job.directory.path()).is_empty(), "after checkpoint {n}");
    }
    job.push([3]);
    job.cluster.checkpoint(&client).unwrap();
    job.cluster.settle().unwrap();
    let merged = files(job.directory.path(), false);
    let (name, lines) = merged.first_key_value().unwrap();
    assert_eq!((merged.len(), lines.join(" ")), (1, "1 2 3".to_owned()));
    assert!(name.starts_with("compacted-part-"), "{name}");
    assert!(files(job.directory.path(), true).is_empty(), "the parts are gone");

    // What is left at the end waits no longer.
    job.push([4]);
    job.cluster.checkpoint(&client).unwrap();
    job.push([5]);
    job.source.end();
    client.execution_result().unwrap();
    assert_eq!(visible(job.directory.path()), ["1", "2", "3", "4", "5"]);
    assert_eq!(files(job.directory.path(), false).len(), 2);
    assert!(files(job.directory.path(), true).is_empty());
}

#[test]
fn files_are_merged_when_they_are_large_enough() {
    let job = Job::new();
    let client = job.start(job.lines().compact_at(6), None, 1);
    for n in [10, 11] {
        job.push([n]);
        job.cluster.checkpoint(&client).unwrap();
        let expected: &[&str] = if n == 10 { &[] } else { &["10", "11"] };
        job.cluster.settle().unwrap();
        assert_eq!(visible(job.directory.path()), expected);
    }
    job.cluster.cancel(&client).unwrap();
}

/// A failure anywhere between: nothing is lost and nothing is there twice.
#[test]
fn a_failure_while_files_wait_loses_none_and_repeats_none() {
    for fault in
        [Fault::at_record("numbers", 4), Fault::at_barrier("numbers"), Fault::after_checkpoint("numbers")]
    {
        let job = Job::new();
        let sink = job.lines().compact_after(2);
        let client = job.start(sink, None, 1);
        let mut expected = Vec::new();
        for round in 0..6 {
            if round == 3 {
                job.cluster.fail(fault.clone());
            }
            let numbers = [round * 2 + 10, round * 2 + 11];
            job.push(numbers);
            expected.extend(numbers.map(|n| n.to_string()));
            // One of them fails.
            let _ = job.cluster.checkpoint(&client);
            job.cluster.settle().unwrap();
        }
        assert!(job.cluster.pending_faults().is_empty(), "{fault:?}");
        assert!(client.info().checkpoints.restored > 0, "{fault:?}");
        job.source.end();
        client.execution_result().unwrap();
        assert_eq!(visible(job.directory.path()), expected, "{fault:?}");
        assert!(files(job.directory.path(), true).is_empty(), "{fault:?}");
    }
}

/// The files that wait are part of a savepoint: another version, with more writers and without compaction, makes
/// them visible.
#[test]
fn files_that_wait_are_part_of_a_savepoint() {
    let job = Job::new();
    let client = job.start(job.lines().compact_after(100), None, 2);
    job.push(10..14);
    job.cluster.checkpoint(&client).unwrap();
    job.push(14..16);
    let savepoint = job.cluster.savepoint(&client).unwrap();
    job.cluster.cancel(&client).unwrap();
    assert!(visible(job.directory.path()).is_empty());
    let client = job.start(job.lines(), Some(&savepoint), 3);
    job.push([16]);
    job.cluster.checkpoint(&client).unwrap();
    job.cluster.settle().unwrap();
    let expected: Vec<String> = (10..17).map(|n| n.to_string()).collect();
    assert_eq!(visible(job.directory.path()), expected);
    job.cluster.cancel(&client).unwrap();
}

#[test]
fn a_directory_for_each_hour_and_names_of_the_programs_own() {
    let job = Job::new();
    let sink = job.lines().with_bucket_assigner(DateTimeBucketAssigner::default());
    let sink = sink.with_names("numbers", ".txt").unwrap().roll_on_checkpoint();
    let client = job.start(sink, None, 1);
    job.push([1]);
    job.cluster.advance(Duration::from_secs(3_600)).unwrap();
    job.push([2]);
    job.cluster.checkpoint(&client).unwrap();
    job.cluster.settle().unwrap();
    let found = files(job.directory.path(), false);
    let hours: Vec<&str> = found.keys().map(|name| name.split('/').next().unwrap()).collect();
    assert_eq!(hours, ["1970-01-12--13", "1970-01-12--14"]);
    let is_named = |name: &String| name.contains("/numbers-") && name.ends_with(".txt");
    assert!(found.keys().all(is_named), "{found:?}");
    job.cluster.cancel(&client).unwrap();
}

/// By the timestamp of the record; small numbers stay at the top.
#[derive(Clone)]
struct ByDay;

impl BucketAssigner<i64> for ByDay {
    fn bucket(&self, value: &i64, context: &BucketContext) -> Result<String> {
        match context.timestamp {
            Some(at) if *value > 1 => Ok(format!("day={}", at / 86_400_000)),
            Some(_) | None => BasePathBucketAssigner.bucket(value, context),
        }
    }
}

#[test]
fn an_assigner_of_the_programs_own_knows_the_timestamp() {
    let job = Job::new();
    let client = job.start(job.lines().with_bucket_assigner(ByDay), None, 1);
    job.source.push_at(1, 0).unwrap();
    job.source.push_at(2, 2 * 86_400_000).unwrap();
    job.cluster.checkpoint(&client).unwrap();
    job.cluster.settle().unwrap();
    let found = files(job.directory.path(), false);
    let directories: Vec<Option<&str>> =
        found.keys().map(|name| name.split_once('/').map(|(day, _)| day)).collect();
    assert_eq!(directories, [Some("day=2"), None]);
    job.cluster.cancel(&client).unwrap();
}
