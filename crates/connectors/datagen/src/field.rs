//! What a column's `fields.#.*` options say, checked.

use flott_connector::Options;
use flott_types::{Error, LogicalType, Result, TypeKind};

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
    /// TIMESTAMP, TIMESTAMP_LTZ: up to so many milliseconds ago.
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
        options: &mut Options<'_>,
    ) -> Result<Self> {
        let mut rows: Option<u64> = None;
        let mut fields = Vec::new();
        for (name, ty) in columns {
            let path = format!("fields.{name}");
            match options.text(&format!("{path}.kind")) {
                None | Some("random") => fields.push(random(&path, ty, options)?),
                Some("sequence") => {
                    let (field, count) = sequence(&path, ty, options)?;
                    rows = Some(rows.map_or(count, |rows| rows.min(count)));
                    fields.push(field);
                }
                Some(other) => {
                    return Err(options.wrong(&format!("{path}.kind"), other, "random or sequence"));
                }
            }
        }
        Ok(Fields { fields, rows })
    }
}

fn sequence(path: &str, ty: &LogicalType, options: &mut Options<'_>) -> Result<(Field, u64)> {
    let kind = &ty.kind;
    if !kind.is_numeric() && !kind.is_character() {
        return Err(Error::invalid(format!(
            "the option '{path}.kind' = 'sequence' is not for {kind}; it is for numbers and text"
        )));
    }
    let mut bound = |name: &str| {
        let key = format!("{path}.{name}");
        let bound = options.parsed::<i64>(&key, "a whole number")?;
        bound.ok_or_else(|| {
            Error::invalid(format!("the option '{key}' is missing: a sequence has a start and an end"))
        })
    };
    let (start, end) = (bound("start")?, bound("end")?);
    if start > end {
        return Err(Error::invalid(format!("'{path}.start' ({start}) is above '{path}.end' ({end})")));
    }
    let (lowest, highest) = bounds(kind).unwrap_or((i64::MIN, i64::MAX));
    if start < lowest || end > highest {
        return Err(Error::invalid(format!(
            "the sequence {path} from {start} to {end} does not fit into {kind}"
        )));
    }
    let count = u64::try_from(i128::from(end) - i128::from(start) + 1).unwrap_or(u64::MAX);
    Ok((Field { ty: ty.clone(), kind: Kind::Sequence { start }, null_rate: 0.0 }, count))
}

fn random(path: &str, ty: &LogicalType, options: &mut Options<'_>) -> Result<Field> {
    let key = |name: &str| format!("{path}.{name}");
    let child = |name: &str, ty: &LogicalType, options: &mut Options<'_>| {
        random(&key(name), ty, options).map(|field| Some(Box::new(field)))
    };
    let kind = match &ty.kind {
        TypeKind::Boolean => Kind::Boolean,
        TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int | TypeKind::BigInt => {
            let (lowest, highest) = bounds(&ty.kind).unwrap_or((i64::MIN, i64::MAX));
            let expected = format!("a number from {lowest} to {highest}");
            let mut bound = |name: &str, default: i64| {
                let bound = options.parsed::<i64>(&key(name), &expected)?.unwrap_or(default);
                if (lowest..=highest).contains(&bound) {
                    Ok(bound)
                } else {
                    Err(options.wrong(&key(name), &bound.to_string(), &expected))
                }
            };
            let (min, max) = (bound("min", lowest)?, bound("max", highest)?);
            ordered(path, min, max)?;
            Kind::Integer { min, max }
        }
        TypeKind::Float | TypeKind::Double => {
            // As in Flink, the smallest positive number.
            let (lowest, highest) =
                if ty.kind == TypeKind::Float { (1e-45, f64::from(f32::MAX)) } else { (5e-324, f64::MAX) };
            let min = options.parsed::<f64>(&key("min"), "a number")?.unwrap_or(lowest);
            let max = options.parsed::<f64>(&key("max"), "a number")?.unwrap_or(highest);
            ordered(path, min, max)?;
            Kind::Approximate { min, max }
        }
        TypeKind::Decimal(precision, scale) => {
            let largest = 10i128.pow(u32::from(*precision)) - 1;
            let mut bound = |name: &str, default: i128| match options.text(&key(name)) {
                None => Ok(default),
                Some(text) => flott_batch::text::parse_decimal(text.trim().as_bytes(), *precision, *scale)
                    .ok_or_else(|| {
                        options.wrong(&key(name), text, &format!("a number that fits into {}", ty.kind))
                    }),
            };
            let (min, max) = (bound("min", -largest)?, bound("max", largest)?);
            ordered(path, min, max)?;
            Kind::Decimal { min, max }
        }
        TypeKind::Char(length) | TypeKind::Binary(length) => {
            if options.text(&key("length")).is_some() {
                return Err(Error::invalid(format!("the option '{}' is not for {}", key("length"), ty.kind)));
            }
            Kind::Bytes { length: *length, variable: false }
        }
        TypeKind::Varchar(longest) | TypeKind::Varbinary(longest) => {
            let default = if *longest == TypeKind::MAX_LENGTH { 100 } else { *longest };
            let length = options.parsed::<u32>(&key("length"), "a number")?.unwrap_or(default);
            if length == 0 || length > *longest {
                let expected = format!("a number from 1 to {longest}");
                return Err(options.wrong(&key("length"), &length.to_string(), &expected));
            }
            Kind::Bytes { length, variable: options.flag(&key("var-len"), false)? }
        }
        TypeKind::Date | TypeKind::Time(_) => Kind::Now,
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            Kind::Past { max_past: options.millis(&key("max-past"))?.unwrap_or(0) }
        }
        TypeKind::IntervalYearMonth => Kind::Integer { min: 0, max: 120_000 },
        TypeKind::IntervalDaySecond => Kind::Integer { min: 0, max: 365 * 86_400_000 },
        TypeKind::Array(element) | TypeKind::Multiset(element) => {
            let length = length_of(&key("length"), options)?;
            let element = child("element", element, options)?;
            if matches!(ty.kind, TypeKind::Array(_)) {
                Kind::Collection { length, key: None, value: element }
            } else {
                Kind::Collection { length, key: element, value: None }
            }
        }
        TypeKind::Map(key_type, value) => Kind::Collection {
            length: length_of(&key("length"), options)?,
            key: child("key", key_type, options)?,
            value: child("value", value, options)?,
        },
        TypeKind::Row(fields) => {
            let fields = fields.iter().map(|field| random(&key(&field.name), &field.ty, options));
            Kind::Row(fields.collect::<Result<_>>()?)
        }
        other => return Err(Error::unsupported(format!("datagen cannot make values of {other} ({path})"))),
    };
    let null_rate = options.parsed::<f64>(&key("null-rate"), "a number from 0 to 1")?.unwrap_or(0.0);
    if !(0.0..=1.0).contains(&null_rate) {
        return Err(options.wrong(&key("null-rate"), &null_rate.to_string(), "a number from 0 to 1"));
    }
    Ok(Field { ty: ty.clone(), kind, null_rate })
}

/// How many elements a collection has.
fn length_of(key: &str, options: &mut Options<'_>) -> Result<u32> {
    Ok(options.parsed::<u32>(key, "a number")?.unwrap_or(3))
}

fn ordered<T: PartialOrd + std::fmt::Display>(path: &str, min: T, max: T) -> Result<()> {
    if min <= max {
        return Ok(());
    }
    Err(Error::invalid(format!("'{path}.min' ({min}) is above '{path}.max' ({max})")))
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
    /// The bytes of a value at most, about.
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
