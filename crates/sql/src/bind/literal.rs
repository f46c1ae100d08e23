//! Literals.

use flott_expr::literal_text;
use flott_plan::{Expr, Literal};
use flott_sql_parser::encoding::{self, IntervalValue};
use flott_types::{Result, TypeKind};
use sqlparser::ast::{DataType, Expr as Ast, Value, ValueWithSpan};

use super::expr::ExprBinder;
use super::{at, unsupported, wrong};

impl ExprBinder<'_, '_> {
    /// A number, string, binary string, BOOLEAN or NULL.
    pub fn value(&self, value: &ValueWithSpan) -> Result<Expr> {
        match &value.value {
            Value::Number(digits, _) => at(literal_text::number(digits), value),
            Value::SingleQuotedString(text) => Ok(literal_text::string(text.as_str())),
            Value::HexStringLiteral(digits) => at(literal_text::binary(digits), value),
            Value::Boolean(truth) => Ok(literal_text::boolean(*truth)),
            Value::Null => Ok(literal_text::null()),
            other => Err(wrong(format!("'{other}' is not a literal of Flink's SQL"), value)),
        }
    }

    /// A number with a minus before it; `None` if it is not a number.
    pub fn negative_literal(&self, value: &ValueWithSpan) -> Result<Option<Expr>> {
        match &value.value {
            Value::Number(digits, _) => at(literal_text::number(&format!("-{digits}")), value).map(Some),
            _ => Ok(None),
        }
    }

    /// DATE '...', TIME '...', TIMESTAMP '...', INTERVAL '...' unit.
    pub fn typed_literal(&self, ast: &Ast) -> Result<Expr> {
        match ast {
            Ast::TypedString(typed) => {
                let Value::SingleQuotedString(text) = &typed.value.value else {
                    return Err(wrong("expected a string", ast));
                };
                match &typed.data_type {
                    DataType::Date => at(literal_text::date(text), ast),
                    DataType::Time(..) => at(literal_text::time(text), ast),
                    DataType::Timestamp(..) => at(literal_text::timestamp(text), ast),
                    other => Err(unsupported(format!("a literal of type {other}"), ast)),
                }
            }
            Ast::Interval(interval) => {
                let (value, kind) = match encoding::decode_interval(interval)? {
                    IntervalValue::Months(months) => (months, TypeKind::IntervalYearMonth),
                    IntervalValue::Millis(millis) => (millis, TypeKind::IntervalDaySecond),
                };
                Ok(Expr::literal(Literal::Integer(value), kind.not_null()))
            }
            _ => Err(unsupported("this form of literal", ast)),
        }
    }
}
