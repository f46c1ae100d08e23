//! Expressions made ready to run: a tree of DataFusion's `PhysicalExpr` nodes, of which those with Flink's own semantics
//! are ours. Built once per operator instance; nothing of DataFusion shows outside.
//!
//! A row must not fail for a value that it does not need: CASE, COALESCE, AND and OR compute an operand only for the rows
//! that need it, unless the operand cannot fail, which is then cheaper than choosing rows.

mod call;
mod cast;
mod choose;
mod coalesce;
mod fallible;
mod limit;
mod logic;
mod narrow;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::concat;
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, ScalarValue};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{CaseExpr, Column, IsNotNullExpr, IsNullExpr, Literal, NotExpr};
use flott_batch::arrow_type::to_arrow;
use flott_batch::bytes::in_parts;
use flott_plan::{Expr, Literal as PlanLiteral};
use flott_types::{Error, ErrorKind, LogicalType, Result, TypeKind};

use crate::context::EvalContext;
use crate::functions::takes_integer;
use crate::kernel::arrow_error;
use crate::literal;
use crate::registry;
use crate::typing::decimal::of_exact;
use limit::Limit;

pub use fallible::can_fail;

type Node = Arc<dyn PhysicalExpr>;

/// An expression ready to run on batches of one schema.
#[derive(Clone, Debug)]
pub struct CompiledExpr {
    node: Node,
    ty: LogicalType,
    arrow: DataType,
    limit: Limit,
}

/// Makes an expression ready to run on rows of these columns.
pub fn compile(expr: &Expr, input: &[LogicalType], context: &Arc<EvalContext>) -> Result<CompiledExpr> {
    let node = Compiler { input, context }.node(expr)?;
    Ok(CompiledExpr {
        node,
        ty: expr.ty().clone(),
        arrow: to_arrow(expr.ty()),
        limit: Limit(context.clone()),
    })
}

impl CompiledExpr {
    /// The type of the result.
    pub fn ty(&self) -> &LogicalType {
        &self.ty
    }

    /// The value for every row of the batch.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] if the values, which are of any length, are too large for one column: ask again with fewer rows
    /// ([`in_parts`]). What lies between the columns and a number or a truth value may be as large as it likes.
    pub fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        match self.column(batch) {
            Err(error) if error.kind() == ErrorKind::TooLarge && is_narrow(&self.arrow) => {
                let mut parts = Vec::new();
                let part = |rows: Range<usize>| self.column(&batch.slice(rows.start, rows.len()));
                in_parts(batch.num_rows(), part, |part| {
                    parts.push(part);
                    Ok(())
                })?;
                concat(&parts.iter().map(|part| part.as_ref()).collect::<Vec<_>>()).map_err(arrow_error)
            }
            outcome => outcome,
        }
    }

    fn column(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        self.limit.0.set_rows(batch.num_rows());
        let value = self.node.evaluate(batch).map_err(from_datafusion)?;
        let array = self.limit.array(value, batch.num_rows()).map_err(from_datafusion)?;
        if *array.data_type() != self.arrow {
            return Err(Error::internal(format!(
                "{} gave {} instead of {}",
                self.node,
                array.data_type(),
                self.arrow
            )));
        }
        Ok(array)
    }

    /// The rows of the batch for which the value is TRUE; NULL is not.
    pub fn evaluate_predicate(&self, batch: &RecordBatch) -> Result<BooleanBuffer> {
        let array = self.evaluate(batch)?;
        let Some(booleans) = array.as_boolean_opt() else {
            return Err(Error::internal(format!("a predicate of type {}", self.ty)));
        };
        Ok(match booleans.nulls() {
            Some(nulls) => booleans.values() & nulls.inner(),
            None => booleans.values().clone(),
        })
    }
}

/// Whether all values have the same length.
fn is_narrow(arrow: &DataType) -> bool {
    arrow.primitive_width().is_some() || matches!(arrow, DataType::Boolean | DataType::Null)
}

/// Whether the values of a branch may be so large that they have to be added up. Rows of a column are in memory already.
fn may_be_large(value: &Expr) -> bool {
    match value {
        Expr::Column { .. } => false,
        Expr::Literal { value: PlanLiteral::String(text), .. } => text.len() > SHORT,
        Expr::Literal { value: PlanLiteral::Binary(bytes), .. } => bytes.len() > SHORT,
        Expr::Literal { .. } => false,
        Expr::Call { .. } | Expr::Cast { .. } | Expr::Case { .. } => true,
    }
}

/// A constant of so many bytes is not large, however many rows a batch has.
const SHORT: usize = 256;

struct Compiler<'a> {
    input: &'a [LogicalType],
    context: &'a Arc<EvalContext>,
}

impl Compiler<'_> {
    fn node(&self, expr: &Expr) -> Result<Node> {
        Ok(match expr {
            Expr::Column { index, ty } => {
                match self.input.get(*index) {
                    Some(column) if to_arrow(column) == to_arrow(ty) => {}
                    Some(column) => {
                        return Err(Error::internal(format!(
                            "column {index} is {column}, not {ty} as planned"
                        )));
                    }
                    None => {
                        let columns = self.input.len();
                        return Err(Error::internal(format!(
                            "column {index} of an input of {columns} columns"
                        )));
                    }
                }
                Arc::new(Column::new("", *index))
            }
            Expr::Literal { value, ty } => {
                let one = literal::to_array(value, ty, 1)?;
                Arc::new(Literal::new(ScalarValue::try_from_array(&one, 0).map_err(from_datafusion)?))
            }
            Expr::Cast { input, ty, is_try } => {
                let node = self.node(input)?;
                cast::FlinkCast::node(node, input.ty().clone(), ty.clone(), *is_try, self.context.clone())
            }
            Expr::Case { branches, otherwise, .. } => {
                let arrow = to_arrow(expr.ty());
                let large = |value: &Expr| !is_narrow(&arrow) && may_be_large(value);
                let nodes = branches.iter().map(|(when, then)| Ok((self.node(when)?, self.node(then)?)));
                let nodes = nodes.collect::<Result<Vec<(Node, Node)>>>()?;
                let last = self.node(otherwise)?;
                if !can_fail(expr) {
                    return Ok(choose::Choose::node(nodes, last, arrow, self.limit()));
                }
                let case = |nodes, last| Ok(Arc::new(CaseExpr::try_new(None, nodes, Some(last))?) as Node);
                let values = branches.iter().map(|(_, then)| then);
                if !values.chain([&**otherwise]).any(&large) {
                    return case(nodes, last).map_err(from_datafusion);
                }
                let nodes = nodes.into_iter().zip(branches);
                let nodes = nodes.map(|((when, then), (_, value))| (when, then, large(value))).collect();
                let last = (last, large(otherwise));
                limit::Summed::case(nodes, last, &self.limit(), case).map_err(from_datafusion)?
            }
            Expr::Call { function, args, ty } => self.call(function, args, ty)?,
        })
    }

    fn limit(&self) -> Limit {
        Limit(self.context.clone())
    }

    /// An operand that may be computed for some of the rows only, and whether it can fail. One that can sees only the
    /// columns that it reads.
    fn operand(&self, expr: &Expr) -> Result<(Node, bool)> {
        if !can_fail(expr) {
            return Ok((self.node(expr)?, false));
        }
        let mut positions = Vec::new();
        expr.collect_columns(&mut positions);
        positions.sort_unstable();
        positions.dedup();
        let moved = expr.clone().transform(&mut |node| match node {
            Expr::Column { index, ty } => {
                Expr::Column { index: positions.binary_search(&index).unwrap_or(index), ty }
            }
            other => other,
        });
        let types = positions.iter().map(|position| {
            let missing = || Error::internal(format!("there is no column {position}"));
            self.input.get(*position).cloned().ok_or_else(missing)
        });
        let types = types.collect::<Result<Vec<_>>>()?;
        let inner = Compiler { input: &types, context: self.context }.node(&moved)?;
        let schema = flott_batch::arrow_type::schema(types.iter().map(|ty| ("", ty)));
        let columns = positions.iter().map(|position| Arc::new(Column::new("", *position)) as Node).collect();
        Ok((narrow::Narrow::node(columns, inner, schema, to_arrow(expr.ty())), true))
    }

    fn call(&self, function: &str, args: &[Expr], ty: &LogicalType) -> Result<Node> {
        Ok(match (function, args) {
            ("AND" | "OR", [first, rest @ ..]) => {
                let is_and = function == "AND";
                let mut node = self.node(first)?;
                for arg in rest {
                    let (right, can_fail) = self.operand(arg)?;
                    node = logic::LazyLogic::node(is_and, node, right, can_fail);
                }
                node
            }
            ("NOT", [arg]) => Arc::new(NotExpr::new(self.node(arg)?)),
            ("IS NULL" | "IS UNKNOWN", [arg]) if arg.ty().kind != TypeKind::Null => {
                Arc::new(IsNullExpr::new(self.node(arg)?))
            }
            ("IS NOT NULL" | "IS NOT UNKNOWN", [arg]) if arg.ty().kind != TypeKind::Null => {
                Arc::new(IsNotNullExpr::new(self.node(arg)?))
            }
            ("COALESCE" | "IFNULL", [_, ..]) => {
                let operands = args.iter().map(|arg| self.operand(arg)).collect::<Result<Vec<_>>>()?;
                let (nodes, can_fail) = operands.into_iter().unzip();
                coalesce::LazyCoalesce::node(nodes, can_fail, to_arrow(ty), self.limit())
            }
            _ => {
                let Some(found) = registry::lookup(function) else {
                    return Err(Error::unsupported(format!("function {function} is not there")));
                };
                let args = without_widening(function, args, ty);
                let nodes = args.iter().map(|arg| self.node(arg)).collect::<Result<Vec<_>>>()?;
                call::FlinkCall::node(found, &args, nodes, ty, self.context)?
            }
        })
    }
}

/// The operands of decimal arithmetic without the cast that makes a DECIMAL of an integer, if one stays that is a DECIMAL.
fn without_widening<'a>(function: &str, args: &'a [Expr], ty: &LogicalType) -> Cow<'a, [Expr]> {
    let [left, right] = args else { return Cow::Borrowed(args) };
    if !matches!(function, "+" | "-" | "*") || !ty.kind.is_decimal() {
        return Cow::Borrowed(args);
    }
    let integer = |arg: &'a Expr| match arg {
        Expr::Cast { input, ty, .. } if takes_integer(&input.ty().kind) => {
            let whole = of_exact(&input.ty().kind) == of_exact(&ty.kind);
            whole.then_some(&**input)
        }
        _ => None,
    };
    match (integer(left), integer(right)) {
        (Some(left), None) => Cow::Owned(vec![left.clone(), right.clone()]),
        (None, Some(right)) => Cow::Owned(vec![left.clone(), right.clone()]),
        _ => Cow::Borrowed(args),
    }
}

/// Carries one of our errors through DataFusion.
fn to_datafusion(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Finds our error again, or wraps a foreign one.
fn from_datafusion(error: DataFusionError) -> Error {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::internal("an expression failed").with_source(other),
        },
        DataFusionError::Context(context, inner) => from_datafusion(*inner).context(context),
        other => Error::internal("an expression failed").with_source(other),
    }
}
