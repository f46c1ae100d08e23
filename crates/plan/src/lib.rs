//! The plan: the interface between planner and runtime, so that neither depends on the other.
//!
//! Plain, versioned data (serde; JSON on the wire). A [`JobGraph`] is deployed from its serialised form even
//! inside one process. Expressions are [`Expr`] trees with resolved columns and types; operators are
//! [`OperatorSpec`]s. No library's plan is part of the format.
//!
//! Layers inside: [`Schema`] and [`Expr`] → [`OperatorSpec`] (one operator) → [`StreamGraph`] (operators and
//! exchanges) → [`JobGraph`] (operators chained into vertices, ready to schedule).

mod aggregate;
mod errors;
mod expr;
mod graph;
mod lookup;
mod outline;
mod pattern;
mod process;
mod schema;
mod spec;
mod table;
mod window;

pub use aggregate::AggregateCall;
pub use errors::{ERRORS, errors_schema};
pub use expr::{Expr, Literal};
pub use graph::{
    ChainedNode, Chaining, Edge, Exchange, JobEdge, JobGraph, JobVertex, Lineage, Node, NodeId, StreamGraph,
    Wishes,
};
pub use lookup::{LookupJoinSpec, LookupKey, LookupRequests, LookupRetry, LookupSpec};
pub use outline::{Fingerprint, Outline, OutlineEdge, OutlineOperator};
pub use pattern::{
    PatternCondition, PatternReference, PatternShape, PatternSkip, PatternSpec, PatternValue, PatternVariable,
};
pub use process::{ChangelogMode, ProcessTableSpec, ProcessedTable};
pub use schema::{Column, Schema};
pub use spec::{
    AggregatePhase, ChangeCodes, Conflict, JoinBound, JoinKind, JoinRows, OperatorSpec, SortKey,
    TemporalJoinSpec, WatermarkSpec,
};
pub use table::{SinkSpec, SourceSpec, TableSpec};
pub use window::{WindowExtreme, WindowKind, WindowSpec};

/// The version of the plan format.
pub const PLAN_VERSION: u32 = 1;
