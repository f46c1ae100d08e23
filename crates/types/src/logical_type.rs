//! Flink's logical types, used by SQL, plans, formats and the shell. `flott_batch::arrow_type` defines their
//! representation as arrow arrays.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A type and whether it admits NULL.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct LogicalType {
    /// The type itself.
    pub kind: TypeKind,
    /// Whether NULL is a value of the type.
    pub nullable: bool,
}

/// A named field of a ROW type.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct RowField {
    /// The field's name, case preserved.
    pub name: String,
    /// The field's type.
    pub ty: LogicalType,
    /// A comment on the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// Flink's types without nullability. Lengths count characters (CHAR, VARCHAR) or bytes (BINARY, VARBINARY);
/// precisions of time types count digits of the second's fraction.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum TypeKind {
    /// CHAR(n); a literal of no characters has length 0.
    Char(u32),
    /// VARCHAR(n); [`TypeKind::MAX_LENGTH`] is STRING.
    Varchar(u32),
    /// BOOLEAN
    Boolean,
    /// BINARY(n)
    Binary(u32),
    /// VARBINARY(n); [`TypeKind::MAX_LENGTH`] is BYTES.
    Varbinary(u32),
    /// DECIMAL(precision, scale)
    Decimal(u8, u8),
    /// TINYINT, one byte
    TinyInt,
    /// SMALLINT, two bytes
    SmallInt,
    /// INT, four bytes
    Int,
    /// BIGINT, eight bytes
    BigInt,
    /// FLOAT, four bytes
    Float,
    /// DOUBLE, eight bytes
    Double,
    /// DATE
    Date,
    /// TIME(p); the value has millisecond precision whatever p says, as in Flink.
    Time(u8),
    /// TIMESTAMP(p) WITHOUT TIME ZONE
    Timestamp(u8),
    /// TIMESTAMP(p) WITH LOCAL TIME ZONE, TIMESTAMP_LTZ(p)
    TimestampLtz(u8),
    /// INTERVAL YEAR/MONTH: a number of months, with the qualifier it was declared with.
    IntervalYearMonth,
    /// INTERVAL DAY/HOUR/MINUTE/SECOND: a number of milliseconds.
    IntervalDaySecond,
    /// ARRAY of an element type
    Array(Box<LogicalType>),
    /// MAP of key type and value type
    Map(Box<LogicalType>, Box<LogicalType>),
    /// MULTISET of an element type
    Multiset(Box<LogicalType>),
    /// ROW of named fields
    Row(Vec<RowField>),
    /// STRUCTURED: a ROW that carries the name of a class. Two are the same when names and fields are.
    Structured(String, Vec<RowField>),
    /// VARIANT: a value that carries its type, as JSON values do.
    Variant,
    /// BITMAP: a set of unsigned 32-bit numbers.
    Bitmap,
    /// The type of a bare NULL literal.
    Null,
}

impl TypeKind {
    /// The length that makes VARCHAR a STRING and VARBINARY a BYTES.
    pub const MAX_LENGTH: u32 = i32::MAX as u32;
    /// STRING
    pub const STRING: TypeKind = TypeKind::Varchar(TypeKind::MAX_LENGTH);
    /// BYTES
    pub const BYTES: TypeKind = TypeKind::Varbinary(TypeKind::MAX_LENGTH);

    /// The type that admits NULL.
    pub const fn nullable(self) -> LogicalType {
        LogicalType { kind: self, nullable: true }
    }

    /// The NOT NULL type.
    pub const fn not_null(self) -> LogicalType {
        LogicalType { kind: self, nullable: false }
    }

    /// With the given nullability.
    pub const fn with_nullable(self, nullable: bool) -> LogicalType {
        LogicalType { kind: self, nullable }
    }

    /// CHAR or VARCHAR.
    pub fn is_character(&self) -> bool {
        matches!(self, TypeKind::Char(_) | TypeKind::Varchar(_))
    }

    /// BINARY or VARBINARY.
    pub fn is_binary(&self) -> bool {
        matches!(self, TypeKind::Binary(_) | TypeKind::Varbinary(_))
    }

    /// TINYINT, SMALLINT, INT or BIGINT.
    pub fn is_integer(&self) -> bool {
        matches!(self, TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int | TypeKind::BigInt)
    }

    /// FLOAT or DOUBLE.
    pub fn is_approximate(&self) -> bool {
        matches!(self, TypeKind::Float | TypeKind::Double)
    }

    /// DECIMAL.
    pub fn is_decimal(&self) -> bool {
        matches!(self, TypeKind::Decimal(..))
    }

    /// An integer, DECIMAL, FLOAT or DOUBLE.
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || self.is_approximate() || self.is_decimal()
    }

    /// TIMESTAMP or TIMESTAMP_LTZ.
    pub fn is_timestamp(&self) -> bool {
        matches!(self, TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_))
    }

    /// DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ.
    pub fn is_datetime(&self) -> bool {
        self.is_timestamp() || matches!(self, TypeKind::Date | TypeKind::Time(_))
    }

    /// The fields of a ROW or STRUCTURED type.
    pub fn fields(&self) -> Option<&[RowField]> {
        match self {
            TypeKind::Row(fields) | TypeKind::Structured(_, fields) => Some(fields),
            _ => None,
        }
    }

    /// How deep types may nest, including the outermost: a plan stores them as JSON, and JSON readers bound
    /// the depth.
    pub const MAX_DEPTH: usize = 20;

    /// How deep the type nests, including the outermost.
    pub fn depth(&self) -> usize {
        let within = |ty: &LogicalType| ty.kind.depth();
        1 + match self {
            TypeKind::Array(element) | TypeKind::Multiset(element) => within(element),
            TypeKind::Map(key, value) => within(key).max(within(value)),
            _ => self.fields().into_iter().flatten().map(|field| within(&field.ty)).max().unwrap_or(0),
        }
    }

    /// An interval.
    pub fn is_interval(&self) -> bool {
        matches!(self, TypeKind::IntervalYearMonth | TypeKind::IntervalDaySecond)
    }
}

impl LogicalType {
    /// The same type with the given nullability.
    #[must_use]
    pub fn with_nullable(mut self, nullable: bool) -> Self {
        self.nullable = nullable;
        self
    }

    /// Whether two types differ at most in nullability, at every level.
    pub fn same_kind(&self, other: &LogicalType) -> bool {
        match (&self.kind, &other.kind) {
            (TypeKind::Array(a), TypeKind::Array(b)) | (TypeKind::Multiset(a), TypeKind::Multiset(b)) => {
                a.same_kind(b)
            }
            (TypeKind::Map(ak, av), TypeKind::Map(bk, bv)) => ak.same_kind(bk) && av.same_kind(bv),
            (TypeKind::Row(a), TypeKind::Row(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.ty.same_kind(&b.ty))
            }
            (TypeKind::Structured(class, a), TypeKind::Structured(other, b)) => {
                let same = |(a, b): (&RowField, &RowField)| a.name == b.name && a.ty.same_kind(&b.ty);
                class == other && a.len() == b.len() && a.iter().zip(b).all(same)
            }
            (a, b) => a == b,
        }
    }
}

impl fmt::Display for TypeKind {
    /// As Flink's `LogicalType.asSummaryString` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TypeKind::Char(n) => write!(f, "CHAR({n})"),
            TypeKind::Varchar(TypeKind::MAX_LENGTH) => f.write_str("STRING"),
            TypeKind::Varchar(n) => write!(f, "VARCHAR({n})"),
            TypeKind::Boolean => f.write_str("BOOLEAN"),
            TypeKind::Binary(n) => write!(f, "BINARY({n})"),
            TypeKind::Varbinary(TypeKind::MAX_LENGTH) => f.write_str("BYTES"),
            TypeKind::Varbinary(n) => write!(f, "VARBINARY({n})"),
            TypeKind::Decimal(p, s) => write!(f, "DECIMAL({p}, {s})"),
            TypeKind::TinyInt => f.write_str("TINYINT"),
            TypeKind::SmallInt => f.write_str("SMALLINT"),
            TypeKind::Int => f.write_str("INT"),
            TypeKind::BigInt => f.write_str("BIGINT"),
            TypeKind::Float => f.write_str("FLOAT"),
            TypeKind::Double => f.write_str("DOUBLE"),
            TypeKind::Date => f.write_str("DATE"),
            TypeKind::Time(p) => write!(f, "TIME({p})"),
            TypeKind::Timestamp(p) => write!(f, "TIMESTAMP({p})"),
            TypeKind::TimestampLtz(p) => write!(f, "TIMESTAMP_LTZ({p})"),
            TypeKind::IntervalYearMonth => f.write_str("INTERVAL MONTH"),
            TypeKind::IntervalDaySecond => f.write_str("INTERVAL SECOND(3)"),
            TypeKind::Array(element) => write!(f, "ARRAY<{element}>"),
            TypeKind::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            TypeKind::Multiset(element) => write!(f, "MULTISET<{element}>"),
            TypeKind::Row(fields) => {
                f.write_str("ROW<")?;
                write_fields(f, fields)?;
                f.write_str(">")
            }
            TypeKind::Structured(class, fields) => {
                write!(f, "STRUCTURED<'{}', ", class.replace('\'', "''"))?;
                write_fields(f, fields)?;
                f.write_str(">")
            }
            TypeKind::Variant => f.write_str("VARIANT"),
            TypeKind::Bitmap => f.write_str("BITMAP"),
            TypeKind::Null => f.write_str("NULL"),
        }
    }
}

fn write_fields(f: &mut fmt::Formatter<'_>, fields: &[RowField]) -> fmt::Result {
    for (i, field) in fields.iter().enumerate() {
        let comma = if i > 0 { ", " } else { "" };
        write!(f, "{comma}`{}` {}", field.name.replace('`', "``"), field.ty)?;
        if let Some(comment) = &field.comment {
            write!(f, " '{}'", comment.replace('\'', "''"))?;
        }
    }
    Ok(())
}

impl fmt::Display for LogicalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = if self.nullable { "" } else { " NOT NULL" };
        write!(f, "{}{suffix}", self.kind)
    }
}
