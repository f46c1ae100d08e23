//! The logical plan: relational algebra with Flink's own nodes.
//!
//! A [`Rel`] is a node with its output [`Field`]s. Expressions are `flott_plan::Expr` over the concatenated
//! fields of the node's inputs. Fields contain what the planner must know in addition to the type: time
//! attributes, and which window bound a column is.

mod errors_into;
mod over_spec;

use std::sync::Arc;

use flott_plan::{
    AggregateCall, ChangeCodes, Expr, JoinKind, PatternSpec, ProcessTableSpec, SortKey, WindowSpec,
};
use flott_types::{LogicalType, TypeKind};

use crate::catalog::{ObjectPath, Table};
pub use crate::field::{Field, WindowBound, is_time_attribute_type, state_ttl};
pub use crate::lookup_hint::LookupHint;
pub use errors_into::ErrorsInto;
pub use flott_connector::catalog::TimeAttribute;
pub use over_spec::OverSpec;

/// A relation.
#[derive(Clone, PartialEq, Debug)]
pub struct Rel {
    /// What it does.
    pub node: RelNode,
    /// Its columns.
    pub fields: Vec<Field>,
}

/// A scan of a table: physical columns, then metadata columns.
#[derive(Clone, PartialEq, Debug)]
pub struct Scan {
    /// Where the table is found.
    pub path: ObjectPath,
    /// The table, its options with those of hints.
    pub table: Arc<Table>,
    /// The physical columns read, by position among the table's physical columns.
    pub projection: Vec<usize>,
    /// The fields that are read of them, if not all columns are read as a whole (`SourceSpec::paths`).
    pub paths: Vec<Vec<usize>>,
    /// Whether the connector can read individual fields.
    pub projects_fields: bool,
    /// The metadata keys read.
    pub metadata: Vec<(String, LogicalType)>,
    /// At most this many rows are needed.
    pub limit: Option<u64>,
    /// Where records go that cannot be read; without, they fail the job.
    pub errors: Option<Box<ErrorsInto>>,
    /// It is a model, with the columns that go in, then those that come out: it can only be looked up.
    pub model: bool,
}

/// One aggregate of an OVER clause or GROUP BY: see `flott_plan::AggregateCall`.
pub type Call = AggregateCall;

/// What a relation does.
#[derive(Clone, PartialEq, Debug)]
pub enum RelNode {
    /// Reads a table.
    Scan(Scan),
    /// Constant rows.
    Values(Vec<Vec<Expr>>),
    /// Computes columns.
    Project {
        /// The input.
        input: Box<Rel>,
        /// The columns.
        exprs: Vec<Expr>,
    },
    /// Keeps rows.
    Filter {
        /// The input.
        input: Box<Rel>,
        /// TRUE for the rows that stay.
        condition: Expr,
    },
    /// Assigns watermarks.
    Watermark {
        /// The input.
        input: Box<Rel>,
        /// The time column.
        column: usize,
        /// The watermark of a row.
        expr: Expr,
    },
    /// Adds window_start, window_end, window_time.
    WindowTvf {
        /// The input.
        input: Box<Rel>,
        /// The window.
        window: WindowSpec,
        /// SESSION ... PARTITION BY
        partition: Vec<usize>,
    },
    /// Emits each row once for each element of its own collection.
    Unnest {
        /// The input.
        input: Box<Rel>,
        /// The collection.
        collection: Expr,
        /// Whether the position of an element is added as the last column.
        ordinality: bool,
        /// Whether a row without elements is kept, with NULLs.
        keep_empty: bool,
        /// Which elements count, over the columns behind the input's.
        condition: Option<Expr>,
    },
    /// GROUP BY: the keys, then the calls.
    Aggregate {
        /// The input.
        input: Box<Rel>,
        /// The key columns.
        keys: Vec<usize>,
        /// The aggregates.
        calls: Vec<Call>,
    },
    /// GROUP BY window_start, window_end, ...: keys, calls, then the bounds asked for.
    WindowAggregate {
        /// The input.
        input: Box<Rel>,
        /// The window.
        window: WindowSpec,
        /// The window columns of the input, if it already has windows.
        attached: Option<(usize, usize)>,
        /// The key columns without those of the window.
        keys: Vec<usize>,
        /// The aggregates.
        calls: Vec<Call>,
        /// Which of window_start, window_end, window_time follow.
        bounds: [bool; 3],
    },
    /// A join; the condition is over left columns, then right columns.
    Join {
        /// The left input.
        left: Box<Rel>,
        /// The right input.
        right: Box<Rel>,
        /// The kind.
        kind: JoinKind,
        /// The condition; `None` is TRUE.
        condition: Option<Expr>,
    },
    /// Temporal join: each left row with the version of the right side that was valid at its time. The
    /// condition is over left columns, then right columns.
    TemporalJoin {
        /// The left input.
        left: Box<Rel>,
        /// The right input.
        right: Box<Rel>,
        /// INNER or LEFT
        kind: JoinKind,
        /// The event time of the left side.
        left_time: usize,
        /// The event time of the right side.
        right_time: usize,
        /// The condition.
        condition: Option<Expr>,
    },
    /// Lookup join: each left row with the rows that a table has for its keys when the row arrives. The
    /// condition is over left columns, then right columns.
    LookupJoin {
        /// The left input.
        left: Box<Rel>,
        /// The table, and what is computed from its columns. It is not an input: it is never read from end to
        /// end.
        right: Box<Rel>,
        /// INNER or LEFT
        kind: JoinKind,
        /// The condition.
        condition: Option<Expr>,
        /// The LOOKUP hint, if there is one.
        hint: Option<LookupHint>,
    },
    /// UNION ALL
    Union(Vec<Rel>),
    /// Emits each row once for every projection.
    Expand {
        /// The input.
        input: Box<Rel>,
        /// The projections.
        projections: Vec<Vec<Expr>>,
    },
    /// ORDER BY ... LIMIT, and ROW_NUMBER() <= n.
    TopN {
        /// The input.
        input: Box<Rel>,
        /// PARTITION BY
        partition: Vec<usize>,
        /// ORDER BY
        order: Vec<SortKey>,
        /// The first rank (1-based).
        from: u64,
        /// The last rank; `None` for all.
        to: Option<u64>,
        /// Whether the rank is added as the last column.
        rank: bool,
    },
    /// ORDER BY the time attribute.
    TemporalSort {
        /// The input.
        input: Box<Rel>,
        /// The order.
        order: Vec<SortKey>,
    },
    /// MATCH_RECOGNIZE: the partition columns, then the measures.
    Match {
        /// The input.
        input: Box<Rel>,
        /// Everything else; columns are those of the input.
        spec: PatternSpec,
    },
    /// TO_CHANGELOG: the code of each change, then the input's columns.
    ToChangelog {
        /// The input.
        input: Box<Rel>,
        /// Which code stands for which change.
        codes: ChangeCodes,
    },
    /// FROM_CHANGELOG: the input's columns without that of the codes, as the changes that the codes name.
    FromChangelog {
        /// The input.
        input: Box<Rel>,
        /// The column of the codes.
        column: usize,
        /// What the codes mean.
        codes: ChangeCodes,
    },
    /// A process table function; see `ProcessTableSpec` for its columns.
    ProcessTable {
        /// The tables.
        inputs: Vec<Rel>,
        /// How they are taken.
        spec: ProcessTableSpec,
    },
    /// A function that answers later: the input's columns, then what it returns.
    AsyncCall {
        /// The input.
        input: Box<Rel>,
        /// The name that plans call it by.
        function: String,
        /// The arguments.
        args: Vec<Expr>,
        /// It returns rows, not a value.
        table: bool,
        /// Of a function that returns rows: LEFT keeps a row without any.
        kind: JoinKind,
    },
    /// OVER: the input's columns, then the calls.
    Over {
        /// The input.
        input: Box<Rel>,
        /// The window of all its calls.
        spec: OverSpec,
        /// The aggregates.
        calls: Vec<Call>,
    },
}

impl Rel {
    /// A relation whose node has these fields.
    pub fn new(node: RelNode, fields: Vec<Field>) -> Self {
        Rel { node, fields }
    }

    /// The types of the columns.
    pub fn types(&self) -> Vec<LogicalType> {
        self.fields.iter().map(|field| field.ty.clone()).collect()
    }

    /// A reference to a column.
    pub fn column(&self, index: usize) -> Expr {
        Expr::column(index, self.fields[index].ty.clone())
    }

    /// References to all columns.
    pub fn columns(&self) -> Vec<Expr> {
        (0..self.fields.len()).map(|index| self.column(index)).collect()
    }

    /// Keeps the rows for which the condition is TRUE.
    #[must_use]
    pub fn filter(self, condition: Expr) -> Rel {
        let fields = self.fields.clone();
        Rel::new(RelNode::Filter { input: Box::new(self), condition }, fields)
    }

    /// Computes columns under these names. A bare column keeps its time attribute and window bound.
    #[must_use]
    pub fn project(self, exprs: Vec<(Expr, String)>) -> Rel {
        let fields = exprs
            .iter()
            .map(|(expr, name)| match expr {
                Expr::Column { index, .. } => Field { name: name.clone(), ..self.fields[*index].clone() },
                Expr::Call { function, ty, .. } if function == "PROCTIME" => {
                    Field::timed(name.clone(), ty.clone(), Some(TimeAttribute::Processing))
                }
                other => Field::computed(name.clone(), other, &self.fields),
            })
            .collect();
        let exprs = exprs.into_iter().map(|(expr, _)| expr).collect();
        Rel::new(RelNode::Project { input: Box::new(self), exprs }, fields)
    }

    /// Groups by key columns.
    #[must_use]
    pub fn aggregate(self, keys: Vec<usize>, calls: Vec<Call>) -> Rel {
        let has = |bound| keys.iter().any(|key| self.fields[*key].window == Some(bound));
        let windowed = has(WindowBound::Start) && has(WindowBound::End);
        let mut fields: Vec<Field> = keys
            .iter()
            .map(|key| {
                let field = self.fields[*key].clone();
                // Grouped by its window, a row is emitted when the window ends, so its window_time stays a
                // time attribute.
                let time = field.time.filter(|_| windowed && field.window == Some(WindowBound::Time));
                Field { time, state_ttl: None, ..field }
            })
            .collect();
        fields.extend(calls.iter().map(|call| Field::aggregated(call, &self.fields)));
        Rel::new(RelNode::Aggregate { input: Box::new(self), keys, calls }, fields)
    }

    /// Joins with another relation. Nullability follows from the kind.
    #[must_use]
    pub fn join(self, right: Rel, kind: JoinKind, condition: Option<Expr>) -> Rel {
        let null_left = matches!(kind, JoinKind::Right | JoinKind::Full);
        let null_right = matches!(kind, JoinKind::Left | JoinKind::Full);
        // Whether time attributes survive is only known with the whole condition: see `optimize::time`.
        let side = |fields: &[Field], null: bool| {
            fields
                .iter()
                .map(|field| {
                    let ty = field.ty.clone();
                    let nullable = ty.nullable || null;
                    Field { ty: ty.with_nullable(nullable), state_ttl: None, ..field.clone() }
                })
                .collect::<Vec<_>>()
        };
        let mut fields = side(&self.fields, null_left);
        if !matches!(kind, JoinKind::Semi | JoinKind::Anti) {
            fields.extend(side(&right.fields, null_right));
        }
        Rel::new(RelNode::Join { left: Box::new(self), right: Box::new(right), kind, condition }, fields)
    }

    /// How many relations it consists of.
    pub fn size(&self) -> usize {
        1 + self.inputs().into_iter().map(Rel::size).sum::<usize>()
    }

    /// The direct inputs.
    pub fn inputs(&self) -> Vec<&Rel> {
        match &self.node {
            RelNode::Scan(_) | RelNode::Values(_) => Vec::new(),
            RelNode::Project { input, .. }
            | RelNode::Filter { input, .. }
            | RelNode::Watermark { input, .. }
            | RelNode::WindowTvf { input, .. }
            | RelNode::Aggregate { input, .. }
            | RelNode::WindowAggregate { input, .. }
            | RelNode::Expand { input, .. }
            | RelNode::TopN { input, .. }
            | RelNode::TemporalSort { input, .. }
            | RelNode::Match { input, .. }
            | RelNode::Unnest { input, .. }
            | RelNode::ToChangelog { input, .. }
            | RelNode::FromChangelog { input, .. }
            | RelNode::LookupJoin { left: input, .. }
            | RelNode::AsyncCall { input, .. }
            | RelNode::Over { input, .. } => vec![input],
            RelNode::Join { left, right, .. } | RelNode::TemporalJoin { left, right, .. } => {
                vec![left, right]
            }
            RelNode::Union(inputs) | RelNode::ProcessTable { inputs, .. } => inputs.iter().collect(),
        }
    }

    /// The expressions of this node, without those of its inputs.
    pub fn exprs(&self) -> Vec<&Expr> {
        match &self.node {
            RelNode::Project { exprs, .. } => exprs.iter().collect(),
            RelNode::Filter { condition: expr, .. }
            | RelNode::Watermark { expr, .. }
            | RelNode::Unnest { collection: expr, .. } => vec![expr],
            RelNode::Join { condition, .. } | RelNode::TemporalJoin { condition, .. } => {
                condition.iter().collect()
            }
            RelNode::LookupJoin { right, condition, .. } => {
                let mut exprs: Vec<&Expr> = condition.iter().collect();
                let mut table = Some(&**right);
                while let Some(rel) = table {
                    exprs.extend(rel.exprs());
                    table = rel.inputs().first().copied();
                }
                exprs
            }
            RelNode::Expand { projections: rows, .. } | RelNode::Values(rows) => {
                rows.iter().flatten().collect()
            }
            RelNode::Match { spec, .. } => spec.exprs().collect(),
            RelNode::ProcessTable { spec, .. } => spec.arguments.iter().collect(),
            RelNode::AsyncCall { args, .. } => args.iter().collect(),
            RelNode::Scan(_)
            | RelNode::WindowTvf { .. }
            | RelNode::Aggregate { .. }
            | RelNode::WindowAggregate { .. }
            | RelNode::Union(_)
            | RelNode::TopN { .. }
            | RelNode::TemporalSort { .. }
            | RelNode::ToChangelog { .. }
            | RelNode::FromChangelog { .. }
            | RelNode::Over { .. } => Vec::new(),
        }
    }

    /// The same relation with all its expressions replaced, including those of its inputs. Types must stay
    /// the same.
    #[must_use]
    pub fn map_exprs(self, change: &mut dyn FnMut(Expr) -> Expr) -> Rel {
        let mut rel = self.map_inputs(&mut |input| input.map_exprs(change));
        let mut replace = |slot: &mut Expr| {
            let taken = std::mem::replace(slot, Expr::column(0, TypeKind::Null.nullable()));
            *slot = change(taken);
        };
        match &mut rel.node {
            RelNode::Project { exprs, .. } => exprs.iter_mut().for_each(replace),
            RelNode::Filter { condition: expr, .. }
            | RelNode::Watermark { expr, .. }
            | RelNode::Unnest { collection: expr, .. } => replace(expr),
            RelNode::Join { condition, .. } | RelNode::TemporalJoin { condition, .. } => {
                condition.iter_mut().for_each(replace);
            }
            RelNode::LookupJoin { right, condition, .. } => {
                condition.iter_mut().for_each(replace);
                self::replace(right, &mut |table| table.map_exprs(change));
            }
            RelNode::Expand { projections: rows, .. } | RelNode::Values(rows) => {
                rows.iter_mut().flatten().for_each(replace);
            }
            RelNode::Match { spec, .. } => spec.exprs_mut().for_each(replace),
            RelNode::ProcessTable { spec, .. } => spec.arguments.iter_mut().for_each(replace),
            RelNode::AsyncCall { args, .. } => args.iter_mut().for_each(replace),
            RelNode::Scan(_)
            | RelNode::WindowTvf { .. }
            | RelNode::Aggregate { .. }
            | RelNode::WindowAggregate { .. }
            | RelNode::Union(_)
            | RelNode::TopN { .. }
            | RelNode::TemporalSort { .. }
            | RelNode::ToChangelog { .. }
            | RelNode::FromChangelog { .. }
            | RelNode::Over { .. } => {}
        }
        rel
    }

    /// The same relation with its direct inputs replaced, whose fields must stay the same.
    #[must_use]
    pub fn map_inputs(mut self, change: &mut impl FnMut(Rel) -> Rel) -> Rel {
        match &mut self.node {
            RelNode::Scan(_) | RelNode::Values(_) => {}
            RelNode::Project { input, .. }
            | RelNode::Filter { input, .. }
            | RelNode::Watermark { input, .. }
            | RelNode::WindowTvf { input, .. }
            | RelNode::Aggregate { input, .. }
            | RelNode::WindowAggregate { input, .. }
            | RelNode::Expand { input, .. }
            | RelNode::TopN { input, .. }
            | RelNode::TemporalSort { input, .. }
            | RelNode::Match { input, .. }
            | RelNode::Unnest { input, .. }
            | RelNode::ToChangelog { input, .. }
            | RelNode::FromChangelog { input, .. }
            | RelNode::LookupJoin { left: input, .. }
            | RelNode::AsyncCall { input, .. }
            | RelNode::Over { input, .. } => replace(input, change),
            RelNode::Join { left, right, .. } | RelNode::TemporalJoin { left, right, .. } => {
                replace(left, change);
                replace(right, change);
            }
            RelNode::Union(inputs) | RelNode::ProcessTable { inputs, .. } => {
                for input in inputs {
                    replace(input, change);
                }
            }
        }
        self
    }
}

fn replace(slot: &mut Rel, change: &mut impl FnMut(Rel) -> Rel) {
    let taken = std::mem::replace(slot, Rel::new(RelNode::Values(Vec::new()), Vec::new()));
    *slot = change(taken);
}
