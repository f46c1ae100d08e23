//! Commits that are refused for now: rows keep flowing, checkpoints contain the remaining committables, and
//! no task ends before they are committed.

use std::sync::Arc;
use std::time::Duration;

use flott_batch::Batch;
use flott_connector::{
    CommitOutcome, CommitRequest, Committable, Committer, CommitterContext, Consumes, Payload, Prepared,
    Sink, SinkContext, SinkWriter,
};
use flott_datastream::Result;
use flott_testkit::{MiniCluster, TestSource};
use flott_types::CheckpointId;
use parking_lot::Mutex;

/// A store that refuses this many commits before it accepts them.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    written: Vec<i64>,
    visible: Vec<i64>,
    refusals: usize,
    /// What happened, in order.
    log: Vec<String>,
    restored: Vec<Option<CheckpointId>>,
}

impl Store {
    fn visible(&self) -> Vec<i64> {
        self.0.lock().visible.clone()
    }

    fn refuse(&self, times: usize) {
        self.0.lock().refusals = times;
    }
}

impl Sink for Store {
    fn writer(&self, context: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        let mut state = self.0.lock();
        state.restored.push(context.restored);
        state.log.push("writer".to_owned());
        Ok(Box::new(Writer { store: self.clone(), rows: Vec::new() }))
    }

    fn is_two_phase(&self) -> bool {
        true
    }

    fn committer(&self, _: CommitterContext) -> Result<Box<dyn Committer>> {
        Ok(Box::new(self.clone()))
    }
}

impl Consumes<i64> for Store {}

impl Committer for Store {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        let mut state = self.0.lock();
        let outcome = |request: &CommitRequest| {
            let row: i64 = request.committable.payload.from_json(&[1], "a row")?;
            if state.refusals > 0 {
                state.refusals -= 1;
                return Ok(CommitOutcome::Retry { after: Some(1_000), reason: "busy".to_owned() });
            }
            if state.visible.contains(&row) {
                return Ok(CommitOutcome::AlreadyCommitted);
            }
            state.visible.push(row);
            state.log.push(format!("commit {row}"));
            Ok(CommitOutcome::Committed)
        };
        requests.iter().map(outcome).collect()
    }
}

struct Writer {
    store: Store,
    rows: Vec<i64>,
}

impl SinkWriter for Writer {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let values = batch.into_records::<i64>()?.values;
        self.store.0.lock().written.extend(&values);
        self.rows.extend(values);
        Ok(())
    }

    fn prepare_commit(&mut self, _: CheckpointId, _: bool) -> Result<Prepared> {
        let rows = std::mem::take(&mut self.rows);
        let committable = |row| Ok(Committable::new(Payload::json(1, &row)?));
        Ok(Prepared::Later(Box::new(move || rows.into_iter().map(committable).collect())))
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_refused_commit_blocks_nobody_and_is_retried() -> Result<()> {
    let cluster = MiniCluster::new()?;
    let env = cluster.environment();
    let (source, store) = (TestSource::new(), Store::default());
    source.stream(&env).sink_to(store.clone());
    let job = env.execute_async("refused")?;
    store.refuse(2);
    source.push(1)?;
    cluster.checkpoint(&job)?;
    assert!(store.visible().is_empty());
    source.push(2)?;
    cluster.settle()?;
    assert_eq!(store.0.lock().written, [1, 2], "rows go on");
    cluster.advance(SECOND)?;
    assert!(store.visible().is_empty(), "refused again");
    cluster.checkpoint(&job)?;
    assert_eq!(store.visible(), [2], "one does not wait for the other");
    cluster.advance(SECOND)?;
    assert_eq!(store.visible(), [2, 1]);

    // At the end the job waits for it.
    store.refuse(1);
    source.push(3)?;
    source.end();
    cluster.settle()?;
    assert!(!job.status().is_terminal(), "{}", job.status());
    cluster.advance(SECOND)?;
    job.execution_result()?;
    assert_eq!(store.visible(), [2, 1, 3]);
    Ok(())
}

#[test]
fn what_a_checkpoint_holds_and_is_not_committed_is_committed_before_the_writer_is_there() -> Result<()> {
    let cluster = MiniCluster::new()?;
    let env = cluster.environment();
    let (source, store) = (TestSource::new(), Store::default());
    source.stream(&env).sink_to(store.clone());
    let job = env.execute_async("restored")?;
    source.push(1)?;
    store.refuse(1);
    cluster.checkpoint(&job)?;
    source.push(2)?;
    cluster.checkpoint(&job)?;
    // The second checkpoint contains the first committable too.
    assert_eq!(store.visible(), [2]);
    source.fail("on purpose");
    cluster.settle()?;
    assert_eq!(store.0.lock().log, ["writer", "commit 2", "commit 1", "writer"]);
    assert_eq!(store.0.lock().restored, [None, Some(CheckpointId(2))]);
    cluster.cancel(&job)
}
