//! A source under test, and a reader driven by hand.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, Record};
use flott_connector::conformance::{ByHand, SourceUnderTest};
use flott_connector::{Poll, Produces, ReaderContext, Source, SourceOutput, SourceReader, Waker};
use flott_datastream::source::TextFileSource;
use flott_types::clock::ManualClock;
use flott_types::{Clock, Result, SubtaskIndex};

/// A source of values whose `Debug` tells them apart.
pub struct Values<T, M> {
    pub make: M,
    pub expected: Vec<T>,
    pub endless: bool,
}

impl<T, M, S> SourceUnderTest for Values<T, M>
where
    T: Record + Debug,
    S: Produces<T> + 'static,
    M: Fn() -> S,
{
    fn source(&self) -> Result<Arc<dyn Source>> {
        Ok(Arc::new((self.make)()))
    }

    fn texts(&self, batch: Batch) -> Result<Vec<String>> {
        Ok(batch.into_records::<T>()?.values.iter().map(|value| format!("{value:?}")).collect())
    }

    fn expected(&self) -> Vec<String> {
        self.expected.iter().map(|value| format!("{value:?}")).collect()
    }

    fn is_endless(&self) -> bool {
        self.endless
    }
}

/// A source of the lines of a folder that is watched, perhaps after others.
pub struct Watched<M> {
    folder: tempfile::TempDir,
    make: M,
    expected: RefCell<Vec<String>>,
}

impl<S: Produces<String>, M: Fn(TextFileSource) -> S> Watched<M> {
    /// `before` are the values of the sources before it.
    pub fn new(before: &[&str], make: M) -> Self {
        let expected = before.iter().map(|value| (*value).to_owned()).collect();
        let watched =
            Watched { folder: tempfile::tempdir().unwrap(), make, expected: RefCell::new(expected) };
        (0..3).for_each(|_| _ = watched.add_file());
        watched
    }

    fn add_file(&self) -> Vec<String> {
        let mut expected = self.expected.borrow_mut();
        let first = expected.len();
        let lines: Vec<String> = (first..first + 4).map(|line| format!("line {line}")).collect();
        std::fs::write(self.folder.path().join(format!("{first}.txt")), lines.join("\n")).unwrap();
        expected.extend(lines.clone());
        lines
    }
}

impl<S: Produces<String> + 'static, M: Fn(TextFileSource) -> S> SourceUnderTest for Watched<M> {
    fn source(&self) -> Result<Arc<dyn Source>> {
        let path = self.folder.path().to_str().unwrap();
        Ok(Arc::new((self.make)(TextFileSource::new(path)?.monitored(Duration::from_millis(10)))))
    }

    fn texts(&self, batch: Batch) -> Result<Vec<String>> {
        Ok(batch.into_records::<String>()?.values)
    }

    fn expected(&self) -> Vec<String> {
        self.expected.borrow().clone()
    }

    fn is_endless(&self) -> bool {
        true
    }

    fn grow(&self) -> Result<Option<Vec<String>>> {
        Ok(Some(self.add_file()))
    }
}

/// One reader that has all splits.
pub struct Single<T> {
    pub enumerator: ByHand,
    pub reader: Box<dyn SourceReader>,
    pub clock: Arc<ManualClock>,
    pub output: Output<T>,
}

pub struct Output<T> {
    pub values: Vec<T>,
    pub finished: usize,
}

impl<T: Record> SourceOutput for Output<T> {
    fn emit(&mut self, _: &str, batch: Batch) -> Result<()> {
        self.values.extend(batch.into_records::<T>()?.values);
        Ok(())
    }

    fn skipped(&mut self, rows: u64) {
        panic!("{rows} rows were skipped");
    }

    fn split_finished(&mut self, _: &str) -> Result<()> {
        self.finished += 1;
        Ok(())
    }
}

impl<T: Record> Single<T> {
    pub fn new(source: &dyn Source, batch_size: usize, waker: Waker) -> Self {
        let clock = Arc::new(ManualClock::new(1_000_000));
        let shared: Arc<dyn Clock> = clock.clone();
        let enumerator = ByHand::new(source, None, 1, shared.clone()).unwrap();
        let context = ReaderContext {
            subtask: SubtaskIndex(0),
            parallelism: 1,
            batch_size,
            clock: shared,
            waker,
            metrics: Default::default(),
        };
        let reader = source.reader(context).unwrap();
        Single { enumerator, reader, clock, output: Output { values: Vec::new(), finished: 0 } }
    }

    /// One poll; `None` at the end.
    pub fn poll(&mut self) -> Result<Option<Poll>> {
        let poll = self.reader.poll(&mut self.output)?;
        if poll == Poll::SplitsDone {
            match self.enumerator.ask(SubtaskIndex(0))? {
                None => return Ok(None),
                Some(splits) => self.reader.add_splits(splits)?,
            }
        }
        Ok(Some(poll))
    }
}

impl<T> Single<T> {
    pub fn clock_now(&self) -> i64 {
        self.clock.now()
    }
}
