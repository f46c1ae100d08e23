//! Drives one subtask of an operator in tests: records and watermarks in, text out; snapshots, and what is
//! restored from them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, Record, Records, WatermarkStatus};
use flott_operator::testing::{Subtasks, task_info};
use flott_operator::{Backlog, Operator, Output};
use flott_runtime::TaskOptions;
use flott_types::{FastMap, Result, Timestamp, Watermark};

use flott_function::state::Key;
use flott_values::key_hash;

/// A wait of this length has failed.
const LONG: Duration = Duration::from_secs(30);

type Side = fn(Batch) -> Vec<String>;

/// The output: `value@timestamp`, `tag:value@timestamp`, `W10`, `Idle`.
struct Texts {
    main: Side,
    sides: FastMap<String, Side>,
    texts: Vec<String>,
}

fn texts<T: Record + Debug>(batch: Batch) -> Vec<String> {
    let records = batch.into_records::<T>().unwrap();
    let timestamp = |at| records.timestamp(at).map_or(String::new(), |timestamp| format!("@{timestamp}"));
    let text = |(at, value)| format!("{value:?}{}", timestamp(at));
    records.values.iter().enumerate().map(text).collect()
}

impl Output for Texts {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        self.texts.extend((self.main)(batch));
        Ok(())
    }

    fn emit_side(&mut self, tag: &str, batch: Batch) -> Result<()> {
        let values = self.sides[tag](batch).into_iter();
        self.texts.extend(values.map(|value| format!("{tag}:{value}")));
        Ok(())
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        self.texts.push(format!("W{}", watermark.0));
        Ok(())
    }

    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        self.texts.push(format!("{status:?}"));
        Ok(())
    }
}

/// The contents of snapshots, of all subtasks.
#[derive(Clone, Default)]
pub struct Stored {
    stored: flott_operator::testing::Stored,
    /// How many keyed rows the last snapshot had, including deletions.
    pub changes: usize,
}

impl Deref for Stored {
    type Target = flott_operator::testing::Stored;

    fn deref(&self) -> &Self::Target {
        &self.stored
    }
}

impl DerefMut for Stored {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.stored
    }
}

/// One subtask.
pub struct Harness(Subtasks<Texts>);

pub const MAX_PARALLELISM: u32 = 128;

pub fn options() -> Arc<TaskOptions> {
    Arc::new(TaskOptions::parse(&BTreeMap::new()).unwrap())
}

impl Harness {
    /// A subtask of an operator with output of type `O`, opened with its part of the stored state.
    pub fn restored<O: Record + Debug>(
        operator: impl Operator + 'static,
        stored: &Stored,
        subtask: u32,
        parallelism: u32,
    ) -> Self {
        let mut subtasks =
            Subtasks::new(Texts { main: texts::<O>, sides: FastMap::default(), texts: Vec::new() });
        let info = task_info(subtask, parallelism, MAX_PARALLELISM);
        subtasks.open(info, Box::new(operator), stored).unwrap();
        Harness(subtasks)
    }

    /// Declares a side output of this name with values of type `X`.
    pub fn side<X: Record + Debug>(mut self, tag: &str) -> Self {
        self.0.output.sides.insert(tag.to_owned(), texts::<X>);
        self
    }

    /// Output that was not looked at.
    pub fn taken(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0.output.texts)
    }

    /// Pushes records of an input; returns the output.
    pub fn push<T: Record>(&mut self, input: usize, values: impl IntoIterator<Item = T>) -> Vec<String> {
        let batch = Records::new(values.into_iter().collect()).into();
        self.0.process(0, input, batch).unwrap();
        self.taken()
    }

    /// Records with timestamps and keys.
    pub fn push_keyed<K: Key, T: Record>(
        &mut self,
        input: usize,
        key: impl Fn(&T) -> K,
        records: impl IntoIterator<Item = (T, Timestamp)>,
    ) -> Result<Vec<String>> {
        let (values, timestamps): (Vec<T>, Vec<_>) = records.into_iter().unzip();
        let routes = values.iter().map(|value| key_hash(&key(value))).collect::<Result<_>>()?;
        let batch = Records { values, timestamps: Some(timestamps), routes: Some(routes) }.into();
        self.0.process(0, input, batch)?;
        Ok(self.taken())
    }

    /// Advances event time; returns the output.
    pub fn watermark(&mut self, at: Timestamp) -> Vec<String> {
        self.0.watermark(at).unwrap();
        self.taken()
    }

    /// Sets the clock; returns the output.
    pub fn clock(&mut self, at: Timestamp) -> Result<Vec<String>> {
        self.0.clock(at)?;
        Ok(self.taken())
    }

    /// Sets the clock without calling the operator.
    pub fn set_clock(&mut self, at: Timestamp) {
        self.0.now = at;
    }

    /// Waits until the operator has woken its task, and calls it; returns the output.
    pub fn wait_woken(&mut self) -> Result<Vec<String>> {
        self.0.wait_woken(0, LONG)?;
        Ok(self.taken())
    }

    pub fn backlog(&self) -> Backlog {
        self.0.backlog(0).unwrap()
    }

    /// Sends a barrier and stores what changed; returns the output before it.
    pub fn snapshot(&mut self, stored: &mut Stored) -> Vec<String> {
        stored.changes = self.0.checkpoint(&mut stored.stored, false).unwrap();
        self.taken()
    }

    /// Ends the inputs; returns the output.
    pub fn finish(&mut self) -> Vec<String> {
        self.0.finish().unwrap();
        self.taken()
    }

    pub fn close(mut self) {
        self.0.close();
    }
}
