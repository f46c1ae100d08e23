//! A sink with two phases: what it wrote becomes visible when it is committed, once for each committable.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flott_batch::Batch;
use flott_connector::{
    AnyOption, CommitOutcome, CommitRequest, Committable, Committer, CommitterContext, Connector, Manual,
    Options, Payload, Prepared, Sink, SinkContext, SinkWriter, TableContext, TableOption, WithDefault,
};
use flott_plan::SinkSpec;
use flott_types::{CheckpointId, Error, Result};
use parking_lot::Mutex;

use super::source::Controls;

/// k, v, and 1 for an addition or -1 for a retraction.
pub type Change = (i64, i64, i64);

/// What readers of the table see.
#[derive(Default)]
pub struct Committed {
    /// By committable, so that a second commit changes nothing.
    pub parts: Mutex<BTreeMap<String, Vec<Change>>>,
    /// What a sink of one phase wrote.
    pub direct: Mutex<Vec<(i64, i64)>>,
    /// Rows in writers, over all, at most.
    pub commits: Mutex<u64>,
}

impl Committed {
    /// What remains when retractions have taken away what they retract, sorted.
    pub fn rows(&self) -> Vec<(i64, i64)> {
        let mut counts = BTreeMap::new();
        for (k, v, sign) in self.parts.lock().values().flatten() {
            *counts.entry((*k, *v)).or_insert(0) += sign;
        }
        assert!(
            counts.values().all(|count| *count >= 0),
            "a row was retracted that was not there: {counts:?}"
        );
        counts.into_iter().flat_map(|(row, count)| std::iter::repeat_n(row, count as usize)).collect()
    }
}

pub struct TestSinkConnector(pub Arc<Committed>, pub Arc<Controls>);

struct TestSink {
    committed: Arc<Committed>,
    controls: Arc<Controls>,
    direct: bool,
    table: String,
}

const DIRECT: TableOption<bool, WithDefault> =
    TableOption::flag("direct", "whether there is no second phase").or("false");

impl Connector for TestSinkConnector {
    fn name(&self) -> &'static str {
        "test-sink"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&DIRECT];
        Manual { options: OPTIONS, ..Manual::default() }
    }

    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        let direct = options.get(&DIRECT)?;
        let table = spec.table.name.clone();
        Ok(Arc::new(TestSink { committed: self.0.clone(), controls: self.1.clone(), direct, table }))
    }
}

impl Sink for TestSink {
    fn writer(&self, context: SinkContext, restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        assert!(restored.is_empty());
        Ok(Box::new(TestWriter {
            committed: self.committed.clone(),
            controls: self.controls.clone(),
            direct: self.direct,
            prefix: format!("{}-{}-{}", self.table, context.attempt, context.subtask),
            rows: Vec::new(),
        }))
    }

    fn committer(&self, _: CommitterContext) -> Result<Box<dyn Committer>> {
        Ok(Box::new(TestCommitter { committed: self.committed.clone(), controls: self.controls.clone() }))
    }

    fn is_two_phase(&self) -> bool {
        !self.direct
    }
}

struct TestCommitter {
    committed: Arc<Committed>,
    controls: Arc<Controls>,
}

impl Committer for TestCommitter {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        self.controls.fault("commit")?;
        let outcome = |request: &CommitRequest| {
            let text = request.committable.payload.text("a committable")?;
            let (name, rows) = text.split_once('=').ok_or_else(|| Error::state("no committable"))?;
            let rows = serde_json::from_str(rows).unwrap();
            self.committed.parts.lock().insert(name.to_owned(), rows);
            *self.committed.commits.lock() += 1;
            Ok(CommitOutcome::Committed)
        };
        requests.iter().map(outcome).collect()
    }
}

struct TestWriter {
    committed: Arc<Committed>,
    controls: Arc<Controls>,
    direct: bool,
    prefix: String,
    rows: Vec<Change>,
}

impl SinkWriter for TestWriter {
    fn write(&mut self, batch: Batch) -> Result<()> {
        if self.controls.hold_sinks.load(Ordering::SeqCst) {
            self.controls.held_sinks.fetch_add(1, Ordering::SeqCst);
        }
        while self.controls.hold_sinks.load(Ordering::SeqCst) {
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
        let Batch::Changes(changes) = batch else {
            return Err(Error::internal("not columns"));
        };
        let changes = changes.compact()?;
        let rows = super::pairs(changes.columns());
        if self.direct {
            self.committed.direct.lock().extend(rows);
        } else {
            let sign = |row| if changes.kind(row).is_addition() { 1 } else { -1 };
            self.rows.extend(rows.into_iter().enumerate().map(|(row, (k, v))| (k, v, sign(row))));
        }
        Ok(())
    }

    fn prepare_commit(&mut self, checkpoint: CheckpointId, _end: bool) -> Result<Prepared> {
        if self.rows.is_empty() {
            return Ok(Prepared::default());
        }
        let rows = serde_json::to_string(&std::mem::take(&mut self.rows)).unwrap();
        let payload = Payload::new(1, format!("{}-{checkpoint}={rows}", self.prefix));
        Ok(vec![Committable { payload }].into())
    }
}
