//! One operator, as plain data.

use serde::{Deserialize, Serialize};

use crate::lookup::LookupJoinSpec;
use crate::{
    AggregateCall, Expr, PatternSpec, ProcessTableSpec, SinkSpec, SourceSpec, WindowExtreme, WindowSpec,
};

/// The codes of INSERT, UPDATE_BEFORE, UPDATE_AFTER and DELETE, in this order, of each any number.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ChangeCodes(pub [Vec<String>; 4]);

/// How watermarks come from rows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatermarkSpec {
    /// The event-time column.
    pub time_column: usize,
    /// The watermark of a row: an expression of type TIMESTAMP or TIMESTAMP_LTZ.
    pub expression: Expr,
    /// A watermark is emitted when it advanced by more than this many milliseconds
    /// (`pipeline.auto-watermark-interval`).
    pub interval: i64,
    /// After this many milliseconds without rows the stream counts as idle
    /// (`table.exec.source.idle-timeout`); 0 never.
    pub idle_timeout: i64,
}

/// A sort key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Rows in, partial accumulators out; before the exchange, no state in checkpoints (flushed before a
    /// barrier).
    Local,
    /// Partial accumulators in, results out.
    Global,
}

/// What becomes of several rows with one primary key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// The one that came last counts.
    Last,
    /// The one that came first counts.
    First,
    /// The job fails, once event time has moved on and there are still several.
    Error,
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

/// Each row of the left with the version of the right that was valid at the row's time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemporalJoinSpec {
    /// INNER or LEFT
    pub kind: JoinKind,
    /// The key columns of the left input.
    pub left_keys: Vec<usize>,
    /// The key columns of the right input.
    pub right_keys: Vec<usize>,
    /// For each key, whether NULL equals NULL (IS NOT DISTINCT FROM).
    pub null_safe: Vec<bool>,
    /// The event time of the left input.
    pub left_time: usize,
    /// The event time of the right input: from when on a version is valid.
    pub right_time: usize,
    /// A further condition over left columns, then right columns.
    #[serde(default)]
    pub condition: Option<Expr>,
}

/// How near in event time the rows of a join's sides are that can match: right time - left time is between
/// `lower` and `upper` (milliseconds). The join's condition says so itself; this is what follows for its
/// state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinBound {
    /// The event time of the left input.
    pub left_time: usize,
    /// The event time of the right input.
    pub right_time: usize,
    /// The least of right time - left time.
    pub lower: i64,
    /// The greatest.
    pub upper: i64,
    /// Rows of one window are joined: the times are its exclusive end, and rows of a window that is over are
    /// late.
    #[serde(default)]
    pub windows: bool,
}

/// What is known of the rows of a join's side, and so how they are kept.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinRows {
    /// Nothing: equal rows are counted.
    #[default]
    Any,
    /// They come and stay.
    Appended,
    /// They come and stay, and equal ones may come without end: they are counted.
    Repeated,
    /// No two have the same values in these columns and in those of the join's key. A row takes the place of the one
    /// that has, so an update needs no -U if the key of the join stays the same.
    Unique(Vec<usize>),
}

impl JoinRows {
    /// Whether rows come and stay.
    pub fn only_appends(&self) -> bool {
        matches!(self, JoinRows::Appended | JoinRows::Repeated)
    }
}

/// What an operator does. The input schemas come from the upstream nodes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
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
    /// Unbounded GROUP BY. Output: the group columns, then one column an aggregate. Input of the global
    /// phase: the group columns, then the accumulator columns of each aggregate.
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
        /// State that was not touched for this long is dropped (`table.exec.state.ttl`, milliseconds); 0
        /// never.
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
    /// Windowed GROUP BY by slices. Output: the group columns, the aggregates, then window_start, window_end,
    /// window_time as asked for by `window_columns`.
    WindowAggregate {
        /// The window.
        window: WindowSpec,
        /// The input columns of the key.
        keys: Vec<usize>,
        /// The aggregates.
        aggregates: Vec<AggregateCall>,
        /// The phase. Output of the local phase: keys, accumulator columns, slice end (BIGINT, milliseconds).
        phase: AggregatePhase,
        /// When the input has windows already (a window over a window): the columns window_start and
        /// window_end.
        #[serde(default)]
        attached: Option<(usize, usize)>,
        /// Which of window_start, window_end, window_time follow the aggregates in the output.
        window_columns: [bool; 3],
        /// The input carries retractions.
        #[serde(default)]
        input_updates: bool,
    },
    /// Equi-join of two changelogs, both kept in state. Output: left columns, then right columns (left alone
    /// for SEMI and ANTI).
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
        /// State that was not touched for this long is dropped (milliseconds); 0 never.
        #[serde(default)]
        ttl: i64,
        /// The same for the rows of the right alone, where it is another.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        right_ttl: Option<i64>,
        /// Rows match near each other in event time only, so that state is let go with it; both inputs only
        /// append, and so does the output.
        #[serde(default)]
        bound: Option<JoinBound>,
        /// What is known of the rows of the left and of the right.
        #[serde(default, skip_serializing_if = "is_unknown")]
        rows: [JoinRows; 2],
        /// -U rows are wanted downstream. If not, inputs of unique rows may come without theirs.
        #[serde(default = "wanted", skip_serializing_if = "is_wanted")]
        emit_update_before: bool,
        /// Of all rows with one key of the join only the first by this order, over columns of the output, is needed
        /// downstream: those behind one that was emitted need not be. Only where both inputs append and all their
        /// rows are kept. Empty: all are needed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        first_by: Vec<SortKey>,
    },
    /// Temporal join in event time. Output: left columns, then right columns.
    TemporalJoin(TemporalJoinSpec),
    /// Lookup join. Output: left columns, then the columns of the table.
    LookupJoin(LookupJoinSpec),
    /// Before an exchange by the partition: drops rows that are not among the first of it, as far as the subtask knows.
    /// For inputs that only append. Output: the input columns.
    LocalTopN {
        /// The partition columns.
        partition: Vec<usize>,
        /// The order.
        order: Vec<SortKey>,
        /// Ranks to (inclusive).
        to: u64,
        /// Whether rows of the ranks expire: then only rows of one batch are compared.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        expires: bool,
    },
    /// Before an exchange for a join with the largest (smallest) value of each window: drops rows that certainly have
    /// not the value of any window that they can be joined with. The windows are over the input's rows and perhaps
    /// others. For inputs that only append. Output: the input columns.
    LocalWindowExtreme(WindowExtreme),
    /// Keeps the first rows of each partition by an order (ROW_NUMBER() <= n; ORDER BY ... LIMIT). Output:
    /// the input columns, then the rank when asked for.
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
        /// State that was not touched for this long is dropped (milliseconds); 0 never.
        #[serde(default)]
        ttl: i64,
        /// Each partition is of one window, whose exclusive end this column holds: its rows leave once, when
        /// event time has passed it.
        #[serde(default)]
        window_end: Option<usize>,
        /// -U rows are wanted downstream.
        #[serde(default = "wanted", skip_serializing_if = "is_wanted")]
        emit_update_before: bool,
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
        /// State of a key that was not touched for this long is dropped (milliseconds); 0 never. A RANGE n
        /// PRECEDING forgets by itself.
        #[serde(default)]
        ttl: i64,
    },
    /// OVER of a stream by what is no time attribute: a row changes the results of those behind it. Output:
    /// the input columns, then the results, as a changelog.
    UpdatingOver {
        /// The partition columns.
        partition: Vec<usize>,
        /// The order.
        order: Vec<SortKey>,
        /// ROWS rather than RANGE. All frames are from UNBOUNDED PRECEDING to CURRENT ROW.
        rows: bool,
        /// The functions.
        aggregates: Vec<AggregateCall>,
        /// State of a key that was not touched for this long is dropped (milliseconds); 0 never.
        #[serde(default)]
        ttl: i64,
        /// -U rows are wanted downstream.
        #[serde(default = "wanted", skip_serializing_if = "is_wanted")]
        emit_update_before: bool,
    },
    /// Holds a changelog back until its end and emits the rows that are left: batch.
    BatchRows,
    /// OVER by any order and frame, at the end of all rows: batch. Output: the input columns, then the
    /// results.
    BatchOver {
        /// The partition columns.
        partition: Vec<usize>,
        /// The order; rows without an order are all peers.
        order: Vec<SortKey>,
        /// ROWS rather than RANGE.
        rows: bool,
        /// The frame begins so far before the row, or behind it if negative: rows, numbers, or milliseconds.
        /// `None` is UNBOUNDED.
        preceding: Option<i64>,
        /// The frame ends so far behind the row, or before it if negative. `None` is UNBOUNDED.
        following: Option<i64>,
        /// The functions.
        aggregates: Vec<AggregateCall>,
    },
    /// Sorts a stream by its time attribute: rows leave when the watermark has passed them.
    TemporalSort {
        /// The order; the first key is the ascending time attribute.
        order: Vec<SortKey>,
        /// The rows of a partition are sorted among themselves.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        partition: Vec<usize>,
    },
    /// MATCH_RECOGNIZE
    MatchRecognize(PatternSpec),
    /// Turns an upsert or CDC stream into a changelog with full -U and -D rows: keeps the last row of each
    /// key.
    ChangelogNormalize {
        /// The key columns.
        keys: Vec<usize>,
        /// State that was not touched for this long is dropped (milliseconds); 0 never.
        #[serde(default)]
        ttl: i64,
        /// -U rows are wanted downstream.
        #[serde(default = "wanted", skip_serializing_if = "is_wanted")]
        emit_update_before: bool,
    },
    /// One row for each primary key, of rows that change by another key: before a sink that finds rows by its
    /// primary key. Emits no -U.
    SinkMaterializer {
        /// The columns of the primary key.
        keys: Vec<usize>,
        /// Which of several rows of a key counts.
        conflict: Conflict,
        /// State that was not touched for this long is dropped (milliseconds); 0 never.
        #[serde(default)]
        ttl: i64,
    },
    /// Leaves out the -U of updates, where nobody needs them and the operator upstream cannot do without.
    DropUpdateBefore,
    /// Emits each row once for each set of group columns; others become NULL. Adds the set's number.
    Expand {
        /// For each copy the output expressions.
        projections: Vec<Vec<Expr>>,
    },
    /// Each row once for each element of a collection. Output: the input columns, then the element (its
    /// fields, if it is a ROW; key and value of a MAP), then its position.
    Unnest {
        /// An ARRAY, MAP or MULTISET of the row.
        collection: Expr,
        /// The position, an INT from 1, is a column.
        ordinality: bool,
        /// A row without elements comes once, with NULLs.
        keep_empty: bool,
        /// Which elements count, over the columns that follow the input's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        condition: Option<Expr>,
    },
    /// Changes as rows that only append. Output: the code of the change, then the input columns. Changes
    /// without a code are left out.
    ToChangelog {
        /// At most one for each kind.
        codes: ChangeCodes,
    },
    /// Rows as the changes that one of their columns names. Output: the other columns.
    FromChangelog {
        /// The column of the codes.
        column: usize,
        /// What the codes mean.
        codes: ChangeCodes,
    },
    /// A function of a program that takes tables.
    ProcessTable(ProcessTableSpec),
    /// Several inputs of one schema as one stream.
    Union,
    /// Writes to a table.
    Sink(SinkSpec),
    /// Hands the rows to the client that submitted the query.
    Collect,
    /// A function of a program: code that every process of the job has, found by the operator's number in it.
    Function {
        /// The program's name, the same in all processes.
        program: String,
        /// The operator's number in the program.
        node: u32,
    },
}

impl OperatorSpec {
    /// Whether the operator may keep something from one batch to the next that its snapshot holds. One that
    /// does not needs no name to be found again, and is not new to a job that is restored without it. A local
    /// aggregation has sent everything on before each barrier.
    pub fn may_have_state(&self) -> bool {
        !matches!(
            self,
            OperatorSpec::Calc { .. }
                | OperatorSpec::Expand { .. }
                | OperatorSpec::Unnest { .. }
                | OperatorSpec::Union
                | OperatorSpec::Values { .. }
                | OperatorSpec::DropUpdateBefore
                | OperatorSpec::ToChangelog { .. }
                | OperatorSpec::FromChangelog { .. }
                | OperatorSpec::GroupAggregate { phase: AggregatePhase::Local, .. }
                | OperatorSpec::WindowAggregate { phase: AggregatePhase::Local, .. }
        )
    }

    /// Whether the operator makes the -U of its updates itself, and so can leave them out; it is told so here.
    pub fn update_before(&mut self) -> Option<&mut bool> {
        match self {
            OperatorSpec::GroupAggregate { emit_update_before, .. }
            | OperatorSpec::TopN { emit_update_before, .. }
            | OperatorSpec::UpdatingOver { emit_update_before, .. }
            | OperatorSpec::Join { emit_update_before, .. }
            | OperatorSpec::ChangelogNormalize { emit_update_before, .. } => Some(emit_update_before),
            _ => None,
        }
    }
}

/// Plans that say nothing of -U emit them.
fn wanted() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_wanted(wanted: &bool) -> bool {
    *wanted
}

fn is_unknown(rows: &[JoinRows; 2]) -> bool {
    *rows == [JoinRows::Any, JoinRows::Any]
}
