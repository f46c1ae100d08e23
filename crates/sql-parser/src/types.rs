//! Types.
use crate::error::{ParseError, Position, Result};
use flott_types::LogicalType;
/// Reads a type.
pub fn parse_type(_text: &str) -> Result<LogicalType> {
    Err(ParseError::new("type expected", Position::START))
}
