//! Programs that are started again.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use flott::prelude::*;
use flott::restore::{BeganFrom, LATEST, RESTORE_PATH};

const ROWS: i64 = 100;

/// Runs a program to its end, and says what it began with.
fn run(folder: &Path, name: &str, restore: Option<&str>, seen: &Arc<AtomicI64>) -> BeganFrom {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(1)
        .set("execution.checkpointing.dir", folder.display())
        .enable_checkpointing(Duration::from_millis(10));
    if let Some(path) = restore {
        env.set(RESTORE_PATH, path);
    }
    let seen = seen.clone();
    env.from_sequence(1, ROWS)
        .map(move |value| {
            seen.fetch_add(value, Ordering::SeqCst);
            value
        })
        .discard();
    let client = env.execute_async(name).unwrap();
    client.execution_result().unwrap();
    client.beginning().from.clone()
}

#[test]
fn a_finished_program_does_nothing_when_it_continues_from_its_latest_state() {
    let folder = tempfile::tempdir().unwrap();
    let seen = Arc::<AtomicI64>::default();
    let sum = |times: i64| times * ROWS * (ROWS + 1) / 2;
    let began = run(folder.path(), "totals", Some(LATEST), &seen);
    assert!(matches!(began, BeganFrom::NoState { others: 0, .. }), "{began:?}");
    assert_eq!(seen.load(Ordering::SeqCst), sum(1));
    let began = run(folder.path(), "totals", Some(LATEST), &seen);
    assert!(matches!(began, BeganFrom::Finished { .. }), "{began:?}");
    assert_eq!(seen.load(Ordering::SeqCst), sum(1), "it ran again");
    // By another name it is another program; and without `latest` it starts over.
    let began = run(folder.path(), "others", Some(LATEST), &seen);
    assert!(matches!(began, BeganFrom::NoState { .. }), "{began:?}");
    let began = run(folder.path(), "totals", None, &seen);
    assert!(matches!(began, BeganFrom::Nothing), "{began:?}");
    assert_eq!(seen.load(Ordering::SeqCst), sum(3));
}

#[test]
fn a_program_runs_once_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let start = |name: &str| {
        let env = StreamExecutionEnvironment::new();
        env.set_parallelism(1).set("execution.checkpointing.dir", folder.path().display());
        env.from_sequence(1, i64::MAX).discard();
        env.execute_async(name)
    };
    let first = start("totals").unwrap();
    let error = start("totals").err().unwrap().to_string();
    assert!(error.contains("job 'totals' is already running: process"), "{error}");
    let other = start("others").unwrap();
    [first, other].iter().for_each(|client| client.cancel());
}
