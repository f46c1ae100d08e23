//! STDDEV_POP, STDDEV_SAMP, VAR_POP, VAR_SAMP by Welford's method, as in Flink: count, mean, and the sum of
//! squared distances from the mean.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{FieldRef, Float64Type, Int64Type};
use flott_state::{PrimitiveColumn, SlotColumns};
use flott_types::{LogicalType, Result};

use super::numbers::{as_doubles, doubles};
use super::{Accumulator, Input, MergeInto};

type Columns = (PrimitiveColumn<Int64Type>, PrimitiveColumn<Float64Type>, PrimitiveColumn<Float64Type>);

/// Count, mean and squared distance by group.
pub(super) struct Variance {
    ty: LogicalType,
    sample: bool,
    root: bool,
    columns: Columns,
}

impl Variance {
    /// The variance of a sample or of the population; its root is the standard deviation.
    pub fn new(name: &str, sample: bool, root: bool, ty: &LogicalType) -> Self {
        let counts = PrimitiveColumn::new(&format!("{name}.count"), 0);
        let means = PrimitiveColumn::new(&format!("{name}.mean"), 0.0);
        let distances = PrimitiveColumn::new(&format!("{name}.m2"), 0.0);
        Variance { ty: ty.clone(), sample, root, columns: (counts, means, distances) }
    }
}

impl Accumulator for Variance {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let array = as_doubles(input.arg()?)?;
        let values = array.values();
        let (counts, means, distances) =
            (self.columns.0.values_mut(), self.columns.1.values_mut(), self.columns.2.values_mut());
        input.for_each(array.nulls(), |row, slot, sign| {
            counts[slot] += sign;
            if counts[slot] == 0 {
                (means[slot], distances[slot]) = (0.0, 0.0);
                return;
            }
            let (count, sign) = (counts[slot] as f64, sign as f64);
            let delta = values[row] - means[slot];
            means[slot] += sign * delta / count;
            distances[slot] += sign * delta * (values[row] - means[slot]);
        });
        Ok(())
    }

    fn merge(&mut self, from: &[u32], to: &[u32], _: MergeInto) -> Result<()> {
        let (counts, means, distances) =
            (self.columns.0.values_mut(), self.columns.1.values_mut(), self.columns.2.values_mut());
        for (from, to) in from.iter().map(|slot| *slot as usize).zip(to.iter().map(|slot| *slot as usize)) {
            let (a, b) = (counts[to] as f64, counts[from] as f64);
            if counts[from] == 0 {
                continue;
            }
            // This is not only cheaper: an infinite distance times no rows would be NaN.
            if counts[to] == 0 {
                (counts[to], means[to], distances[to]) = (counts[from], means[from], distances[from]);
                continue;
            }
            let delta = means[from] - means[to];
            counts[to] += counts[from];
            means[to] += delta * b / (a + b);
            distances[to] += distances[from] + delta * delta * a * b / (a + b);
        }
        Ok(())
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        let value = |slot: &u32| {
            let (count, distance) =
                (self.columns.0.values()[*slot as usize], self.columns.2.values()[*slot as usize]);
            let over = if self.sample { count - 1 } else { count };
            (over > 0).then(|| {
                let variance = distance / over as f64;
                if self.root { variance.powf(0.5) } else { variance }
            })
        };
        doubles(&self.ty, &slots.iter().map(value).collect::<Vec<_>>())
    }
}

impl SlotColumns for Variance {
    fn fields(&self) -> Vec<FieldRef> {
        self.columns.fields()
    }

    fn reset(&mut self, slot: u32) {
        self.columns.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.columns.read(slots)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.columns.write(slots, columns)
    }

    fn memory(&self) -> usize {
        self.columns.memory()
    }
}
