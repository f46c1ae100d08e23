//! Values given by the program.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::{Record, copy};
use flott_connector::{
    Boundedness, EnumeratorContext, FixedSplits, Payload, Produces, ReaderContext, Source, SourceReader,
    SplitEnumerator,
};
use flott_types::{Error, Result};

use super::position::{Range, RangeReader, Values};

/// Values given by the program, in their order within each split: a collection is one split, or with several
/// readers a range for each.
///
/// They are kept serialised, as in Flink, so that a restart can read them again although they need not be
/// `Clone`.
pub struct CollectionSource<T> {
    /// Each value as written by [`copy::write`].
    values: Arc<[Box<[u8]>]>,
    value: PhantomData<fn() -> T>,
}

impl<T: Record> CollectionSource<T> {
    /// These values.
    ///
    /// # Errors
    /// If a value cannot be serialised; the message says which.
    pub fn new(values: impl IntoIterator<Item = T>) -> Result<Self> {
        let write = |(at, value): (usize, T)| {
            let bytes = copy::write(&value).map_err(|error| {
                Error::invalid(format!("value {at} of the collection cannot be written")).with_source(error)
            })?;
            Ok(bytes.into_boxed_slice())
        };
        let values = values.into_iter().enumerate().map(write).collect::<Result<Vec<_>>>()?;
        Ok(CollectionSource { values: values.into(), value: PhantomData })
    }
}

impl<T> Clone for CollectionSource<T> {
    fn clone(&self) -> Self {
        CollectionSource { values: self.values.clone(), value: PhantomData }
    }
}

impl<T> fmt::Debug for CollectionSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CollectionSource({} values)", self.values.len())
    }
}

impl<T: Record> Source for CollectionSource<T> {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let len = self.values.len() as u64;
        let splits = FixedSplits::new(restored, || Range::deal(len, context.parallelism))?;
        Ok(Box::new(splits.ending_at(len.to_string())))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(RangeReader::new(Written(self.values.clone()), context.batch_size).of::<T>())
    }
}

impl<T: Record> Produces<T> for CollectionSource<T> {}

struct Written(Arc<[Box<[u8]>]>);

impl<T: Record> Values<T> for Written {
    fn values(&mut self, range: &Range, wanted: usize) -> Result<Vec<T>> {
        // A job restored with a shorter collection ends where the new collection ends.
        let written = self.0.iter().skip(usize::try_from(range.next).unwrap_or(usize::MAX)).take(wanted);
        let read = |(at, bytes): (u64, &[u8])| {
            copy::read(bytes).map_err(|error| {
                Error::data(format!("value {at} of the collection cannot be read again")).with_source(error)
            })
        };
        (range.next..).zip(written.map(AsRef::as_ref)).map(read).collect()
    }
}
