//! A sink with two phases: what it wrote becomes visible when it is committed, once for each committable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flott_batch::{Batch, WatermarkStatus};
use flott_connector::{
    AnyOption, CommitOutcome, CommitRequest, Committable, Committer, CommitterContext, Connector,
    GlobalCommitterContext, Manual, Options, Payload, Prepared, Sink, SinkContext, SinkWriter, TableContext,
    TableOption, WithDefault,
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
    /// The names of what subtasks were handed to commit.
    pub expected: Mutex<BTreeSet<String>>,
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
    by: By,
    waits: bool,
    table: String,
}

/// Who commits the rows of a batch: those with an even v one, those with an odd v another.
type By = (Who, Who);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Subtask,
    Job,
}

const BY: TableOption<By, WithDefault> = TableOption::word(
    "by",
    &[
        ("subtasks", (Who::Subtask, Who::Subtask)),
        ("job", (Who::Job, Who::Job)),
        ("both", (Who::Subtask, Who::Job)),
    ],
    "who commits",
)
.or("subtasks");
const WAITS: TableOption<bool, WithDefault> =
    TableOption::flag("waits", "whether the global committer lets everything wait").or("false");
const DIRECT: TableOption<bool, WithDefault> =
    TableOption::flag("direct", "whether there is no second phase").or("false");

impl Connector for TestSinkConnector {
    fn name(&self) -> &'static str {
        "test-sink"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&DIRECT, &BY, &WAITS];
        Manual { options: OPTIONS, ..Manual::default() }
    }

    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        let direct = options.get(&DIRECT)?;
        let (by, waits) = (options.get(&BY)?, options.get(&WAITS)?);
        let table = spec.table.name.clone();
        let (committed, controls) = (self.0.clone(), self.1.clone());
        Ok(Arc::new(TestSink { committed, controls, direct, by, waits, table }))
    }
}

impl Sink for TestSink {
    fn writer(&self, context: SinkContext, restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        assert!(restored.is_empty());
        Ok(Box::new(TestWriter {
            committed: self.committed.clone(),
            controls: self.controls.clone(),
            direct: self.direct,
            by: self.by,
            prefix: format!("{}-{}-{}", self.table, context.attempt, context.subtask),
            rows: Vec::new(),
            idle: false,
        }))
    }

    fn committer(&self, _: CommitterContext) -> Result<Box<dyn Committer>> {
        let (committed, controls) = (self.committed.clone(), self.controls.clone());
        Ok(Box::new(TestCommitter { committed, controls, global: false, waits: false }))
    }

    fn commits_globally(&self) -> bool {
        self.by.1 == Who::Job
    }

    fn global_committer(&self, _: GlobalCommitterContext) -> Result<Box<dyn Committer>> {
        let (committed, controls) = (self.committed.clone(), self.controls.clone());
        Ok(Box::new(TestCommitter { committed, controls, global: true, waits: self.waits }))
    }

    fn is_two_phase(&self) -> bool {
        !self.direct
    }
}

struct TestCommitter {
    committed: Arc<Committed>,
    controls: Arc<Controls>,
    global: bool,
    waits: bool,
}

impl Committer for TestCommitter {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        self.controls.fault(if self.global { "global commit" } else { "commit" })?;
        let lost = || self.global && self.controls.lose_global_commits.load(Ordering::SeqCst);
        while self.global && !lost() && self.controls.hold_global_commits.load(Ordering::SeqCst) {
            self.controls.held_global_commits.fetch_add(1, Ordering::SeqCst);
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
        if lost() {
            return Err(Error::external("a commit that is lost"));
        }
        if self.waits {
            return Ok(vec![CommitOutcome::Wait { after: None }; requests.len()]);
        }
        let half = self.controls.fault("half of a global commit").err().filter(|_| self.global);
        let requests = if half.is_some() { &requests[..requests.len() / 2] } else { requests };
        let outcome = |request: &CommitRequest| {
            let text = request.committable.payload.text("a committable")?;
            let (name, rows) = text.split_once('=').ok_or_else(|| Error::state("no committable"))?;
            let rows = serde_json::from_str(rows).unwrap();
            if let Some(own) = name.strip_suffix("-global").map(|prefix| format!("{prefix}-own")) {
                let expected = self.committed.expected.lock().contains(&own);
                let there = self.committed.parts.lock().contains_key(&own);
                assert!(there || !expected, "{name} is committed before what the subtask commits of it");
            }
            self.committed.parts.lock().insert(name.to_owned(), rows);
            *self.committed.commits.lock() += 1;
            Ok(CommitOutcome::Committed)
        };
        let outcomes = requests.iter().map(outcome).collect();
        half.map_or(outcomes, Err)
    }
}

struct TestWriter {
    committed: Arc<Committed>,
    controls: Arc<Controls>,
    direct: bool,
    by: By,
    prefix: String,
    rows: Vec<Change>,
    idle: bool,
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
        for _ in &rows {
            let millis = self.controls.millis_per_row.load(Ordering::SeqCst);
            if millis > 0 {
                std::thread::park_timeout(std::time::Duration::from_millis(millis));
            }
            self.controls.written.fetch_add(1, Ordering::SeqCst);
        }
        if self.direct {
            self.committed.direct.lock().extend(rows);
        } else {
            let sign = |row| if changes.kind(row).is_addition() { 1 } else { -1 };
            self.rows.extend(rows.into_iter().enumerate().map(|(row, (k, v))| (k, v, sign(row))));
        }
        Ok(())
    }

    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        let idle = status == WatermarkStatus::Idle;
        let more = i64::from(idle) - i64::from(std::mem::replace(&mut self.idle, idle));
        self.controls.idle_sinks.fetch_add(more, Ordering::SeqCst);
        Ok(())
    }

    fn prepare_commit(&mut self, checkpoint: CheckpointId, _end: bool) -> Result<Prepared> {
        if self.rows.is_empty() {
            return Ok(Prepared::default());
        }
        let of = |row: &Change| if row.1 % 2 == 0 { self.by.0 } else { self.by.1 };
        let (own, global): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.rows).into_iter().partition(|row| of(row) == Who::Subtask);
        let mut committables = Vec::new();
        for (rows, suffix) in [(own, "own"), (global, "global")] {
            if rows.is_empty() {
                continue;
            }
            let name = format!("{}-{checkpoint}-{suffix}", self.prefix);
            let payload = Payload::new(1, format!("{name}={}", serde_json::to_string(&rows).unwrap()));
            if suffix == "own" {
                self.committed.expected.lock().insert(name);
                committables.push(Committable::new(payload));
            } else {
                committables.push(Committable::global(payload));
            }
        }
        Ok(committables.into())
    }
}
