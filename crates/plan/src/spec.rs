//! One operator, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AggregateCall, Expr, Schema, WindowSpec};

/// A table as a connector sees it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TableSpec {
    /// `catalog.database.table`, for messages.
    pub name: String,
    /// The connector's name.
    pub connector: String,
    /// The WITH options, `connector` included.
    pub options: BTreeMap<String, String>,
    /// The physical columns, in declared order.
    pub schema: Schema,
    /// The names of the partition columns.
    #[serde(default)]
    pub partition_keys: Vec<String>,
    /// The positions of the primary key's columns in `schema`.
    #[serde(default)]
    pub primary_key: Vec<usize>,
}

/// A source: which columns are read from which table.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SourceSpec {
    /// The table.
    pub table: TableSpec,
    /// The physical columns to produce, by position in the table's schema (projection push-down).
    pub projection: Vec<usize>,
    /// Metadata keys to produce after them, with their types.
    #[serde(default)]
    pub metadata: Schema,
    /// At most so many rows are needed from each subtask (limit push-down).
    #[serde(default)]
    pub limit: Option<u64>,
}

/// A sink: where rows of the table's schema go.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SinkSpec {
    /// The table.
    pub table: TableSpec,
    /// Metadata columns that follow the physical ones in the input.
    #[serde(default)]
    pub metadata: Schema,
    /// INSERT OVERWRITE.
    #[serde(default)]
    pub overwrite: bool,
    /// Constant partition values of INSERT INTO ... PARTITION (k = v), as text.
    #[serde(default)]
    pub static_partition: BTreeMap<String, String>,
}

/// How watermarks come from rows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WatermarkSpec {
    /// The event-time column.
    pub time_column: usize,
    /// The watermark of a row: an expression of type TIMESTAMP or TIMESTAMP_LTZ.
    pub expression: Expr,
    /// A watermark is emitted when it advanced by more than so many milliseconds (`pipeline.auto-watermark-interval`).
    pub interval: i64,
    /// After so many milliseconds without rows the stream counts as idle (`table.exec.source.idle-timeout`); 0 never.
    pub idle_timeout: i64,
}

/// A sort key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SortKey {
    /// The input column.
    pub column: usize,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST.
    pub nulls_first: bool,
}

/// How an aggregation is split.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregatePhase {
    /// Rows in, results out.
    Single,
    /// Rows in, partial accumulators out; before the exchange, no state in checkpoints (flushed before a barrier).
    Local,
    /// Partial accumulators in, results out.
    Global,
}

/// Joins of two streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinKind {
    /// INNER
    Inner,
    /// LEFT OUTER
    Left,
    /// RIGHT OUTER
    Right,
    /// FULL OUTER
    Full,
    /// EXISTS, IN: left rows with a match
    Semi,
    /// NOT EXISTS, NOT IN: left rows without a match
    Anti,
}

/// What an operator does. The input schemas come from the upstream nodes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OperatorSpec {
    /// Reads a table.
    Source(SourceSpec),
    /// Constant rows; every row is a list of constant expressions.
    Values {
        /// The rows.
        rows: Vec<Vec<Expr>>,
    },
    /// Filter, then projection.
    Calc {
        /// Keep only rows for which this is TRUE.
        #[serde(default)]
        condition: Option<Expr>,
        /// The output columns.
        projection: Vec<Expr>,
    },
    /// Generates watermarks; drops rows whose time attribute is NULL as an error.
    WatermarkAssigner(WatermarkSpec),
    /// Unbounded GROUP BY. Output: the group columns, then one column an aggregate. Input of the global phase: the
    /// group columns, then the accumulator columns of each aggregate.
    GroupAggregate {
        /// The input columns of the key.
        keys: Vec<usize>,
        /// The aggregates.
        aggregates: Vec<AggregateCall>,
        /// The phase.
        phase: AggregatePhase,
        /// The input carries retractions.
        input_updates: bool,
        /// -U rows are wanted downstream.
        emit_update_before: bool,
        /// State that was not touched for so long is dropped (`table.exec.state.ttl`, milliseconds); 0 never.
        #[serde(default)]
        ttl: i64,
    },
    /// Adds window_start, window_end and window_time to each row (once for every window of the row).
    WindowTableFunction {
        /// The window.
        window: WindowSpec,
        /// SESSION ... PARTITION BY: columns of the key.
        #[serde(default)]
        partition: Vec<usize>,
    },
    /// Windowed GROUP BY by slices. Output: the group columns, the aggregates, then window_start, window_end, window_time
    /// as asked for by `window_columns`.
    WindowAggregate {
        /// The window.
        window: WindowSpec,
        /// The input columns of the key.
        keys: Vec<usize>,
        /// The aggregates.
        aggregates: Vec<AggregateCall>,
        /// The phase. Output of the local phase: keys, accumulator columns, slice end (BIGINT, milliseconds).
        phase: AggregatePhase,
        /// When the input has windows already (a window over a window): the columns window_start and window_end.
        #[serde(default)]
        attached: Option<(usize, usize)>,
        /// Which of window_start, window_end, window_time follow the aggregates in the output.
        window_columns: [bool; 3],
        /// The input carries retractions.
        #[serde(default)]
        input_updates: bool,
    },
    /// Equi-join of two changelogs, both kept in state. Output: left columns, then right columns (left alone for
    /// SEMI and ANTI).
    Join {
        /// The kind.
        kind: JoinKind,
        /// The key columns of the left input.
        left_keys: Vec<usize>,
        /// The key columns of the right input.
        right_keys: Vec<usize>,
        /// For each key, whether NULL equals NULL (IS NOT DISTINCT FROM).
        null_safe: Vec<bool>,
        /// A further condition over left columns, then right columns.
        #[serde(default)]
        condition: Option<Expr>,
        /// State that was not touched for so long is dropped (milliseconds); 0 never.
        #[serde(default)]
        ttl: i64,
    },
    /// Keeps the first rows of each partition by an order (ROW_NUMBER() <= n; ORDER BY ... LIMIT). Output: the input
    /// columns, then the rank when asked for.
    TopN {
        /// The partition columns.
        partition: Vec<usize>,
        /// The order.
        order: Vec<SortKey>,
        /// Ranks from (1-based, inclusive).
        from: u64,
        /// Ranks to (inclusive); `None` for all.
        to: Option<u64>,
        /// Adds the rank as a BIGINT column.
        output_rank: bool,
        /// The input carries retractions.
        input_updates: bool,
    },
    /// OVER aggregation ordered by a time attribute. Output: the input columns, then the aggregates.
    OverAggregate {
        /// The partition columns.
        partition: Vec<usize>,
        /// The time attribute; `None` in processing time (arrival order).
        time_column: Option<usize>,
        /// ROWS n PRECEDING or RANGE n PRECEDING (milliseconds); `None` is UNBOUNDED PRECEDING.
        preceding: Option<i64>,
        /// ROWS rather than RANGE.
        rows: bool,
        /// The aggregates.
        aggregates: Vec<AggregateCall>,
    },
    /// Sorts a stream by its time attribute: rows leave when the watermark has passed them.
    TemporalSort {
        /// The order; the first key is the ascending time attribute.
        order: Vec<SortKey>,
    },
    /// Turns an upsert or CDC stream into a changelog with full -U and -D rows: keeps the last row of each key.
    ChangelogNormalize {
        /// The key columns.
        keys: Vec<usize>,
    },
    /// Emits each row once for each set of group columns; others become NULL. Adds the set's number.
    Expand {
        /// For each copy the output expressions.
        projections: Vec<Vec<Expr>>,
    },
    /// Several inputs of one schema as one stream.
    Union,
    /// Writes to a table.
    Sink(SinkSpec),
    /// Hands the rows to the client that submitted the query.
    Collect,
}
