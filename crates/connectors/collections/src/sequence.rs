//! A range of numbers.

use flott_connector::{
    Boundedness, EnumeratorContext, FixedSplits, Payload, Produces, ReaderContext, Source, SourceReader,
    SplitEnumerator,
};
use flott_types::{Error, Result};

use super::position::{Range, RangeReader, Values};

/// The numbers from `from` to `to`, inclusive, divided among the readers in equal ranges.
#[derive(Clone, Debug)]
pub struct SequenceSource {
    from: i64,
    /// How many there are.
    len: u64,
}

impl SequenceSource {
    /// The numbers from `from` to `to`, inclusive; none if `to` is below `from`.
    ///
    /// # Errors
    /// If there are 2^64 of them.
    pub fn new(from: i64, to: i64) -> Result<Self> {
        let len = i128::from(to) - i128::from(from) + 1;
        let len = u64::try_from(len.max(0))
            .map_err(|_| Error::invalid(format!("the sequence from {from} to {to} is too long")))?;
        Ok(SequenceSource { from, len })
    }
}

impl Source for SequenceSource {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let splits = FixedSplits::new(restored, || Range::deal(self.len, context.parallelism))?;
        let end = self.from.wrapping_add_unsigned(self.len).wrapping_sub(1);
        Ok(Box::new(splits.ending_at(end.to_string())))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(RangeReader::new(Numbers(self.from), context.batch_size).of::<i64>())
    }
}

impl Produces<i64> for SequenceSource {}

struct Numbers(i64);

impl Values<i64> for Numbers {
    fn values(&mut self, range: &Range, wanted: usize) -> Result<Vec<i64>> {
        let first = self.0.wrapping_add_unsigned(range.next);
        Ok((0..wanted as i64).map(|offset| first.wrapping_add(offset)).collect())
    }
}
