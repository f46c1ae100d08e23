//! What a column's `fields.#.*` options say, checked.

use flott_connector::{Options, TableOption};
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::connector::{END, Generator, KIND, LENGTH, MAX, MAX_PAST, MIN, NULL_RATE, START, VARIABLE_LENGTH};

/// How the values of a column are made.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) ty: LogicalType,
    pub(crate) kind: Kind,
    /// `null-rate`: the share of NULLs.
    pub(crate) null_rate: f64,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Counts from here.
    Sequence {
        start: i64,
    },
    Boolean,
    /// An integer, DATE-less: TINYINT to BIGINT and the intervals.
    Integer {
        min: i64,
        max: i64,
    },
    /// FLOAT and DOUBLE.
    Approximate {
        min: f64,
        max: f64,
    },
    /// Unscaled numbers.
    Decimal {
        min: i128,
        max: i128,
    },
    /// Hexadecimal digits or bytes; `variable` draws the length from 1 to `length`.
    Bytes {
        length: u32,
        variable: bool,
    },
    /// DATE, TIME.
    Now,
    /// TIMESTAMP, TIMESTAMP_LTZ: up to this many milliseconds ago.
    Past {
        max_past: i64,
    },
    /// ARRAY and MULTISET, and MAP with a key.
    Collection {
        length: u32,
        key: Option<Box<Field>>,
        value: Option<Box<Field>>,
    },
    Row(Vec<Field>),
}

/// The columns of a table and the number of rows at which a sequence ends the table.
pub(crate) struct Fields {
    pub(crate) fields: Vec<Field>,
    pub(crate) rows: Option<u64>,
}

impl Fields {
    pub(crate) fn new<'t>(
        columns: impl Iterator<Item = (&'t str, &'t LogicalType)>,
        options: &Options<'_>,
    ) -> Result<Self> {
        let mut rows: Option<u64> = None;
        let mut fields = Vec::new();
        for (name, ty) in columns {
            match options.get_at(&KIND, name)? {
                Generator::Random => fields.push(random(name, ty, options)?),
                Generator::Sequence => {
                    let (field, count) = sequence(name, ty, options)?;
                    rows = Some(rows.map_or(count, |rows| rows.min(count)));
                    fields.push(field);
                }
            }
        }
        Ok(Fields { fields, rows })
    }
}

/// `name` is that of the column.
fn sequence(name: &str, ty: &LogicalType, options: &Options<'_>) -> Result<(Field, u64)> {
    let kind = &ty.kind;
    if !kind.is_numeric() && !kind.is_character() {
        return Err(Error::invalid(format!(
            "the option '{}' = 'sequence' is not for {kind}; it is for numbers and text",
            options.key_at(&KIND, name)
        )));
    }
    let bound = |option: &TableOption<i64>| {
        options.get_at(option, name)?.ok_or_else(|| {
            let key = options.key_at(option, name);
            Error::invalid(format!("the option '{key}' is missing: a sequence has a start and an end"))
        })
    };
    let (start, end) = (bound(&START)?, bound(&END)?);
    if start > end {
        let keys = (options.key_at(&START, name), options.key_at(&END, name));
        return Err(Error::invalid(format!("'{}' ({start}) is above '{}' ({end})", keys.0, keys.1)));
    }
    let (lowest, highest) = bounds(kind).unwrap_or((i64::MIN, i64::MAX));
    if start < lowest || end > highest {
        return Err(Error::invalid(format!(
            "the sequence {name} from {start} to {end} does not fit into {kind}"
        )));
    }
    let count = u64::try_from(i128::from(end) - i128::from(start) + 1).unwrap_or(u64::MAX);
    Ok((Field { ty: ty.clone(), kind: Kind::Sequence { start }, null_rate: 0.0 }, count))
}

/// `name` is that of the column, or `column.part` within it.
fn random(name: &str, ty: &LogicalType, options: &Options<'_>) -> Result<Field> {
    let child = |part: &str, ty: &LogicalType| {
        random(&format!("{name}.{part}"), ty, options).map(|field| Some(Box::new(field)))
    };
    let kind = match &ty.kind {
        TypeKind::Boolean => Kind::Boolean,
        TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int | TypeKind::BigInt => {
            let (lowest, highest) = bounds(&ty.kind).unwrap_or((i64::MIN, i64::MAX));
            let expected = format!("a number from {lowest} to {highest}");
            let read = |text: &str| text.parse().ok().filter(|bound| (lowest..=highest).contains(bound));
            let (min, max) = range(name, options, (lowest, highest), read, &expected)?;
            Kind::Integer { min, max }
        }
        TypeKind::Float | TypeKind::Double => {
            // As in Flink, the smallest positive number.
            let all =
                if ty.kind == TypeKind::Float { (1e-45, f64::from(f32::MAX)) } else { (5e-324, f64::MAX) };
            let (min, max) = range(name, options, all, |text| text.parse().ok(), "a number")?;
            Kind::Approximate { min, max }
        }
        TypeKind::Decimal(precision, scale) => {
            let largest = 10i128.pow(u32::from(*precision)) - 1;
            let read = |text: &str| flott_batch::text::parse_decimal(text.as_bytes(), *precision, *scale);
            let expected = format!("a number that fits into {}", ty.kind);
            let (min, max) = range(name, options, (-largest, largest), read, &expected)?;
            Kind::Decimal { min, max }
        }
        TypeKind::Char(length) | TypeKind::Binary(length) => {
            if options.get_at(&LENGTH, name)?.is_some() {
                let key = options.key_at(&LENGTH, name);
                return Err(Error::invalid(format!("the option '{key}' is not for {}", ty.kind)));
            }
            Kind::Bytes { length: *length, variable: false }
        }
        TypeKind::Varchar(longest) | TypeKind::Varbinary(longest) => {
            let default = if *longest == TypeKind::MAX_LENGTH { 100 } else { *longest };
            let length = options.get_at(&LENGTH, name)?.unwrap_or(default);
            if length == 0 || length > *longest {
                return Err(options.wrong_at(&LENGTH, name, &format!("a number from 1 to {longest}")));
            }
            Kind::Bytes { length, variable: options.get_at(&VARIABLE_LENGTH, name)? }
        }
        TypeKind::Date | TypeKind::Time(_) => Kind::Now,
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            Kind::Past { max_past: options.get_at(&MAX_PAST, name)? }
        }
        TypeKind::IntervalYearMonth => Kind::Integer { min: 0, max: 120_000 },
        TypeKind::IntervalDaySecond => Kind::Integer { min: 0, max: 365 * 86_400_000 },
        TypeKind::Array(element) | TypeKind::Multiset(element) => {
            let length = length_of(name, options)?;
            let element = child("element", element)?;
            if matches!(ty.kind, TypeKind::Array(_)) {
                Kind::Collection { length, key: None, value: element }
            } else {
                Kind::Collection { length, key: element, value: None }
            }
        }
        TypeKind::Map(key_type, value) => Kind::Collection {
            length: length_of(name, options)?,
            key: child("key", key_type)?,
            value: child("value", value)?,
        },
        TypeKind::Row(fields) => {
            let fields =
                fields.iter().map(|field| random(&format!("{name}.{}", field.name), &field.ty, options));
            Kind::Row(fields.collect::<Result<_>>()?)
        }
        other => return Err(Error::unsupported(format!("datagen cannot make values of {other} ({name})"))),
    };
    Ok(Field { ty: ty.clone(), kind, null_rate: options.get_at(&NULL_RATE, name)? })
}

/// How many elements a collection has.
fn length_of(name: &str, options: &Options<'_>) -> Result<u32> {
    Ok(options.get_at(&LENGTH, name)?.unwrap_or(3))
}

/// The bounds of random numbers: the configured values, parsed as the column's type, or the limits of the
/// type.
fn range<T: PartialOrd + std::fmt::Display>(
    name: &str,
    options: &Options<'_>,
    (least, greatest): (T, T),
    read: impl Fn(&str) -> Option<T>,
    expected: &str,
) -> Result<(T, T)> {
    let bound = |option: &TableOption<String>, default: T| match options.get_at(option, name)? {
        None => Ok(default),
        Some(text) => read(&text).ok_or_else(|| options.wrong_at(option, name, expected)),
    };
    let (min, max) = (bound(&MIN, least)?, bound(&MAX, greatest)?);
    if min <= max {
        return Ok((min, max));
    }
    let keys = (options.key_at(&MIN, name), options.key_at(&MAX, name));
    Err(Error::invalid(format!("'{}' ({min}) is above '{}' ({max})", keys.0, keys.1)))
}

/// The smallest and the largest number of a type, where 64 bits hold more.
fn bounds(kind: &TypeKind) -> Option<(i64, i64)> {
    Some(match kind {
        TypeKind::TinyInt => (i8::MIN.into(), i8::MAX.into()),
        TypeKind::SmallInt => (i16::MIN.into(), i16::MAX.into()),
        TypeKind::Int => (i32::MIN.into(), i32::MAX.into()),
        TypeKind::Decimal(precision, scale) => {
            let largest = 10i128.pow(u32::from(precision.saturating_sub(*scale))) - 1;
            let largest = i64::try_from(largest).unwrap_or(i64::MAX);
            (-largest, largest)
        }
        _ => return None,
    })
}

impl Field {
    /// The approximate maximum size of a value in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.kind {
            Kind::Bytes { length, .. } => *length as usize + size_of::<i32>(),
            Kind::Collection { length, key, value } => {
                let parts = key.iter().chain(value).map(|field| field.bytes()).sum::<usize>();
                size_of::<i32>().saturating_add(parts.saturating_mul(*length as usize))
            }
            Kind::Row(fields) => fields.iter().fold(0, |sum, field| sum.saturating_add(field.bytes())),
            Kind::Sequence { .. }
            | Kind::Boolean
            | Kind::Integer { .. }
            | Kind::Approximate { .. }
            | Kind::Decimal { .. }
            | Kind::Now
            | Kind::Past { .. } => size_of::<i128>(),
        }
    }
}
