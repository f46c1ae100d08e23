//! Literals, and the words for units of time.

use flott_types::TypeKind;

use super::node;
use crate::ast::{Expr, ExprKind, Interval, Literal, TimeUnit};
use crate::error::{ParseError, Result};
use crate::interval::interval_value;
use crate::lexer::Kind;
use crate::parser::Parser;

impl Parser<'_> {
    /// The literal that starts here, if one does.
    pub(super) fn literal(&mut self) -> Result<Option<Expr>> {
        let token = self.peek();
        let position = token.position;
        let literal = match token.kind {
            Kind::Number => Literal::Number(token.value.clone()),
            Kind::Text => Literal::String(token.value.clone()),
            Kind::Hex => Literal::Binary(token.value.clone()),
            Kind::Word => match token.value.to_ascii_uppercase().as_str() {
                "TRUE" => Literal::Boolean(true),
                "FALSE" => Literal::Boolean(false),
                "NULL" => Literal::Null,
                "UNKNOWN" => {
                    self.next();
                    let operand = Box::new(node(position, ExprKind::Literal(Literal::Null)));
                    let ty = Box::new(TypeKind::Boolean.nullable());
                    return Ok(Some(node(
                        position,
                        ExprKind::Cast { operand, ty, interval: None, is_try: false },
                    )));
                }
                "INTERVAL" => return self.interval().map(Some),
                word @ ("DATE" | "TIME" | "TIMESTAMP") if self.peek_at(1).kind == Kind::Text => {
                    self.next();
                    match word {
                        "DATE" => Literal::Date(self.peek().value.clone()),
                        "TIME" => Literal::Time(self.peek().value.clone()),
                        _ => Literal::Timestamp(self.peek().value.clone()),
                    }
                }
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(node(position, ExprKind::Literal(literal))))
    }

    /// `INTERVAL [+ | -] '..' unit [TO unit]`
    fn interval(&mut self) -> Result<Expr> {
        let position = self.position();
        self.expect("INTERVAL")?;
        let negative = self.eat_sign("-");
        if !negative {
            self.eat_sign("+");
        }
        let text = self.text()?;
        let qualifier = self.interval_qualifier()?;
        let Some(value) = interval_value(&text.value, negative, &qualifier) else {
            let mut units = qualifier;
            (units.precision, units.fraction) = (None, None);
            let message = format!("Illegal interval literal format '{}' for INTERVAL {units}", text.value);
            return Err(ParseError::new(message, text.position));
        };
        let interval = Interval { value, negative, text: text.value, qualifier };
        Ok(node(position, ExprKind::Literal(Literal::Interval(Box::new(interval)))))
    }

    /// A unit of time, as EXTRACT, FLOOR and TIMESTAMPADD take it; `SQL_TSI_DAY` is DAY.
    pub(super) fn time_unit(&mut self) -> Result<TimeUnit> {
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

fn time_unit_of(word: &str) -> Option<TimeUnit> {
    let upper = word.to_ascii_uppercase();
    Some(match upper.strip_prefix("SQL_TSI_").unwrap_or(&upper) {
        "YEAR" => TimeUnit::Year,
        "ISOYEAR" => TimeUnit::IsoYear,
        "QUARTER" => TimeUnit::Quarter,
        "MONTH" => TimeUnit::Month,
        "WEEK" => TimeUnit::Week,
        "DAY" => TimeUnit::Day,
        "DOW" | "DAYOFWEEK" => TimeUnit::DayOfWeek,
        "ISODOW" => TimeUnit::IsoDayOfWeek,
        "DOY" | "DAYOFYEAR" => TimeUnit::DayOfYear,
        "HOUR" => TimeUnit::Hour,
        "MINUTE" => TimeUnit::Minute,
        "SECOND" => TimeUnit::Second,
        "MILLISECOND" => TimeUnit::Millisecond,
        "MICROSECOND" => TimeUnit::Microsecond,
        "NANOSECOND" => TimeUnit::Nanosecond,
        "EPOCH" => TimeUnit::Epoch,
        "DECADE" => TimeUnit::Decade,
        "CENTURY" => TimeUnit::Century,
        "MILLENNIUM" => TimeUnit::Millennium,
        _ => return None,
    })
}
