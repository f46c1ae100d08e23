//! An iterator that can be recreated.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use flott_batch::{Record, Records};
use flott_connector::{
    Boundedness, EnumeratorContext, FixedSplits, Payload, Poll, Produces, ReaderContext, Source,
    SourceOutput, SourceReader, Split, SplitEnumerator,
};
use flott_types::panics::guard;
use flott_types::{CheckpointId, Error, Result, Timestamp};

use super::inbox::{Inbox, Taken, Wanted, Wants, thread};
use super::position::Range;

type BoxedIterator<T> = Box<dyn Iterator<Item = T> + Send>;

/// The values of an iterator, read by one reader on its own thread: an iterator that waits for its next value
/// (from a channel, from standard input) holds up neither earlier values nor checkpoints nor cancellation.
/// After a restart the function recreates the iterator, and values that were read before are skipped: it must
/// yield the same values again.
pub struct IteratorSource<T> {
    make: Arc<dyn Fn() -> BoxedIterator<T> + Send + Sync>,
    boundedness: Boundedness,
}

impl<T: Record> IteratorSource<T> {
    /// An iterator that ends.
    pub fn bounded<I>(make: impl Fn() -> I + Send + Sync + 'static) -> Self
    where
        I: Iterator<Item = T> + Send + 'static,
    {
        IteratorSource { make: Arc::new(move || Box::new(make())), boundedness: Boundedness::Bounded }
    }

    /// An iterator that never ends, or might not.
    pub fn unbounded<I>(make: impl Fn() -> I + Send + Sync + 'static) -> Self
    where
        I: Iterator<Item = T> + Send + 'static,
    {
        IteratorSource { boundedness: Boundedness::Unbounded, ..IteratorSource::bounded(make) }
    }
}

impl<T> Clone for IteratorSource<T> {
    fn clone(&self) -> Self {
        IteratorSource { make: self.make.clone(), boundedness: self.boundedness }
    }
}

impl<T> fmt::Debug for IteratorSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IteratorSource({:?})", self.boundedness)
    }
}

impl<T: Record> Source for IteratorSource<T> {
    fn boundedness(&self) -> Boundedness {
        self.boundedness
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let splits = FixedSplits::new(restored, || Ok(vec![Range::new(0, u64::MAX).to_split()?]))?;
        Ok(match self.boundedness {
            Boundedness::Bounded => Box::new(splits),
            Boundedness::Unbounded => Box::new(splits.shared_by(context.parallelism)),
        })
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let (make, ranges) = (self.make.clone(), VecDeque::new());
        Ok(Box::new(IteratorReader { make, context, ranges, open: None }))
    }
}

impl<T: Record> Produces<T> for IteratorSource<T> {}

struct IteratorReader<T> {
    make: Arc<dyn Fn() -> BoxedIterator<T> + Send + Sync>,
    context: ReaderContext,
    ranges: VecDeque<Range>,
    open: Option<Open<T>>,
}

/// The task's view of the iterator's thread. Each value may take a while, so each is handed over immediately.
struct Open<T> {
    inbox: Arc<Inbox<T>>,
    _wants: Wants,
}

impl<T: Record> Open<T> {
    fn new(make: Arc<dyn Fn() -> BoxedIterator<T> + Send + Sync>, from: u64, full: usize) -> Result<Self> {
        let inbox = Arc::new(Inbox::new(full));
        let (wants, wanted) = Wanted::new();
        let own = inbox.clone();
        thread("an iterator source", move || {
            own.end(guard("an iterator source", || go_through(&make, from, &own, &wanted)));
        })?;
        Ok(Open { inbox, _wants: wants })
    }
}

fn go_through<T>(
    make: &Arc<dyn Fn() -> BoxedIterator<T> + Send + Sync>,
    from: u64,
    inbox: &Inbox<T>,
    wanted: &Wanted,
) -> Result<()> {
    let mut iterator = make();
    for at in 0..from {
        if iterator.next().is_none() {
            return Err(Error::external(format!(
                "the iterator ends after {at} values, but {from} were read before the restart"
            )));
        }
    }
    for value in iterator {
        if !inbox.put(value, wanted) {
            break;
        }
    }
    Ok(())
}

impl<T: Record> SourceReader for IteratorReader<T> {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in &splits {
            self.ranges.push_back(Range::from_split(split)?);
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        let Some(range) = self.ranges.front_mut() else {
            return Ok(Poll::SplitsDone);
        };
        let open = match &self.open {
            Some(open) => open,
            None => {
                let batch = self.context.batch_size;
                self.open.insert(Open::new(self.make.clone(), range.next, batch)?)
            }
        };
        let id = range.id();
        match open.inbox.take(&self.context.waker)? {
            Taken::Values(values) => {
                range.next += values.len() as u64;
                output.emit(&id, Records::new(values).into())?;
                Ok(Poll::More)
            }
            Taken::Nothing => Ok(Poll::Wait(Timestamp::MAX)),
            Taken::Ended => {
                self.ranges.pop_front();
                self.open = None;
                output.split_finished(&id)?;
                Ok(if self.ranges.is_empty() { Poll::SplitsDone } else { Poll::More })
            }
        }
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        self.ranges.iter().map(Range::to_split).collect()
    }
}
