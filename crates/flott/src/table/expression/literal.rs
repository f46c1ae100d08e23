//! Constants.

use flott_sql_parser::ast::{
    ExprKind, Interval, IntervalQualifier, IntervalValue, Literal, TimeUnit, UnaryOp,
};

use super::Expression;

/// A constant of the type that the value has in Rust: `lit(1)` is an INT, `lit(1_i64)` a BIGINT, `lit(1.5)` a DOUBLE.
pub fn lit(value: impl Into<Expression>) -> Expression {
    value.into()
}

/// NULL of a type, in SQL's words.
pub fn null_of(ty: &str) -> Expression {
    Expression::new(ExprKind::Literal(Literal::Null)).cast(ty)
}

fn number(text: &str) -> Expression {
    let digits = |text: &str| Expression::new(ExprKind::Literal(Literal::Number(text.to_owned())));
    match text.strip_prefix('-') {
        None => digits(text),
        Some(text) => {
            let operand = digits(text);
            Expression::new(ExprKind::Unary { op: UnaryOp::Minus, operand: operand.boxed() })
        }
    }
}

fn text(value: impl Into<String>) -> Expression {
    Expression::new(ExprKind::Literal(Literal::String(value.into())))
}

/// SQL has no literals of these: a number is cast.
macro_rules! cast_numbers {
    ($($ty:ty => $sql:literal),*) => {$(
        impl From<$ty> for Expression {
            fn from(value: $ty) -> Self {
                number(&value.to_string()).cast($sql)
            }
        }
    )*};
}

cast_numbers!(i8 => "TINYINT", i16 => "SMALLINT", i64 => "BIGINT");

impl From<i32> for Expression {
    fn from(value: i32) -> Self {
        match value {
            // Without its sign it is no INT.
            i32::MIN => number(&value.to_string()).cast("INT"),
            _ => number(&value.to_string()),
        }
    }
}

impl From<f64> for Expression {
    fn from(value: f64) -> Self {
        match value.is_finite() {
            // With an exponent it is no DECIMAL.
            true => number(&format!("{value:E}")),
            false => special(value).cast("DOUBLE"),
        }
    }
}

impl From<f32> for Expression {
    fn from(value: f32) -> Self {
        match value.is_finite() {
            true => number(&format!("{value:E}")).cast("FLOAT"),
            false => special(value.into()).cast("FLOAT"),
        }
    }
}

/// The names that casts know.
fn special(value: f64) -> Expression {
    text(match (value.is_nan(), value > 0.0) {
        (true, _) => "NaN",
        (false, true) => "Infinity",
        (false, false) => "-Infinity",
    })
}

impl From<bool> for Expression {
    fn from(value: bool) -> Self {
        Expression::new(ExprKind::Literal(Literal::Boolean(value)))
    }
}

impl From<&str> for Expression {
    fn from(value: &str) -> Self {
        text(value)
    }
}

impl From<String> for Expression {
    fn from(value: String) -> Self {
        text(value)
    }
}

/// Milliseconds, or months, of each unit that intervals have.
fn worth(unit: TimeUnit, count: i64) -> Option<IntervalValue> {
    let millis = |of: i64| count.checked_mul(of).map(IntervalValue::Millis);
    match unit {
        TimeUnit::Year => count.checked_mul(12).map(IntervalValue::Months),
        TimeUnit::Month => Some(IntervalValue::Months(count)),
        TimeUnit::Day => millis(86_400_000),
        TimeUnit::Hour => millis(3_600_000),
        TimeUnit::Minute => millis(60_000),
        _ => millis(1_000),
    }
}

fn interval(unit: TimeUnit, text: &str, value: IntervalValue) -> Expression {
    let digits = text.split('.').next().map_or(0, str::len) as u64;
    let fraction = text.split_once('.').map(|(_, fraction)| fraction.len() as u64);
    let precision = (digits > 2 || fraction.is_some()).then_some(digits.max(2));
    let qualifier = IntervalQualifier { first: unit, precision, last: None, fraction };
    let literal = Interval { value, negative: false, text: text.to_owned(), qualifier };
    Expression::new(ExprKind::Literal(Literal::Interval(Box::new(literal))))
}

/// An INTERVAL of so many of a unit: a literal of a constant number, and else a product.
fn of_unit(count: &Expression, unit: TimeUnit) -> Expression {
    let constant = count.as_number().and_then(|text| Some((text, worth(unit, text.parse().ok()?)?)));
    match (constant, worth(unit, 1)) {
        (Some((text, value)), _) => interval(unit, text, value),
        (None, Some(one)) => count.clone() * interval(unit, "1", one),
        (None, None) => count.clone(),
    }
}

macro_rules! intervals {
    ($($name:ident $unit:ident $word:literal),*) => {
        impl Expression {
            $(
                #[doc = concat!("So many ", $word, ", as an INTERVAL.")]
                #[must_use]
                pub fn $name(&self) -> Expression {
                    of_unit(self, TimeUnit::$unit)
                }
            )*

            /// So many milliseconds, as an INTERVAL.
            #[must_use]
            pub fn millis(&self) -> Expression {
                match self.as_number().and_then(|text| text.parse::<i64>().ok()) {
                    Some(count) => {
                        let text = format!("{}.{:03}", count / 1_000, count % 1_000);
                        interval(TimeUnit::Second, &text, IntervalValue::Millis(count))
                    }
                    None => self.clone() * interval(TimeUnit::Second, "0.001", IntervalValue::Millis(1)),
                }
            }
        }
    };
}

intervals!(years Year "years", months Month "months", days Day "days", hours Hour "hours", minutes Minute "minutes", seconds Second "seconds");
