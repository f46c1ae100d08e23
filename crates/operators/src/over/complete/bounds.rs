//! Which rows of a sorted partition belong to the frame of each row.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use flott_types::{Error, Result};

use crate::support::{Millis, kernel};

/// ROWS or RANGE BETWEEN `preceding` PRECEDING AND `following` FOLLOWING; a negative number points the other
/// way, `None` is UNBOUNDED.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    pub rows: bool,
    pub preceding: Option<i64>,
    pub following: Option<i64>,
}

impl Frame {
    /// Whether the frame depends on the values of the order, not only on which are equal.
    pub fn measures(self) -> bool {
        let counts = |bound: Option<i64>| bound.is_some_and(|bound| bound != 0);
        !self.rows && (counts(self.preceding) || counts(self.following))
    }

    /// The frame of each row of a partition. `peers` are rows with equal order.
    pub fn of(
        self,
        partition: &Range<usize>,
        peers: &[Range<usize>],
        values: Option<&Values>,
    ) -> Vec<Range<usize>> {
        if self.rows {
            return partition.clone().map(|row| self.by_position(partition, row)).collect();
        }
        let mut frames = Vec::with_capacity(partition.len());
        for group in peers {
            let frame = match values {
                Some(values) if values.0[group.start].is_some() => values.frame(self, partition, group),
                // NULLs are peers only of each other, except for an unbounded end.
                _ => {
                    let start = self.preceding.map_or(partition.start, |_| group.start);
                    start..self.following.map_or(partition.end, |_| group.end)
                }
            };
            frames.extend(std::iter::repeat_n(frame, group.len()));
        }
        frames
    }

    fn by_position(self, partition: &Range<usize>, row: usize) -> Range<usize> {
        let clamp = |at: i64| at.clamp(partition.start as i64, partition.end as i64) as usize;
        let row = row as i64;
        let start = self.preceding.map_or(partition.start, |back| clamp(row.saturating_sub(back)));
        let end =
            self.following.map_or(partition.end, |ahead| clamp(row.saturating_add(ahead).saturating_add(1)));
        start..end.max(start)
    }
}

/// The values of the order as numbers that grow from row to row.
pub(super) struct Values(Vec<Option<i64>>);

impl Values {
    /// Numbers, or times in milliseconds.
    pub fn new(column: &ArrayRef, descending: bool) -> Result<Values> {
        let numbers: Vec<Option<i64>> = match column.data_type() {
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
                cast(column, &DataType::Int64).map_err(kernel)?.as_primitive::<Int64Type>().iter().collect()
            }
            DataType::Date32 => {
                let days = column.as_primitive::<Date32Type>();
                days.iter().map(|day| day.map(|day| i64::from(day) * 86_400_000)).collect()
            }
            DataType::Timestamp(..) => {
                let millis = Millis::new(column)?;
                (0..column.len()).map(|row| column.is_valid(row).then(|| millis.get(row))).collect()
            }
            other => {
                return Err(Error::unsupported(format!(
                    "RANGE with a distance over an order of type {other}"
                )));
            }
        };
        let sign = |value: i64| if descending { value.saturating_neg() } else { value };
        Ok(Values(numbers.into_iter().map(|value| value.map(sign)).collect()))
    }

    fn frame(&self, frame: Frame, partition: &Range<usize>, group: &Range<usize>) -> Range<usize> {
        let Some(here) = self.0[group.start] else {
            return group.clone();
        };
        // NULLs are together at one end and belong only to unbounded ends.
        let valid = |row: &usize| self.0[*row].is_some();
        let first = partition.clone().find(valid).unwrap_or(partition.start);
        let last = partition.clone().rev().find(valid).map_or(partition.end, |row| row + 1);
        let within = &self.0[first..last];
        let place =
            |test: &dyn Fn(i64) -> bool| first + within.partition_point(|value| value.is_none_or(test));
        let start = frame.preceding.map_or(partition.start, |back| {
            let from = here.saturating_sub(back);
            place(&|value| value < from)
        });
        let end = frame.following.map_or(partition.end, |ahead| {
            let to = here.saturating_add(ahead);
            place(&|value| value <= to)
        });
        start..end.max(start)
    }
}
