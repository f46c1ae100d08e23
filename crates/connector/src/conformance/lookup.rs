//! The rules for every lookup.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::Thread;
use std::time::Duration;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use flott_operator::MetricGroup;
use flott_types::clock::ManualClock;
use flott_types::{Result, SubtaskIndex};

use super::broken;
use crate::lookup::{Found, Lookup, LookupContext, LookupFuture, LookupTable};

/// A table that is looked up, and what is in it.
pub trait LookupUnderTest {
    /// The table, as each task would make it.
    fn table(&self) -> Result<Arc<dyn LookupTable>>;

    /// Keys, each once: at least three that the table has, of which one has several rows, and one that it has
    /// not.
    fn keys(&self) -> RecordBatch;

    /// The rows of each of these keys, in any order, as texts; none of a key that the table does not have.
    fn expected(&self) -> Vec<Vec<String>>;

    /// The rows of a batch as texts.
    fn texts(&self, rows: &RecordBatch) -> Result<Vec<String>>;
}

/// An answer without a wake-up is found nevertheless, but late.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 1_200;

/// Holds a table against the rules:
///
/// - each key is answered with its rows and no others, whether it is asked for alone or with others, and in
///   whatever order;
/// - a key that occurs twice in a request is answered twice, with the same rows;
/// - a key that the table does not have has no rows, and an answer without rows has the columns of one with
///   rows;
/// - what is asked again is answered the same;
/// - answers that come later may be waited for in any order, and need not be waited for.
///
/// # Errors
/// The rule that is broken, and when.
pub fn check_lookup(test: &dyn LookupUnderTest) -> Result<()> {
    let (keys, expected) = (test.keys(), test.expected());
    let count = keys.num_rows();
    let of = |wanted: &dyn Fn(usize) -> bool| expected.iter().filter(|rows| wanted(rows.len())).count();
    if count != expected.len()
        || of(&|rows| rows > 0) < 3
        || of(&|rows| rows > 1) < 1
        || of(&|rows| rows == 0) < 1
    {
        return Err(broken("the test has no three keys with rows, one with several, and one without"));
    }
    let all: Vec<usize> = (0..count).collect();
    let backwards: Vec<usize> = (0..count).rev().collect();
    let twice: Vec<usize> = all.iter().chain(&backwards).copied().collect();
    let missing: Vec<usize> = (0..count).filter(|key| expected[*key].is_empty()).collect();
    let mut asked = Asked { test, keys, expected, lookup: open(test)?, schema: None };
    for (when, question) in [("all keys", &all), ("backwards", &backwards), ("each key twice", &twice)] {
        asked.check(question).map_err(|error| error.context(when))?;
    }
    asked.check(&missing).map_err(|error| error.context("only keys that there are not"))?;
    for key in &all {
        asked.check(&[*key]).map_err(|error| error.context("one key alone"))?;
        asked.check(&[*key, *key, *key]).map_err(|error| error.context("one key three times"))?;
    }
    asked.check(&twice).map_err(|error| error.context("all of it again"))?;
    asked.lookup = open(test)?;
    asked.check(&missing).map_err(|error| error.context("first of all keys that there are not"))?;
    asked.lookup = open(test)?;
    asked.overlap(&[&all, &backwards, &twice, &missing]).map_err(|error| error.context("several at once"))
}

fn open(test: &dyn LookupUnderTest) -> Result<Lookup> {
    test.table()?.lookup(LookupContext {
        subtask: SubtaskIndex(0),
        parallelism: 1,
        clock: Arc::new(ManualClock::new(1_700_000_000_000)),
        metrics: MetricGroup::default(),
    })
}

struct Asked<'a> {
    test: &'a dyn LookupUnderTest,
    keys: RecordBatch,
    expected: Vec<Vec<String>>,
    lookup: Lookup,
    /// The columns of the first answer.
    schema: Option<arrow::datatypes::SchemaRef>,
}

impl Asked<'_> {
    fn question(&self, numbers: &[usize]) -> Result<RecordBatch> {
        let rows = UInt32Array::from_iter_values(numbers.iter().map(|number| *number as u32));
        take_record_batch(&self.keys, &rows).map_err(|error| broken("the test's keys").with_source(error))
    }

    fn check(&mut self, numbers: &[usize]) -> Result<()> {
        let question = self.question(numbers)?;
        let found = match &mut self.lookup {
            Lookup::Sync(lookup) => lookup.lookup(&question)?,
            Lookup::Async(lookup) => wait(lookup.lookup(question))?,
        };
        self.compare(numbers, &found)
    }

    /// Questions that are in progress at once: one is given up, the others are waited for from the last to
    /// the first.
    fn overlap(&mut self, questions: &[&[usize]]) -> Result<()> {
        let batches = questions.iter().map(|numbers| self.question(numbers)).collect::<Result<Vec<_>>>()?;
        let Lookup::Async(lookup) = &mut self.lookup else { return Ok(()) };
        let mut answers: Vec<LookupFuture> = batches.into_iter().map(|keys| lookup.lookup(keys)).collect();
        drop(answers.remove(0));
        while let Some(answer) = answers.pop() {
            let found = wait(answer)?;
            self.compare(questions[answers.len() + 1], &found)?;
        }
        Ok(())
    }

    fn compare(&mut self, numbers: &[usize], found: &Found) -> Result<()> {
        let schema = self.schema.get_or_insert_with(|| found.rows().schema()).clone();
        if found.rows().schema() != schema {
            return Err(broken(format!(
                "an answer has the columns {:?} instead of {schema:?}",
                found.rows().schema()
            )));
        }
        let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (key, text) in found.keys().iter().zip(self.test.texts(found.rows())?) {
            rows.entry(*key).or_default().push(text);
        }
        for (place, number) in (0..).zip(numbers) {
            let (mut rows, mut expected) =
                (rows.remove(&place).unwrap_or_default(), self.expected[*number].clone());
            rows.sort();
            expected.sort();
            if rows != expected {
                return Err(broken(format!(
                    "key {number}, asked for as number {place}, has {rows:?} instead of {expected:?}"
                )));
            }
        }
        match rows.first_key_value() {
            None => Ok(()),
            Some((place, rows)) => {
                Err(broken(format!("there are rows of key number {place}, which nobody asked for: {rows:?}")))
            }
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for an answer.
fn wait(mut answer: LookupFuture) -> Result<Found> {
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = Context::from_waker(&waker);
    for _ in 0..LOOKS {
        if let Poll::Ready(found) = answer.as_mut().poll(&mut context) {
            return found;
        }
        std::thread::park_timeout(LOOK);
    }
    Err(broken("there is no answer"))
}
