//! x
use flott_plan::AggregateCall;
use flott_types::{LogicalType, Result};
/// x
pub fn accumulator_schema(_: &AggregateCall) -> Result<Vec<(String, LogicalType)>> {
    Ok(vec![])
}
