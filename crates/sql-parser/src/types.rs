//! Flink's type syntax.

use flott_types::{LogicalType, RowField, TypeKind};

use crate::ast::{IntervalQualifier, TimeUnit};
use crate::error::{ParseError, Position, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

/// Reads a type: `DECIMAL(10, 2) NOT NULL`, `ROW<a INT, b ARRAY<STRING>>`, also as [`LogicalType`] prints it.
pub fn parse_type(text: &str) -> Result<LogicalType> {
    let mut parser = Parser::new(text, Position::START)?;
    let ty = parser.data_type_with(true)?;
    parser.expect_end()?;
    Ok(ty)
}

/// The units of intervals, in the singular and in the plural.
const UNITS: [(&str, &str, TimeUnit); 8] = [
    ("YEAR", "YEARS", TimeUnit::Year),
    ("QUARTER", "QUARTERS", TimeUnit::Quarter),
    ("MONTH", "MONTHS", TimeUnit::Month),
    ("WEEK", "WEEKS", TimeUnit::Week),
    ("DAY", "DAYS", TimeUnit::Day),
    ("HOUR", "HOURS", TimeUnit::Hour),
    ("MINUTE", "MINUTES", TimeUnit::Minute),
    ("SECOND", "SECONDS", TimeUnit::Second),
];

/// The type of an interval that begins with a unit.
pub(crate) fn interval_kind(first: TimeUnit) -> TypeKind {
    match first {
        TimeUnit::Year | TimeUnit::Month | TimeUnit::Quarter => TypeKind::IntervalYearMonth,
        _ => TypeKind::IntervalDaySecond,
    }
}

impl Parser<'_> {
    /// The type of a column. Intervals cannot be stored.
    pub(crate) fn data_type(&mut self) -> Result<LogicalType> {
        self.data_type_with(false)
    }

    /// The type behind CAST .. AS: intervals allowed.
    pub(crate) fn cast_type(&mut self) -> Result<LogicalType> {
        let position = self.position();
        let ty = self.data_type_with(true)?;
        if ty.nullable {
            return Ok(ty);
        }
        Err(ParseError::new(
            "CAST takes a type without NOT NULL: the result is nullable if the operand is",
            position,
        ))
    }

    fn data_type_with(&mut self, intervals: bool) -> Result<LogicalType> {
        self.nested(|p| {
            let position = p.position();
            let mut ty = p.type_name(intervals)?.nullable();
            loop {
                if p.eat_all(&["NOT", "NULL"]) {
                    ty.nullable = false;
                } else if p.is_word("NULL") && !p.peek_at(1).is_word("ON") {
                    p.next();
                } else if p.eat("ARRAY") {
                    ty = TypeKind::Array(Box::new(ty)).nullable();
                } else if p.eat("MULTISET") {
                    ty = TypeKind::Multiset(Box::new(ty)).nullable();
                } else if ty.kind.depth() > TypeKind::MAX_DEPTH {
                    let message = format!("The type nests deeper than {} levels", TypeKind::MAX_DEPTH);
                    return Err(ParseError::unsupported(message, position));
                } else {
                    return Ok(ty);
                }
            }
        })
    }

    fn type_name(&mut self, intervals: bool) -> Result<TypeKind> {
        let token = self.next();
        let position = token.position;
        let refuse =
            |what: &str| Err(ParseError::unsupported(format!("The type {what} is not supported"), position));
        if token.kind != Kind::Word {
            return Err(ParseError::new(
                format!("Encountered {}, expected a type", token.describe()),
                position,
            ));
        }
        Ok(match token.value.to_ascii_uppercase().as_str() {
            "CHAR" | "CHARACTER" if self.eat("VARYING") => {
                TypeKind::Varchar(self.length()?.unwrap_or(TypeKind::MAX_LENGTH))
            }
            "CHAR" | "CHARACTER" => TypeKind::Char(self.length()?.unwrap_or(1)),
            "VARCHAR" => TypeKind::Varchar(self.length()?.unwrap_or(TypeKind::MAX_LENGTH)),
            "STRING" => TypeKind::STRING,
            "BOOLEAN" => TypeKind::Boolean,
            "BINARY" if self.eat("VARYING") => {
                TypeKind::Varbinary(self.length()?.unwrap_or(TypeKind::MAX_LENGTH))
            }
            "BINARY" => TypeKind::Binary(self.length()?.unwrap_or(1)),
            "VARBINARY" => TypeKind::Varbinary(self.length()?.unwrap_or(TypeKind::MAX_LENGTH)),
            "BYTES" => TypeKind::BYTES,
            "DECIMAL" | "DEC" | "NUMERIC" => self.decimal()?,
            "TINYINT" => TypeKind::TinyInt,
            "SMALLINT" => TypeKind::SmallInt,
            "INT" | "INTEGER" => TypeKind::Int,
            "BIGINT" => TypeKind::BigInt,
            "FLOAT" => TypeKind::Float,
            "DOUBLE" => {
                self.eat("PRECISION");
                TypeKind::Double
            }
            "DATE" => TypeKind::Date,
            "TIME" => {
                let precision = self.fraction_digits(0)?;
                if self.zone(position, "TIME")? {
                    return refuse("TIME WITH LOCAL TIME ZONE");
                }
                TypeKind::Time(precision)
            }
            "TIMESTAMP" => {
                let precision = self.fraction_digits(6)?;
                match self.zone(position, "TIMESTAMP")? {
                    true => TypeKind::TimestampLtz(precision),
                    false => TypeKind::Timestamp(precision),
                }
            }
            "TIMESTAMP_LTZ" => TypeKind::TimestampLtz(self.fraction_digits(6)?),
            "INTERVAL" if intervals => interval_kind(self.interval_qualifier()?.first),
            "INTERVAL" => {
                return Err(ParseError::new(
                    "A column cannot have an INTERVAL type: store a number, or use intervals in expressions only",
                    position,
                ));
            }
            "ARRAY" => {
                let [element] = self.type_arguments(intervals)?;
                TypeKind::Array(Box::new(element))
            }
            "MULTISET" => {
                let [element] = self.type_arguments(intervals)?;
                TypeKind::Multiset(Box::new(element))
            }
            "MAP" => {
                let [key, value] = self.type_arguments(intervals)?;
                TypeKind::Map(Box::new(key), Box::new(value))
            }
            "ROW" => TypeKind::Row(self.row_fields(intervals)?),
            "NULL" => TypeKind::Null,
            "VARIANT" => TypeKind::Variant,
            "BITMAP" => TypeKind::Bitmap,
            "STRUCTURED" => self.structured(intervals)?,
            name @ "RAW" => return refuse(name),
            "REAL" => return Err(ParseError::new("Flink has no type REAL: write FLOAT", position)),
            _ => return Err(ParseError::new(format!("Unknown type `{}`", token.value), position)),
        })
    }

    fn length(&mut self) -> Result<Option<u32>> {
        let position = self.peek_at(1).position;
        let Some(length) = self.precision()? else {
            return Ok(None);
        };
        match u32::try_from(length) {
            Ok(length @ 1..=TypeKind::MAX_LENGTH) => Ok(Some(length)),
            _ => Err(ParseError::new(
                format!("A length must be between 1 and {}, not {length}", TypeKind::MAX_LENGTH),
                position,
            )),
        }
    }

    fn fraction_digits(&mut self, default: u8) -> Result<u8> {
        let position = self.peek_at(1).position;
        match self.precision()? {
            None => Ok(default),
            Some(digits @ 0..=9) => Ok(digits as u8),
            Some(digits) => Err(ParseError::new(
                format!("A time's precision must be between 0 and 9, not {digits}"),
                position,
            )),
        }
    }

    fn decimal(&mut self) -> Result<TypeKind> {
        if !self.eat_sign("(") {
            return Ok(TypeKind::Decimal(10, 0));
        }
        let position = self.position();
        let precision = self.unsigned()?;
        let scale = if self.eat_sign(",") { self.unsigned()? } else { 0 };
        self.expect_sign(")")?;
        match (precision, scale) {
            (1..=38, scale) if scale <= precision => Ok(TypeKind::Decimal(precision as u8, scale as u8)),
            _ => Err(ParseError::new(
                format!(
                    "DECIMAL({precision}, {scale}): the precision must be between 1 and 38, the scale between 0 and the precision"
                ),
                position,
            )),
        }
    }

    /// `WITHOUT TIME ZONE` (false), `WITH LOCAL TIME ZONE` (true).
    fn zone(&mut self, position: Position, name: &str) -> Result<bool> {
        if self.eat_all(&["WITHOUT", "TIME", "ZONE"]) {
            Ok(false)
        } else if self.eat_all(&["WITH", "LOCAL", "TIME", "ZONE"]) {
            Ok(true)
        } else if self.eat_all(&["WITH", "TIME", "ZONE"]) {
            let message = format!("The type {name} WITH TIME ZONE is not supported: write TIMESTAMP_LTZ");
            Err(ParseError::unsupported(message, position))
        } else {
            Ok(false)
        }
    }

    fn type_arguments<const N: usize>(&mut self, intervals: bool) -> Result<[LogicalType; N]> {
        let position = self.position();
        self.expect_sign("<")?;
        let arguments = self.commas(|p| p.data_type_with(intervals))?;
        self.close_angle()?;
        <[LogicalType; N]>::try_from(arguments).map_err(|found| {
            ParseError::new(format!("{N} type arguments expected, found {}", found.len()), position)
        })
    }

    fn close_angle(&mut self) -> Result<()> {
        self.expect_sign(">").map(|_| ())
    }

    /// `<'class', name type, ..>`
    fn structured(&mut self, intervals: bool) -> Result<TypeKind> {
        self.expect_sign("<")?;
        if self.peek().kind != Kind::Text {
            return Err(self.unexpected("the name of a class in quotes"));
        }
        let class = self.next().value;
        let fields = if self.eat_sign(",") && !self.is_sign(">") {
            self.commas(|p| p.type_field(intervals))?
        } else {
            vec![]
        };
        self.close_angle()?;
        Ok(TypeKind::Structured(class, fields))
    }

    fn type_field(&mut self, intervals: bool) -> Result<RowField> {
        let name = self.ident()?.value;
        let ty = self.data_type_with(intervals)?;
        let comment = match self.peek().kind {
            Kind::Text => Some(self.next().value),
            _ => None,
        };
        Ok(RowField { name, ty, comment })
    }

    fn row_fields(&mut self, intervals: bool) -> Result<Vec<RowField>> {
        // `ROW<>` arrives as one sign.
        if self.eat_sign("<>") {
            return Ok(vec![]);
        }
        let angle = self.eat_sign("<");
        if !angle {
            self.expect_sign("(")?;
        }
        let close = if angle { ">" } else { ")" };
        if self.eat_sign(close) {
            return Ok(vec![]);
        }
        let fields = self.commas(|p| p.type_field(intervals))?;
        self.expect_sign(close)?;
        Ok(fields)
    }

    /// Whether the next word is the unit of an interval.
    pub(crate) fn is_interval_unit(&self) -> bool {
        UNITS.iter().any(|(word, plural, _)| self.is_word(word) || self.is_word(plural))
    }

    /// `DAY`, `DAY(3) TO SECOND(2)`, `SECOND(3, 2)` ..
    pub(crate) fn interval_qualifier(&mut self) -> Result<IntervalQualifier> {
        let unit = |p: &mut Self| {
            let found = UNITS.iter().position(|(word, plural, _)| p.eat(word) || p.eat(plural));
            found.ok_or_else(|| {
                p.unexpected("a unit: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE or SECOND")
            })
        };
        let position = self.position();
        let first = unit(self)?;
        let (mut first_precision, mut fraction, mut last) = (None, None, None);
        let precision_position = self.peek_at(1).position;
        if UNITS[first].0 == "SECOND" {
            if self.eat_sign("(") {
                first_precision = Some(self.unsigned()?);
                fraction = if self.eat_sign(",") { Some(self.unsigned()?) } else { None };
                self.expect_sign(")")?;
            }
        } else {
            first_precision = self.precision()?;
        }
        if self.eat("TO") {
            let to = unit(self)?;
            let allowed = matches!(
                (UNITS[first].0, UNITS[to].0),
                ("YEAR", "MONTH")
                    | ("DAY", "HOUR" | "MINUTE" | "SECOND")
                    | ("HOUR", "MINUTE" | "SECOND")
                    | ("MINUTE", "SECOND")
            );
            if !allowed {
                let message = format!("There is no interval {} TO {}", UNITS[first].0, UNITS[to].0);
                return Err(ParseError::new(message, position));
            }
            if UNITS[to].0 == "SECOND" {
                fraction = self.precision()?;
            }
            last = Some(UNITS[to].2);
        }
        if first_precision.is_some_and(|p| !(1..=10).contains(&p)) || fraction.is_some_and(|f| f > 9) {
            let message =
                "An interval's leading precision must be between 1 and 10, its fraction between 0 and 9";
            return Err(ParseError::new(message, precision_position));
        }
        Ok(IntervalQualifier { first: UNITS[first].2, precision: first_precision, last, fraction })
    }
}
