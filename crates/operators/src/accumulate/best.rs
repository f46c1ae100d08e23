//! MIN, MAX, FIRST_VALUE and LAST_VALUE of append-only input: one running value.
//!
//! FLOAT and DOUBLE compare with `<` and `>` as Flink's generated code does: a NaN that comes first stays, a
//! later one is ignored.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{ArrowPrimitiveType, ByteArrayType, DataType, FieldRef};
use flott_batch::arrow_type;
use flott_state::{AnyColumn, BinaryColumn, PrimitiveColumn, SlotColumns, StringColumn};
use flott_types::{Error, LogicalType, Result};

use super::{Accumulator, Input, MergeInto};
use crate::support::kernel;

/// Which value is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pick {
    Min,
    Max,
    First,
    Last,
}

impl Pick {
    #[inline(always)]
    fn replaces<V: PartialOrd + ?Sized>(self, new: &V, old: &V) -> bool {
        match self {
            Pick::Min => new < old,
            Pick::Max => new > old,
            Pick::First => false,
            Pick::Last => true,
        }
    }
}

/// The accumulator for a type.
pub(super) fn best(pick: Pick, name: &str, ty: &LogicalType) -> Result<Box<dyn Accumulator>> {
    let name = format!("{name}.value");
    let data_type = arrow_type::to_arrow(ty);
    macro_rules! primitive {
        ($ty:ty) => {{
            let column = PrimitiveColumn::<$ty>::nullable(&name).with_data_type(data_type.clone());
            Box::new(Primitive { pick, column, result: data_type })
        }};
    }
    use arrow::datatypes::*;
    Ok(match &data_type {
        DataType::Utf8 => Box::new(Bytes { pick, column: StringColumn::new(&name) }),
        DataType::Binary => Box::new(Bytes { pick, column: BinaryColumn::new(&name) }),
        DataType::Boolean => {
            let column = PrimitiveColumn::<Int8Type>::nullable(&name);
            Box::new(Primitive { pick, column, result: data_type })
        }
        DataType::Int8 => primitive!(Int8Type),
        DataType::Int16 => primitive!(Int16Type),
        DataType::Int32 => primitive!(Int32Type),
        DataType::Int64 => primitive!(Int64Type),
        DataType::Float32 => primitive!(Float32Type),
        DataType::Float64 => primitive!(Float64Type),
        DataType::Decimal128(..) => primitive!(Decimal128Type),
        DataType::Date32 => primitive!(Date32Type),
        DataType::Time32(_) => primitive!(Time32MillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => primitive!(TimestampMicrosecondType),
        DataType::Interval(_) => primitive!(IntervalYearMonthType),
        DataType::Duration(_) => primitive!(DurationMillisecondType),
        _ if matches!(pick, Pick::First | Pick::Last) => Box::new(Any {
            pick,
            set: Vec::new(),
            column: AnyColumn::new(vec![arrow_type::field(&name, ty)])?,
        }),
        _ => return Err(Error::unsupported(format!("MIN and MAX of {ty}"))),
    })
}

/// Numbers and times; BOOLEAN as a number.
struct Primitive<T: ArrowPrimitiveType> {
    pick: Pick,
    column: PrimitiveColumn<T>,
    result: DataType,
}

impl<T: ArrowPrimitiveType> Accumulator for Primitive<T> {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let mut arg = input.arg()?.clone();
        if *arg.data_type() == DataType::Boolean {
            arg = cast(&arg, &DataType::Int8).map_err(kernel)?;
        }
        let (values, column) = (arg.as_primitive::<T>().values(), &mut self.column);
        macro_rules! run {
            ($pick:expr) => {
                input.for_each(arg.nulls(), |row, slot, _| {
                    if column.set_valid(slot as u32) || $pick.replaces(&values[row], &column.values()[slot]) {
                        column.values_mut()[slot] = values[row];
                    }
                })
            };
        }
        // One loop for each pick, so that it is not checked per row.
        match self.pick {
            Pick::Min => run!(Pick::Min),
            Pick::Max => run!(Pick::Max),
            Pick::First => run!(Pick::First),
            Pick::Last => run!(Pick::Last),
        }
        Ok(())
    }

    fn merge_columns(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<bool> {
        let rows: Vec<u32> = (0..slots.len() as u32).collect();
        self.update(&Input { rows: &rows, slots, retract: None, args: columns })?;
        Ok(true)
    }

    fn merge(&mut self, from: &[u32], to: &[u32], _: MergeInto) -> Result<()> {
        for (from, to) in from.iter().zip(to) {
            if let Some(new) = self.column.get(*from)
                && self.column.get(*to).is_none_or(|old| self.pick.replaces(&new, &old))
            {
                self.column.set(*to, Some(new));
            }
        }
        Ok(())
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        let column = self.column.read(slots)?.remove(0);
        if *column.data_type() == self.result {
            Ok(column)
        } else {
            cast(&column, &self.result).map_err(kernel)
        }
    }
}

/// Strings and binaries, compared by their bytes.
struct Bytes<C> {
    pick: Pick,
    column: C,
}

macro_rules! bytes {
    ($column:ty, $array:ty) => {
        impl Accumulator for Bytes<$column> {
            fn update(&mut self, input: &Input<'_>) -> Result<()> {
                let array = input.arg()?.as_bytes::<$array>();
                let (pick, column) = (self.pick, &mut self.column);
                input.for_each(array.nulls(), |row, slot, _| {
                    let new = array.value(row);
                    let bytes: &[u8] = new.as_ref();
                    if column.get(slot as u32).is_none_or(|old| pick.replaces(bytes, old)) {
                        column.set(slot as u32, Some(new));
                    }
                });
                Ok(())
            }

            fn merge(&mut self, from: &[u32], to: &[u32], _: MergeInto) -> Result<()> {
                let values = self.column.read(from)?.remove(0);
                let values = values.as_bytes::<$array>();
                for (row, to) in to.iter().enumerate().filter(|(row, _)| values.is_valid(*row)) {
                    let new: &<$array as ByteArrayType>::Native = values.value(row);
                    let bytes: &[u8] = new.as_ref();
                    if self.column.get(*to).is_none_or(|old| self.pick.replaces(bytes, old)) {
                        self.column.set(*to, Some(new));
                    }
                }
                Ok(())
            }

            fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
                Ok(self.column.read(slots)?.remove(0))
            }
        }
    };
}
bytes!(StringColumn, arrow::datatypes::Utf8Type);
bytes!(BinaryColumn, arrow::datatypes::BinaryType);

/// Values of any type, stored but never compared.
struct Any {
    pick: Pick,
    column: AnyColumn,
    /// By slot, whether there is a value.
    set: Vec<bool>,
}

impl Any {
    fn put(&mut self, slots: &[u32], columns: &[ArrayRef], rows: impl Iterator<Item = u32>) -> Result<()> {
        let (mut to, mut from) = (Vec::new(), Vec::new());
        for (slot, row) in slots.iter().zip(rows) {
            let fresh = !std::mem::replace(&mut self.set[*slot as usize], true);
            if fresh || self.pick == Pick::Last {
                to.push(*slot);
                from.push(row);
            }
        }
        self.column.set_rows(&to, columns, &from)
    }
}

impl Accumulator for Any {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let nulls = input.arg()?.logical_nulls();
        let (mut slots, mut rows) = (Vec::new(), Vec::new());
        input.for_each(nulls.as_ref(), |row, slot, _| {
            slots.push(slot as u32);
            rows.push(row as u32);
        });
        self.put(&slots, input.args, rows.into_iter())
    }

    fn merge(&mut self, from: &[u32], to: &[u32], _: MergeInto) -> Result<()> {
        let pairs = from.iter().zip(to).filter(|(from, _)| self.set[**from as usize]);
        let (from, to): (Vec<u32>, Vec<u32>) = pairs.map(|(from, to)| (*from, *to)).unzip();
        let columns = self.column.read(&from)?;
        self.put(&to, &columns, 0..to.len() as u32)
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        Ok(self.column.read(slots)?.remove(0))
    }
}

impl SlotColumns for Any {
    fn fields(&self) -> Vec<FieldRef> {
        self.column.fields()
    }

    fn reset(&mut self, slot: u32) {
        if slot as usize >= self.set.len() {
            self.set.resize(slot as usize + 1, false);
        }
        self.set[slot as usize] = false;
        self.column.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.column.read(slots)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        for (row, slot) in slots.iter().enumerate() {
            self.set[*slot as usize] = columns.first().is_some_and(|column| column.is_valid(row));
        }
        self.column.write(slots, columns)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.column.bytes_of(slot)
    }

    fn memory(&self) -> usize {
        self.column.memory() + self.set.capacity()
    }
}

macro_rules! one_column {
    ([$($param:ident: $bound:path)?] $holder:ty) => {
        impl$(<$param: $bound>)? SlotColumns for $holder {
            fn fields(&self) -> Vec<FieldRef> {
                self.column.fields()
            }

            fn reset(&mut self, slot: u32) {
                self.column.reset(slot);
            }

            fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
                self.column.read(slots)
            }

            fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
                self.column.write(slots, columns)
            }

            fn bytes_of(&self, slot: u32) -> usize {
                self.column.bytes_of(slot)
            }

            fn memory(&self) -> usize {
                self.column.memory()
            }
        }
    };
}
one_column!([T: ArrowPrimitiveType] Primitive<T>);
one_column!([] Bytes<StringColumn>);
one_column!([] Bytes<BinaryColumn>);
