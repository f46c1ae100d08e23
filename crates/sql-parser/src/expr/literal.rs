//! Literals, and the words for units of time.

use sqlparser::ast::{
    CastKind, DataType, DateTimeField, Expr, Interval, TimezoneInfo, TypedString, UnaryOperator, Value,
};

use crate::encoding::{decode_interval, encode_type};
use crate::error::Result;
use crate::lexer::Kind;
use crate::parser::{Parser, text_expr};
use flott_types::TypeKind;

impl Parser<'_> {
    /// The literal that starts here, if one does.
    pub(super) fn literal(&mut self) -> Result<Option<Expr>> {
        let token = self.peek();
        let span = token.span;
        let value = match token.kind {
            Kind::Number => Value::Number(token.value.clone(), false),
            Kind::Text => Value::SingleQuotedString(token.value.clone()),
            Kind::Hex => Value::HexStringLiteral(token.value.clone()),
            Kind::Word => match token.value.to_ascii_uppercase().as_str() {
                "TRUE" => Value::Boolean(true),
                "FALSE" => Value::Boolean(false),
                "NULL" => Value::Null,
                "UNKNOWN" => {
                    self.next();
                    return Ok(Some(Expr::Cast {
                        kind: CastKind::Cast,
                        expr: Box::new(Expr::Value(Value::Null.with_span(span))),
                        data_type: encode_type(&TypeKind::Boolean.nullable()),
                        array: false,
                        format: None,
                    }));
                }
                "INTERVAL" => return self.interval().map(Some),
                word @ ("DATE" | "TIME" | "TIMESTAMP") if self.peek_at(1).kind == Kind::Text => {
                    let data_type = match word {
                        "DATE" => DataType::Date,
                        "TIME" => DataType::Time(None, TimezoneInfo::None),
                        _ => DataType::Timestamp(None, TimezoneInfo::None),
                    };
                    self.next();
                    let text = self.next();
                    let value = Value::SingleQuotedString(text.value).with_span(text.span);
                    return Ok(Some(Expr::TypedString(TypedString {
                        data_type,
                        value,
                        uses_odbc_syntax: false,
                    })));
                }
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(Expr::Value(value.with_span(span))))
    }

    /// `INTERVAL [+ | -] '..' unit [TO unit]`
    fn interval(&mut self) -> Result<Expr> {
        self.expect("INTERVAL")?;
        let negative = self.eat_sign("-");
        if !negative {
            self.eat_sign("+");
        }
        let span = self.span();
        let text = text_expr(self.text()?.value, span);
        let value = match negative {
            true => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(text) },
            false => text,
        };
        let qualifier = self.interval_qualifier()?;
        let interval = Interval {
            value: Box::new(value),
            leading_field: Some(qualifier.first),
            leading_precision: qualifier.first_precision,
            last_field: qualifier.last,
            fractional_seconds_precision: qualifier.fraction,
        };
        decode_interval(&interval)?;
        Ok(Expr::Interval(interval))
    }

    /// A unit of time, as EXTRACT, FLOOR and TIMESTAMPADD take it.
    pub(super) fn time_unit(&mut self) -> Result<DateTimeField> {
        let token = self.peek();
        let unit = if token.kind == Kind::Word { time_unit_of(&token.value) } else { None };
        let unit = unit.ok_or_else(|| {
            self.unexpected(
                "a unit of time: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, DOW, DOY, EPOCH ..",
            )
        })?;
        self.next();
        Ok(unit)
    }
}

/// The unit that a word means, also as `SQL_TSI_DAY`.
pub(crate) fn time_unit_of(word: &str) -> Option<DateTimeField> {
    let upper = word.to_ascii_uppercase();
    Some(match upper.strip_prefix("SQL_TSI_").unwrap_or(&upper) {
        "YEAR" => DateTimeField::Year,
        "ISOYEAR" => DateTimeField::Isoyear,
        "QUARTER" => DateTimeField::Quarter,
        "MONTH" => DateTimeField::Month,
        "WEEK" => DateTimeField::Week(None),
        "DAY" => DateTimeField::Day,
        "DOW" | "DAYOFWEEK" => DateTimeField::Dow,
        "ISODOW" => DateTimeField::Isodow,
        "DOY" | "DAYOFYEAR" => DateTimeField::Doy,
        "HOUR" => DateTimeField::Hour,
        "MINUTE" => DateTimeField::Minute,
        "SECOND" => DateTimeField::Second,
        "MILLISECOND" => DateTimeField::Millisecond,
        "MICROSECOND" => DateTimeField::Microsecond,
        "NANOSECOND" => DateTimeField::Nanosecond,
        "EPOCH" => DateTimeField::Epoch,
        "DECADE" => DateTimeField::Decade,
        "CENTURY" => DateTimeField::Century,
        "MILLENNIUM" => DateTimeField::Millennium,
        _ => return None,
    })
}
