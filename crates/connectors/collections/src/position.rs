//! Splits that are ranges of positions: what collections, iterators and sequences have in common.

use std::collections::VecDeque;

use flott_batch::{Record, Records};
use flott_connector::{Payload, Poll, SourceOutput, SourceReader, Split};
use flott_types::{CheckpointId, Error, Result};
use serde::{Deserialize, Serialize};

/// The numbers in `[start, end)`, of which `next` is read next. In checkpoints.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Range {
    /// 1, where payloads had no version yet; that is the form of today without it.
    #[serde(default, skip_serializing)]
    version: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) next: u64,
}

const VERSION: u32 = 2;

impl Range {
    pub(crate) fn new(start: u64, end: u64) -> Self {
        Range { version: 0, start, end, next: start }
    }

    /// The numbers below `len` in this many parts of about equal length, without empty ones.
    pub(crate) fn deal(len: u64, parts: u32) -> Result<Vec<Split>> {
        let parts = u64::from(parts.max(1));
        let bound = |part: u64| (u128::from(len) * u128::from(part) / u128::from(parts)) as u64;
        let ranges = (0..parts).map(|part| Range::new(bound(part), bound(part + 1)));
        ranges.filter(|range| range.start < range.end).map(|range| range.to_split()).collect()
    }

    pub(crate) fn id(&self) -> String {
        format!("{}-{}", self.start, self.end)
    }

    pub(crate) fn to_split(&self) -> Result<Split> {
        Ok(Split { id: self.id(), payload: Payload::json(VERSION, self)? })
    }

    pub(crate) fn from_split(split: &Split) -> Result<Self> {
        let what = format!("the position of the split {}", split.id);
        let range: Range = split.payload.from_json(&[Payload::UNVERSIONED, VERSION], &what)?;
        if range.version > 1 {
            return Err(Error::state(format!("{what} has version {} instead of 1", range.version)));
        }
        Ok(Range { version: 0, ..range })
    }
}

/// Produces the values of a range.
pub(crate) trait Values<T>: Send {
    /// The values from `range.next`, as many as requested; fewer only at the end of the range or of the data.
    fn values(&mut self, range: &Range, wanted: usize) -> Result<Vec<T>>;
}

/// Reads ranges, one after the other.
pub(crate) struct RangeReader<V> {
    values: V,
    batch_size: usize,
    ranges: VecDeque<Range>,
}

impl<V> RangeReader<V> {
    pub(crate) fn new(values: V, batch_size: usize) -> Self {
        RangeReader { values, batch_size: batch_size.max(1), ranges: VecDeque::new() }
    }

    /// With the type of values that it reads, which Rust cannot infer from `V` alone.
    pub(crate) fn of<T: Record>(self) -> Box<dyn SourceReader>
    where
        V: Values<T> + 'static,
    {
        Box::new(Typed { reader: self, value: std::marker::PhantomData::<fn() -> T> })
    }
}

struct Typed<V, T> {
    reader: RangeReader<V>,
    value: std::marker::PhantomData<fn() -> T>,
}

impl<T: Record, V: Values<T>> SourceReader for Typed<V, T> {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in &splits {
            self.reader.ranges.push_back(Range::from_split(split)?);
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        let RangeReader { values, batch_size, ranges } = &mut self.reader;
        let Some(range) = ranges.front_mut() else {
            return Ok(Poll::SplitsDone);
        };
        let left = range.end.saturating_sub(range.next);
        let wanted = left.min(*batch_size as u64) as usize;
        let batch = values.values(range, wanted)?;
        let read = batch.len();
        range.next += read as u64;
        let id = range.id();
        if read > 0 {
            output.emit(&id, Records::new(batch).into())?;
        }
        if range.next >= range.end || read < wanted {
            ranges.pop_front();
            output.split_finished(&id)?;
        }
        Ok(if ranges.is_empty() { Poll::SplitsDone } else { Poll::More })
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        self.reader.ranges.iter().map(Range::to_split).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_everything_once() {
        for (len, parts) in [(0, 3), (1, 4), (10, 3), (u64::MAX, 7)] {
            let ranges: Vec<Range> = Range::deal(len, parts)
                .unwrap()
                .iter()
                .map(|split| Range::from_split(split).unwrap())
                .collect();
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert_eq!(ranges.first().map_or(0, |range| range.start), 0);
            assert_eq!(ranges.last().map_or(0, |range| range.end), len);
            assert!(ranges.len() <= parts as usize);
        }
    }

    #[test]
    fn a_position_of_another_version_is_refused() {
        let mut split = Range::new(0, 5).to_split().unwrap();
        let now = split.payload.text("a position").unwrap().to_owned();
        // Before payloads had versions, the content carried it.
        let old = |version: u32| Payload::new(0, now.replacen('{', &format!("{{\"version\":{version},"), 1));
        split.payload = old(1);
        assert_eq!(Range::from_split(&split).unwrap(), Range::new(0, 5));
        for later in [old(9), Payload::new(9, now.clone())] {
            split.payload = later;
            assert!(Range::from_split(&split).unwrap_err().to_string().contains("version 9"));
        }
    }
}
