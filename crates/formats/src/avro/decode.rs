//! Values, from bytes into columns. This is the path of every field.

use arrow::array::Decimal128Builder;

use super::bytes::Bytes;
use super::resolve::{Branch, Fields, Step, Wire};
use super::schema::{Names, Schema, Unit};
use crate::bad::Bad;
use crate::column::Column;

/// Types within themselves are followed as deep as this.
const DEEPEST: usize = 200;

const MILLIS_OF_DAY: i64 = 86_400_000;

impl Fields {
    /// Appends a record to columns, one value each; or some values, and then it is a bad one.
    pub(super) fn read(
        &self,
        bytes: &mut Bytes<'_>,
        columns: &mut [Column],
        names: &Names,
    ) -> Result<(), Bad> {
        for step in &self.steps {
            match step {
                Step::Skip(schema) => skip(schema, bytes, names, 0)?,
                Step::Read { column, name, wire } => {
                    let column = columns.get_mut(*column).ok_or_else(|| mismatch("record"))?;
                    wire.read(bytes, column, names).map_err(|bad| bad.within(name))?;
                }
            }
        }
        for column in &self.missing {
            columns.get_mut(*column).ok_or_else(|| mismatch("record"))?.append_null();
        }
        Ok(())
    }
}

impl Wire {
    /// Reads a record, perhaps of a union, as a row of these columns; `false` if it is null.
    pub(super) fn read_row(
        &self,
        bytes: &mut Bytes<'_>,
        columns: &mut [Column],
        names: &Names,
    ) -> Result<bool, Bad> {
        match self {
            Wire::Record(fields) => fields.read(bytes, columns, names).map(|()| true),
            Wire::Null => Ok(false),
            Wire::Union(branches) => {
                let index = bytes.index()?;
                match branches.get(index) {
                    Some(Branch::Null) => Ok(false),
                    Some(Branch::Value(wire)) => wire.read_row(bytes, columns, names),
                    Some(Branch::Unreadable(why)) => Err(Bad::new(why.clone())),
                    None => Err(Bad::new(format!("{index} is no branch of the union"))),
                }
            }
            wire => Err(mismatch(&format!("{wire:?}"))),
        }
    }

    fn read(&self, bytes: &mut Bytes<'_>, column: &mut Column, names: &Names) -> Result<(), Bad> {
        match (self, column) {
            (Wire::Union(branches), column) => {
                let index = bytes.index()?;
                match branches.get(index) {
                    Some(Branch::Null) => column.append_null(),
                    Some(Branch::Value(wire)) => return wire.read(bytes, column, names),
                    Some(Branch::Unreadable(why)) => return Err(Bad::new(why.clone())),
                    None => return Err(Bad::new(format!("{index} is no branch of the union"))),
                }
            }
            (Wire::Null, column) => column.append_null(),
            (Wire::Boolean, Column::Boolean(builder)) => builder.append_value(bytes.boolean()?),
            (Wire::Int, column) => integer(bytes.int()?.into(), column)?,
            (Wire::Long, column) => integer(bytes.long()?, column)?,
            (Wire::Float, Column::Float(builder)) => builder.append_value(bytes.float()?),
            (Wire::Float, Column::Double(builder)) => builder.append_value(bytes.float()?.into()),
            (Wire::Double, Column::Double(builder)) => builder.append_value(bytes.double()?),
            (Wire::Sized, Column::Text(builder)) => builder.append_value(bytes.text()?),
            (Wire::Sized, Column::Binary(builder)) => builder.append_value(bytes.sized()?),
            (Wire::Fixed(size), Column::Binary(builder)) => builder.append_value(bytes.take(*size)?),
            (Wire::Enum(symbols), Column::Text(builder)) => {
                let index = bytes.index()?;
                let symbol = symbols.get(index);
                builder.append_value(
                    symbol.ok_or_else(|| Bad::new(format!("{index} is no symbol of the enum")))?,
                );
            }
            (Wire::Date, Column::Date(builder)) => builder.append_value(bytes.int()?),
            (Wire::Time(unit), Column::Time(builder, precision)) => {
                let millis = match unit {
                    Unit::Millis => bytes.int()?.into(),
                    Unit::Micros => bytes.long()?.div_euclid(1_000),
                    Unit::Nanos => bytes.long()?.div_euclid(1_000_000),
                };
                if !(0..MILLIS_OF_DAY).contains(&millis) {
                    return Err(Bad::new(format!("{millis} ms is no time of day")));
                }
                let step = 10i64.pow(3 - u32::from((*precision).min(3)));
                builder.append_value((millis / step * step) as i32);
            }
            (Wire::Timestamp(unit), column) => timestamp(bytes.long()?, *unit, column)?,
            (Wire::Decimal { scale, fixed }, Column::Decimal(builder, precision, to)) => {
                let digits = match fixed {
                    Some(size) => bytes.take(*size)?,
                    None => bytes.sized()?,
                };
                decimal(digits, *scale, builder, *precision, *to)?;
            }
            (Wire::Array(element), Column::List(list)) => {
                loop {
                    let (items, _) = bytes.block()?;
                    if items == 0 {
                        break;
                    }
                    for _ in 0..items {
                        element.read(bytes, &mut list.elements, names)?;
                    }
                }
                list.end(true);
            }
            (Wire::Map(value), Column::Map(map)) => {
                loop {
                    let (items, _) = bytes.block()?;
                    if items == 0 {
                        break;
                    }
                    for _ in 0..items {
                        let Column::Text(keys) = &mut map.keys else { return Err(mismatch("map")) };
                        keys.append_value(bytes.text()?);
                        value.read(bytes, &mut map.values, names)?;
                    }
                }
                map.end(true);
            }
            (Wire::Record(fields), Column::Row(row)) => {
                fields.read(bytes, &mut row.fields, names)?;
                row.end(true);
            }
            (wire, _) => return Err(mismatch(&format!("{wire:?}"))),
        }
        Ok(())
    }
}

/// Types and columns are made of each other.
fn mismatch(what: &str) -> Bad {
    Bad::new(format!("a column does not fit its Avro type: {what}"))
}

fn integer(value: i64, column: &mut Column) -> Result<(), Bad> {
    let fits = match column {
        Column::Int(builder) => i32::try_from(value).map(|value| builder.append_value(value)).is_ok(),
        Column::BigInt(builder) => {
            builder.append_value(value);
            true
        }
        Column::SmallInt(builder) => i16::try_from(value).map(|value| builder.append_value(value)).is_ok(),
        Column::TinyInt(builder) => i8::try_from(value).map(|value| builder.append_value(value)).is_ok(),
        Column::Float(builder) => {
            builder.append_value(value as f32);
            true
        }
        Column::Double(builder) => {
            builder.append_value(value as f64);
            true
        }
        _ => return Err(mismatch("number")),
    };
    if fits { Ok(()) } else { Err(Bad::new(format!("{value} is too large for the column"))) }
}

/// Digits behind those that the column has are cut off.
fn timestamp(value: i64, unit: Unit, column: &mut Column) -> Result<(), Bad> {
    match column {
        Column::Micros(builder, precision, _) => {
            let micros = match unit {
                Unit::Millis => value.checked_mul(1_000),
                Unit::Micros => Some(value),
                Unit::Nanos => Some(value.div_euclid(1_000)),
            };
            let micros = micros.ok_or_else(|| Bad::new(format!("{value} ms is no timestamp")))?;
            let step = 10i64.pow(6 - u32::from((*precision).min(6)));
            builder.append_value(micros - micros.rem_euclid(step));
        }
        Column::Nanos(builder, precision, _) => {
            let nanos = i128::from(value)
                * match unit {
                    Unit::Millis => 1_000_000,
                    Unit::Micros => 1_000,
                    Unit::Nanos => 1,
                };
            let step = 10i128.pow(9 - u32::from((*precision).min(9)));
            builder.append_value(nanos - nanos.rem_euclid(step));
        }
        _ => return Err(mismatch("timestamp")),
    }
    Ok(())
}

fn decimal(
    digits: &[u8],
    scale: u8,
    builder: &mut Decimal128Builder,
    precision: u8,
    to: u8,
) -> Result<(), Bad> {
    let too_large = || Bad::new(format!("a decimal is too large for DECIMAL({precision}, {to})"));
    let unscaled = big_endian(digits).ok_or_else(too_large)?;
    let factor = 10i128.checked_pow(u32::from(to.saturating_sub(scale)));
    let value = factor.and_then(|factor| unscaled.checked_mul(factor)).ok_or_else(too_large)?;
    if value.unsigned_abs() >= 10u128.pow(u32::from(precision.min(38))) {
        return Err(too_large());
    }
    builder.append_value(value);
    Ok(())
}

/// A number in two's complement, the most significant byte first. No bytes are zero.
fn big_endian(digits: &[u8]) -> Option<i128> {
    let fill = if digits.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
    let (head, tail) = digits.split_at(digits.len().saturating_sub(16));
    let mut all = [fill; 16];
    all.get_mut(16 - tail.len()..)?.copy_from_slice(tail);
    let value = i128::from_be_bytes(all);
    // What comes before must be nothing but the sign.
    let is_sign = head.iter().all(|byte| *byte == fill) && (value < 0) == (fill == 0xff);
    is_sign.then_some(value)
}

/// Passes over a value.
pub(super) fn skip(schema: &Schema, bytes: &mut Bytes<'_>, names: &Names, depth: usize) -> Result<(), Bad> {
    if depth > DEEPEST {
        return Err(Bad::new(format!("records within records, more than {DEEPEST} of them")));
    }
    match schema {
        Schema::Null => {}
        Schema::Boolean => _ = bytes.take(1)?,
        Schema::Int
        | Schema::Long
        | Schema::Date
        | Schema::Time(_)
        | Schema::Timestamp(..)
        | Schema::Enum(_) => _ = bytes.long()?,
        Schema::Float => _ = bytes.take(4)?,
        Schema::Double => _ = bytes.take(8)?,
        Schema::Bytes | Schema::Text | Schema::Decimal { fixed: None, .. } => _ = bytes.sized()?,
        Schema::Fixed(size) | Schema::Decimal { fixed: Some(size), .. } => _ = bytes.take(*size)?,
        Schema::Array(items) if takes_nothing(items) => while bytes.any_block()?.0 > 0 {},
        Schema::Array(items) => blocks(bytes, |bytes| skip(items, bytes, names, depth + 1))?,
        Schema::Map(values) => blocks(bytes, |bytes| {
            bytes.sized()?;
            skip(values, bytes, names, depth + 1)
        })?,
        Schema::Record(record) => {
            for (name, schema) in &record.fields {
                skip(schema, bytes, names, depth + 1).map_err(|bad| bad.within(name))?;
            }
        }
        Schema::Union(branches) => {
            let index = bytes.index()?;
            let branch = branches.get(index);
            let branch = branch.ok_or_else(|| Bad::new(format!("{index} is no branch of the union")))?;
            skip(branch, bytes, names, depth + 1)?;
        }
        Schema::Within(name) => {
            let schema =
                names.get(name).ok_or_else(|| Bad::new(format!("the type {name} is not declared")))?;
            skip(schema, bytes, names, depth + 1)?;
        }
    }
    Ok(())
}

/// Whether every value of a type is no bytes at all.
fn takes_nothing(schema: &Schema) -> bool {
    match schema {
        Schema::Null | Schema::Fixed(0) => true,
        Schema::Record(record) => record.fields.iter().all(|(_, schema)| takes_nothing(schema)),
        _ => false,
    }
}

fn blocks<'a>(
    bytes: &mut Bytes<'a>,
    mut item: impl FnMut(&mut Bytes<'a>) -> Result<(), Bad>,
) -> Result<(), Bad> {
    loop {
        match bytes.block()? {
            (0, _) => return Ok(()),
            (_, Some(size)) => _ = bytes.take(size)?,
            (items, None) => {
                for _ in 0..items {
                    item(bytes)?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_of_any_length() {
        assert_eq!(big_endian(&[]), Some(0));
        assert_eq!(big_endian(&[0xff]), Some(-1));
        assert_eq!(big_endian(&[0, 0xff]), Some(255));
        assert_eq!(big_endian(&[0xff; 20]), Some(-1));
        assert_eq!(big_endian(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        // The sign is in the first of sixteen bytes, and not in what comes before.
        let mut bytes = [0; 17];
        bytes[1] = 0x80;
        assert_eq!(big_endian(&bytes), None);
    }
}
