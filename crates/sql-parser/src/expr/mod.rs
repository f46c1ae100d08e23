//! Expressions.
use sqlparser::ast::DateTimeField;
pub(crate) fn time_unit_of(_word: &str) -> Option<DateTimeField> {
    None
}
