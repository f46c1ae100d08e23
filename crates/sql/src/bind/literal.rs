//! Literals.

use flott_expr::literal_text;
use flott_plan::{Expr, Literal as Value};
use flott_sql_parser::ast::{Expr as Ast, ExprKind, IntervalValue, Literal};
use flott_types::{Result, TypeKind};

use super::at;
use super::expr::ExprBinder;

impl ExprBinder<'_, '_> {
    /// A constant.
    pub fn literal(&self, literal: &Literal, ast: &Ast) -> Result<Expr> {
        match literal {
            Literal::Number(digits) => at(literal_text::number(digits), ast),
            Literal::String(text) => Ok(literal_text::string(text.as_str())),
            Literal::Binary(digits) => at(literal_text::binary(digits), ast),
            Literal::Boolean(truth) => Ok(literal_text::boolean(*truth)),
            Literal::Null => Ok(literal_text::null()),
            Literal::Date(text) => at(literal_text::date(text), ast),
            Literal::Time(text) => at(literal_text::time(text), ast),
            Literal::Timestamp(text) => at(literal_text::timestamp(text), ast),
            Literal::Interval(interval) => {
                let (value, kind) = match interval.value {
                    IntervalValue::Months(months) => (months, TypeKind::IntervalYearMonth),
                    IntervalValue::Millis(millis) => (millis, TypeKind::IntervalDaySecond),
                };
                Ok(Expr::literal(Value::Integer(value), kind.not_null()))
            }
        }
    }

    /// A number preceded by a minus; `None` if it is not a number.
    pub fn negative_literal(&self, operand: &Ast) -> Result<Option<Expr>> {
        match &operand.kind {
            ExprKind::Literal(Literal::Number(digits)) => {
                at(literal_text::number(&format!("-{digits}")), operand).map(Some)
            }
            _ => Ok(None),
        }
    }
}
