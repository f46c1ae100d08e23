//! Options that several connectors have, or all.

use super::{AnyOption, Required, TableOption};

/// `connector`: which one it is.
pub const CONNECTOR: TableOption<String, Required> =
    TableOption::text("connector", "the connector's name").required();

const PROPERTY_VERSION: TableOption<u64> =
    TableOption::number("property-version", 1, 1, "the version of these options")
        .without_effect("there is one version");

/// What every table has.
pub(crate) static COMMON: &[&dyn AnyOption] = &[&CONNECTOR, &PROPERTY_VERSION];

/// `type` of a catalog: which kind it is.
pub(crate) const CATALOG_TYPE: TableOption<String, Required> =
    TableOption::text("type", "the kind of catalog").required();

/// `provider` of a model: who answers.
pub const PROVIDER: TableOption<String, Required> =
    TableOption::text("provider", "who answers for the model").required();

/// What every model has.
pub(crate) static MODEL_COMMON: &[&dyn AnyOption] = &[&PROVIDER];

/// What every catalog has.
pub(crate) static CATALOG_COMMON: &[&dyn AnyOption] = &[&CATALOG_TYPE];

/// `format`: how the bytes of a record become a row. For [`Options::format`](super::Options::format).
pub const FORMAT: TableOption<String, Required> =
    TableOption::text("format", "the format; its own options are prefixed with its name").required();

/// `scan.parallelism`: read by the planner.
pub const SCAN_PARALLELISM: TableOption<u32> = TableOption::number32(
    "scan.parallelism",
    1,
    u32::MAX,
    "the number of readers; by default `parallelism.default`",
);

/// `sink.parallelism`: read by the planner.
pub const SINK_PARALLELISM: TableOption<u32> = TableOption::number32(
    "sink.parallelism",
    1,
    u32::MAX,
    "the number of writers; by default that of the operator before",
);
