//! Values computed from their number.

use std::fmt;
use std::marker::PhantomData;

use flott_batch::Record;
use flott_connector::{
    Boundedness, EnumeratorContext, FixedSplits, Payload, Produces, ReaderContext, Source, SourceReader,
    SplitEnumerator,
};
use flott_types::Result;

use super::position::{Range, RangeReader, Values};

/// Values that a function computes from their number, from 0 on: the same after a restart. The numbers are
/// divided among the readers in equal ranges.
pub struct DataGeneratorSource<T, F> {
    generate: F,
    count: u64,
    of: PhantomData<fn() -> T>,
}

impl<T, F: Fn(u64) -> T> DataGeneratorSource<T, F> {
    /// This many values. For a source that never ends, take `u64::MAX`.
    pub fn new(generate: F, count: u64) -> Self {
        DataGeneratorSource { generate, count, of: PhantomData }
    }
}

impl<T, F> fmt::Debug for DataGeneratorSource<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataGeneratorSource({} values)", self.count)
    }
}

impl<T, F> Source for DataGeneratorSource<T, F>
where
    T: Record,
    F: Fn(u64) -> T + Clone + Send + Sync + 'static,
{
    fn boundedness(&self) -> Boundedness {
        if self.count == u64::MAX { Boundedness::Unbounded } else { Boundedness::Bounded }
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let splits = FixedSplits::new(restored, || Range::deal(self.count, context.parallelism))?;
        Ok(Box::new(splits.ending_at(self.count.to_string())))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(RangeReader::new(Generated(self.generate.clone()), context.batch_size).of::<T>())
    }
}

impl<T, F> Produces<T> for DataGeneratorSource<T, F>
where
    T: Record,
    F: Fn(u64) -> T + Clone + Send + Sync + 'static,
{
}

struct Generated<F>(F);

impl<T, F: Fn(u64) -> T + Send> Values<T> for Generated<F> {
    fn values(&mut self, range: &Range, wanted: usize) -> Result<Vec<T>> {
        Ok((range.next..range.next + wanted as u64).map(&self.0).collect())
    }
}
