//! Windows: table functions that append window columns, and aggregation by window.

pub(crate) mod aggregate;
mod columns;
pub(crate) mod extreme;
pub(crate) mod local;
pub(crate) mod session_aggregate;
pub(crate) mod session_table_function;
pub(crate) mod table_function;
