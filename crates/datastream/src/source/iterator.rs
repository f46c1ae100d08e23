//! An iterator that can be made again.

use std::fmt;
use std::sync::Arc;

use flott_batch::Record;
use flott_connector::{
    Boundedness, EnumeratorContext, FixedSplits, Produces, ReaderContext, Source, SourceReader,
    SplitEnumerator,
};
use flott_types::{Error, Result};

use super::position::{Range, RangeReader, Values};

type BoxedIterator<T> = Box<dyn Iterator<Item = T> + Send>;

/// The values of an iterator, read by one reader. The function makes it anew after a restart, and what was read is skipped: it must
/// give the same values again.
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

    /// An iterator that goes on for ever, or might.
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

    fn enumerator(&self, restored: Option<&str>, _: EnumeratorContext) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(FixedSplits::new(restored, || Ok(vec![Range::new(0, u64::MAX).to_split()?]))?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let values = Remade { make: self.make.clone(), open: None };
        Ok(RangeReader::new(values, context.batch_size).of::<T>())
    }
}

impl<T: Record> Produces<T> for IteratorSource<T> {}

struct Remade<T> {
    make: Arc<dyn Fn() -> BoxedIterator<T> + Send + Sync>,
    /// With the number of its next value.
    open: Option<(u64, BoxedIterator<T>)>,
}

impl<T: Record> Remade<T> {
    fn at(&mut self, next: u64) -> Result<&mut (u64, BoxedIterator<T>)> {
        if self.open.as_ref().is_none_or(|(at, _)| *at != next) {
            let mut iterator = (self.make)();
            for at in 0..next {
                if iterator.next().is_none() {
                    return Err(Error::external(format!(
                        "the iterator ends after {at} values; {next} were read before the restart"
                    )));
                }
            }
            self.open = Some((next, iterator));
        }
        self.open.as_mut().ok_or_else(|| Error::internal("an iterator is not open"))
    }
}

impl<T: Record> Values<T> for Remade<T> {
    fn values(&mut self, range: &Range, wanted: usize) -> Result<Vec<T>> {
        let (at, iterator) = self.at(range.next)?;
        let values: Vec<T> = iterator.by_ref().take(wanted).collect();
        *at += values.len() as u64;
        Ok(values)
    }
}
