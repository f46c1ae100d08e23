//! SUM, SUM0 and AVG: a sum, and how many values went into it.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Decimal128Type, FieldRef, Float32Type, Float64Type, Int64Type};
use flott_state::{PrimitiveColumn, SlotColumns};
use flott_types::{LogicalType, Result, TypeKind};

use super::numbers::{as_doubles, decimal_average, decimal_sum, decimals, doubles, integers, with_integer};
use super::{Accumulator, Input, MergeInto};

/// What is computed from sum and count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Sum,
    /// 0 for no values.
    Sum0,
    Average,
    /// AVG of integers in a batch query: the sum wraps in the type of the argument before it is divided.
    NarrowAverage,
}

/// The sums, in the type in which they are added up.
enum Sums {
    /// Wraps.
    Integer(PrimitiveColumn<Int64Type>),
    /// SUM of FLOAT adds in FLOAT.
    Float(PrimitiveColumn<Float32Type>),
    Double(PrimitiveColumn<Float64Type>),
    /// With its scale. NULL after an overflow, and then starts over, as in Flink.
    Decimal(PrimitiveColumn<Decimal128Type>, u8),
}

/// A sum and a count by group.
pub(super) struct Sum {
    outcome: Outcome,
    ty: LogicalType,
    sums: Sums,
    counts: PrimitiveColumn<Int64Type>,
}

impl Sum {
    /// For a numeric argument type.
    pub fn new(outcome: Outcome, name: &str, argument: &TypeKind, ty: &LogicalType) -> Self {
        let sum = format!("{name}.sum");
        let sums = match argument {
            TypeKind::Decimal(_, scale) => {
                let wide = flott_batch::arrow_type::to_arrow(&TypeKind::Decimal(38, *scale).nullable());
                Sums::Decimal(PrimitiveColumn::nullable(&sum).with_data_type(wide), *scale)
            }
            TypeKind::Float if matches!(outcome, Outcome::Sum | Outcome::Sum0) => {
                Sums::Float(PrimitiveColumn::new(&sum, 0.0))
            }
            TypeKind::Float | TypeKind::Double => Sums::Double(PrimitiveColumn::new(&sum, 0.0)),
            _ => Sums::Integer(PrimitiveColumn::new(&sum, 0)),
        };
        let counts = PrimitiveColumn::new(&format!("{name}.count"), 0);
        Sum { outcome, ty: ty.clone(), sums, counts }
    }

    fn columns(&self) -> [&dyn SlotColumns; 2] {
        let sums: &dyn SlotColumns = match &self.sums {
            Sums::Integer(sums) => sums,
            Sums::Float(sums) => sums,
            Sums::Double(sums) => sums,
            Sums::Decimal(sums, _) => sums,
        };
        [sums, &self.counts]
    }

    fn columns_mut(&mut self) -> [&mut dyn SlotColumns; 2] {
        let sums: &mut dyn SlotColumns = match &mut self.sums {
            Sums::Integer(sums) => sums,
            Sums::Float(sums) => sums,
            Sums::Double(sums) => sums,
            Sums::Decimal(sums, _) => sums,
        };
        [sums, &mut self.counts]
    }

    /// Which results are not NULL.
    fn nulls(&self, slots: &[u32]) -> Option<NullBuffer> {
        let counts = self.counts.values();
        (self.outcome != Outcome::Sum0)
            .then(|| slots.iter().map(|slot| counts[*slot as usize] != 0).collect())
    }
}

fn add_decimal(sums: &mut PrimitiveColumn<Decimal128Type>, slot: u32, value: i128) {
    let sum = match sums.get(slot) {
        None => Some(value),
        Some(sum) => decimal_sum(sum, value),
    };
    sums.set(slot, sum);
}

impl Accumulator for Sum {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let arg = input.arg()?;
        let counts = self.counts.values_mut();
        match &mut self.sums {
            Sums::Integer(sums) => {
                let sums = sums.values_mut();
                macro_rules! add {
                    ($ty:ty) => {{
                        let values = arg.as_primitive::<$ty>().values();
                        input.for_each(arg.nulls(), |row, slot, sign| {
                            sums[slot] = sums[slot].wrapping_add(i64::from(values[row]).wrapping_mul(sign));
                            counts[slot] += sign;
                        });
                    }};
                }
                with_integer!(arg.data_type(), add);
            }
            Sums::Float(sums) => {
                let (values, sums) = (arg.as_primitive::<Float32Type>().values(), sums.values_mut());
                input.for_each(arg.nulls(), |row, slot, sign| {
                    sums[slot] += values[row] * sign as f32;
                    counts[slot] += sign;
                });
            }
            Sums::Double(sums) => {
                let doubles = as_doubles(arg)?;
                let (values, sums) = (doubles.values(), sums.values_mut());
                input.for_each(doubles.nulls(), |row, slot, sign| {
                    sums[slot] += values[row] * sign as f64;
                    counts[slot] += sign;
                });
            }
            Sums::Decimal(sums, _) => {
                let values = arg.as_primitive::<Decimal128Type>().values();
                input.for_each(arg.nulls(), |row, slot, sign| {
                    add_decimal(sums, slot as u32, values[row] * i128::from(sign));
                    counts[slot] += sign;
                });
            }
        }
        Ok(())
    }

    fn merge(&mut self, from: &[u32], to: &[u32], _: MergeInto) -> Result<()> {
        let counts = self.counts.values_mut();
        for (from, to) in from.iter().map(|slot| *slot as usize).zip(to.iter().map(|slot| *slot as usize)) {
            counts[to] += counts[from];
            match &mut self.sums {
                Sums::Integer(sums) => {
                    let sums = sums.values_mut();
                    sums[to] = sums[to].wrapping_add(sums[from]);
                }
                Sums::Float(sums) => {
                    let sums = sums.values_mut();
                    sums[to] += sums[from];
                }
                Sums::Double(sums) => {
                    let sums = sums.values_mut();
                    sums[to] += sums[from];
                }
                Sums::Decimal(sums, _) => {
                    if let Some(value) = sums.get(from as u32) {
                        add_decimal(sums, to as u32, value);
                    }
                }
            }
        }
        Ok(())
    }

    fn merge_columns(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<bool> {
        let [added, counts] = columns else { return Ok(false) };
        let all = self.counts.values_mut();
        for (slot, count) in slots.iter().zip(counts.as_primitive::<Int64Type>().values()) {
            all[*slot as usize] += count;
        }
        macro_rules! add {
            ($sums:expr, $ty:ty, $add:expr) => {{
                let sums = $sums.values_mut();
                for (slot, value) in slots.iter().zip(added.as_primitive::<$ty>().values()) {
                    sums[*slot as usize] = $add(sums[*slot as usize], *value);
                }
            }};
        }
        match &mut self.sums {
            Sums::Integer(sums) => add!(sums, Int64Type, i64::wrapping_add),
            Sums::Float(sums) => add!(sums, Float32Type, std::ops::Add::add),
            Sums::Double(sums) => add!(sums, Float64Type, std::ops::Add::add),
            Sums::Decimal(sums, _) => {
                for (slot, value) in slots.iter().zip(added.as_primitive::<Decimal128Type>()) {
                    if let Some(value) = value {
                        add_decimal(sums, *slot, value);
                    }
                }
            }
        }
        Ok(true)
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        let counts = self.counts.values();
        let count = |slot: &u32| counts[*slot as usize];
        match &self.sums {
            Sums::Integer(sums) => {
                let value = |slot: &u32| {
                    let (sum, count) = (sums.values()[*slot as usize], count(slot).max(1));
                    match (self.outcome, &self.ty.kind) {
                        (Outcome::Sum | Outcome::Sum0, _) => sum,
                        (Outcome::NarrowAverage, TypeKind::TinyInt) => i64::from(sum as i8) / count,
                        (Outcome::NarrowAverage, TypeKind::SmallInt) => i64::from(sum as i16) / count,
                        (Outcome::NarrowAverage, TypeKind::Int) => i64::from(sum as i32) / count,
                        (Outcome::Average | Outcome::NarrowAverage, _) => sum.wrapping_div(count),
                    }
                };
                integers(&self.ty, &slots.iter().map(value).collect::<Vec<_>>(), self.nulls(slots))
            }
            Sums::Float(sums) => {
                let value = |slot: &u32| {
                    let sum = f64::from(sums.values()[*slot as usize]);
                    (count(slot) != 0 || self.outcome == Outcome::Sum0).then_some(sum)
                };
                doubles(&self.ty, &slots.iter().map(value).collect::<Vec<_>>())
            }
            Sums::Double(sums) => {
                let value = |slot: &u32| {
                    let (sum, count) = (sums.values()[*slot as usize], count(slot));
                    match self.outcome {
                        Outcome::Average | Outcome::NarrowAverage => (count != 0).then(|| sum / count as f64),
                        Outcome::Sum => (count != 0).then_some(sum),
                        Outcome::Sum0 => Some(sum),
                    }
                };
                doubles(&self.ty, &slots.iter().map(value).collect::<Vec<_>>())
            }
            Sums::Decimal(sums, scale) => {
                let to_scale = if let TypeKind::Decimal(_, scale) = self.ty.kind { scale } else { *scale };
                let value = |slot: &u32| match (sums.get(*slot), count(slot), self.outcome) {
                    (sum, 0, Outcome::Sum0) => Some(sum.unwrap_or_default()),
                    (_, 0, _) => None,
                    (Some(sum), count, Outcome::Average | Outcome::NarrowAverage) => {
                        decimal_average(sum, *scale, count, to_scale)
                    }
                    (sum, ..) => sum,
                };
                decimals(&self.ty, slots.iter().map(value).collect())
            }
        }
    }
}

impl SlotColumns for Sum {
    fn fields(&self) -> Vec<FieldRef> {
        self.columns().iter().flat_map(|column| column.fields()).collect()
    }

    fn reset(&mut self, slot: u32) {
        match &mut self.sums {
            Sums::Integer(sums) => sums.reset(slot),
            Sums::Float(sums) => sums.reset(slot),
            Sums::Double(sums) => sums.reset(slot),
            Sums::Decimal(sums, _) => sums.reset(slot),
        }
        self.counts.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let [sums, counts] = self.columns();
        Ok([sums.read(slots)?, counts.read(slots)?].concat())
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let [sums, counts] = self.columns_mut();
        let (sum, count) = columns.split_at(columns.len().min(1));
        sums.write(slots, sum)?;
        counts.write(slots, count)
    }

    fn memory(&self) -> usize {
        self.columns().iter().map(|column| column.memory()).sum()
    }
}
