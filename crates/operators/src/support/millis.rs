//! Time attributes in milliseconds.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use flott_types::{Error, Result, Timestamp};

/// A timestamp column read as milliseconds.
pub(crate) struct Millis<'a> {
    values: &'a [i64],
    nulls: Option<&'a NullBuffer>,
}

impl<'a> Millis<'a> {
    pub fn new(column: &'a ArrayRef) -> Result<Self> {
        let values = match column.data_type() {
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                column.as_primitive::<TimestampMicrosecondType>().values()
            }
            other => return Err(Error::internal(format!("a time attribute cannot be {other}"))),
        };
        Ok(Millis { values, nulls: column.nulls() })
    }

    /// The same for a time attribute, which must not be NULL.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Data`] if a time is NULL, as in Flink.
    pub fn required(column: &'a ArrayRef) -> Result<Self> {
        let times = Millis::new(column)?;
        times.refuse_nulls()?;
        Ok(times)
    }

    /// The time of a row; arbitrary for NULL.
    #[inline]
    pub fn get(&self, row: usize) -> Timestamp {
        self.values[row].div_euclid(1_000)
    }

    /// A row with the latest time; `None` if there are no rows. No time may be NULL.
    pub fn latest(&self) -> Option<usize> {
        let latest = self.values.iter().copied().max()?;
        self.values.iter().rposition(|value| *value == latest)
    }

    fn refuse_nulls(&self) -> Result<()> {
        if self.nulls.is_some_and(|nulls| nulls.null_count() > 0) {
            return Err(Error::data(
                "RowTime field should not be null, please convert it to a non-null long value.",
            ));
        }
        Ok(())
    }

    /// Whether the time of a row is not NULL.
    pub fn is_valid(&self, row: usize) -> bool {
        self.nulls.is_none_or(|nulls| nulls.is_valid(row))
    }
}
