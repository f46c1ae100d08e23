//! BITMAP_*_AGG of append-only input: one set per group, updated with each row. With retractions `list` keeps
//! all values, because a set does not know how often a number was added.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type};
use flott_batch::bitmap;
use flott_state::SlotColumns;
use flott_types::{Error, Result};
use roaring::RoaringBitmap;

use super::{Accumulator, Input, MergeInto};
use crate::support::kernel;

/// How values are combined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Combine {
    /// Numbers become members.
    Build,
    And,
    Or,
    Xor,
}

/// BITMAP_`combine`\[_CARDINALITY\]_AGG
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BitmapCall {
    pub combine: Combine,
    /// The result is the number of members.
    pub cardinality: bool,
}

impl BitmapCall {
    /// The call for a function's name.
    pub fn of(function: &str) -> Option<BitmapCall> {
        let name = function.strip_prefix("BITMAP_")?.strip_suffix("_AGG")?;
        let (name, cardinality) = match name.strip_suffix("_CARDINALITY") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let combine = match name {
            "BUILD" => Combine::Build,
            "AND" => Combine::And,
            "OR" => Combine::Or,
            "XOR" => Combine::Xor,
            _ => return None,
        };
        Some(BitmapCall { combine, cardinality })
    }

    /// Interprets the values of the argument: numbers or bitmaps.
    pub fn values(self, array: &ArrayRef) -> Result<Values> {
        if self.combine == Combine::Build {
            return cast(array, &DataType::Int32).map(Values).map_err(kernel);
        }
        Ok(Values(array.clone()))
    }

    /// Adds a value to a set; the first value creates it.
    pub fn add(self, set: &mut Option<RoaringBitmap>, values: &Values, row: usize) -> Result<()> {
        if self.combine == Combine::Build {
            let numbers = values.0.as_primitive_opt::<Int32Type>();
            let numbers = numbers.ok_or_else(|| Error::internal("BITMAP_BUILD_AGG of no numbers"))?;
            set.get_or_insert_default().insert(numbers.value(row) as u32);
            return Ok(());
        }
        let bytes = values.0.as_binary_opt::<i32>();
        let bytes = bytes.ok_or_else(|| Error::internal("a bitmap aggregate of something else"))?;
        self.merge(set, bitmap::read(bytes.value(row))?);
        Ok(())
    }

    fn merge(self, set: &mut Option<RoaringBitmap>, other: RoaringBitmap) {
        match (set, self.combine) {
            (set @ None, _) => *set = Some(other),
            (Some(set), Combine::Build | Combine::Or) => *set |= other,
            (Some(set), Combine::And) => *set &= other,
            (Some(set), Combine::Xor) => *set ^= other,
        }
    }

    /// The results: NULL for groups without values.
    pub fn results<'a>(self, sets: impl Iterator<Item = Option<&'a RoaringBitmap>>) -> Result<ArrayRef> {
        if self.cardinality {
            let counts: Int64Array = sets.map(|set| set.map(|set| set.len() as i64)).collect();
            return Ok(Arc::new(counts));
        }
        encode(sets)
    }
}

fn encode<'a>(sets: impl Iterator<Item = Option<&'a RoaringBitmap>>) -> Result<ArrayRef> {
    let bytes = sets.map(|set| set.map(|set| bitmap::write(set.clone())).transpose());
    Ok(Arc::new(bytes.collect::<Result<BinaryArray>>()?))
}

/// The values of one argument.
pub(super) struct Values(ArrayRef);

/// A set for each group.
pub(super) struct Bitmaps {
    call: BitmapCall,
    field: FieldRef,
    /// By slot; `None` before the first value.
    sets: Vec<Option<RoaringBitmap>>,
}

impl Bitmaps {
    pub fn new(call: BitmapCall, name: &str) -> Self {
        let field = Arc::new(Field::new(format!("{name}.bitmap"), DataType::Binary, true));
        Bitmaps { call, field, sets: Vec::new() }
    }

    fn sets<'a>(&'a self, slots: &'a [u32]) -> impl Iterator<Item = Option<&'a RoaringBitmap>> {
        slots.iter().map(|slot| self.sets[*slot as usize].as_ref())
    }
}

impl Accumulator for Bitmaps {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let argument = input.arg()?;
        let values = self.call.values(argument)?;
        let (call, sets) = (self.call, &mut self.sets);
        let mut failed = None;
        input.for_each(argument.logical_nulls().as_ref(), |row, slot, _| {
            if let Err(error) = call.add(&mut sets[slot], &values, row) {
                failed = Some(error);
            }
        });
        failed.map_or(Ok(()), Err)
    }

    fn merge(&mut self, from: &[u32], to: &[u32], _: MergeInto) -> Result<()> {
        for (from, to) in from.iter().zip(to) {
            if let Some(other) = self.sets[*from as usize].clone() {
                self.call.merge(&mut self.sets[*to as usize], other);
            }
        }
        Ok(())
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.call.results(self.sets(slots))
    }
}

impl SlotColumns for Bitmaps {
    fn fields(&self) -> Vec<FieldRef> {
        vec![self.field.clone()]
    }

    fn reset(&mut self, slot: u32) {
        if slot as usize >= self.sets.len() {
            self.sets.resize_with(slot as usize + 1, || None);
        }
        self.sets[slot as usize] = None;
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![encode(self.sets(slots))?])
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let bytes = columns.first().and_then(|column| column.as_binary_opt::<i32>());
        let bytes = bytes.ok_or_else(|| Error::internal("a column of bitmaps was expected"))?;
        for (at, slot) in slots.iter().enumerate() {
            self.sets[*slot as usize] =
                if bytes.is_null(at) { None } else { Some(bitmap::read(bytes.value(at))?) };
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.sets.iter().flatten().map(RoaringBitmap::serialized_size).sum()
    }
}
