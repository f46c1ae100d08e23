//! Compiled expressions: a tree of nodes, built once per operator instance.
//!
//! A row must not fail because of a value that it does not need: CASE, COALESCE, AND and OR compute an
//! operand only for the rows that need it, unless the operand cannot fail; then computing all rows is cheaper
//! than selecting some.

mod call;
mod case;
mod cast;
mod coalesce;
mod fallible;
mod limit;
mod logic;
mod node;
mod operand;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::concat;
use arrow::datatypes::DataType;
use flott_batch::arrow_type::to_arrow;
use flott_batch::bytes::in_parts;
use flott_plan::Expr;
use flott_types::{Error, ErrorKind, LogicalType, Result, TypeKind};

use crate::context::EvalContext;
use crate::kernel::arrow_error;
use crate::literal;
use crate::typing::decimal::{of_exact, takes_integer};

pub use fallible::can_fail;

use node::{Ask, Column, Constant, Node, Question, booleans};
use operand::{Operand, Reads};

/// An expression that is ready to run on batches of one schema.
#[derive(Clone, Debug)]
pub struct CompiledExpr {
    node: Node,
    ty: LogicalType,
    arrow: DataType,
    context: Arc<EvalContext>,
}

/// Compiles an expression for rows of these columns.
pub fn compile(expr: &Expr, input: &[LogicalType], context: &Arc<EvalContext>) -> Result<CompiledExpr> {
    let node = Compiler { input, context }.node(expr)?;
    Ok(CompiledExpr { node, ty: expr.ty().clone(), arrow: to_arrow(expr.ty()), context: context.clone() })
}

impl CompiledExpr {
    /// The type of the result.
    pub fn ty(&self) -> &LogicalType {
        &self.ty
    }

    /// The value for every row of the batch.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] if the values are of variable length and too large for one column: call again
    /// with fewer rows ([`in_parts`]). Intermediate values of a number or a truth value may be of any size.
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
        let rows = batch.num_rows();
        self.context.set_rows(rows);
        let array = limit::column(&self.node.evaluate(batch)?, rows, self.context.room())?;
        if *array.data_type() != self.arrow {
            let found = array.data_type();
            return Err(Error::internal(format!("an expression of type {} gave {found}", self.ty)));
        }
        Ok(array)
    }

    /// The rows of the batch for which the value is TRUE; NULL is not.
    pub fn evaluate_predicate(&self, batch: &RecordBatch) -> Result<BooleanBuffer> {
        let array = self.evaluate(batch)?;
        let booleans = booleans(&array)?;
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
                Arc::new(Column(*index))
            }
            Expr::Literal { value, ty } => Arc::new(Constant(literal::to_array(value, ty, 1)?)),
            Expr::Cast { input, ty, is_try } => {
                let node = self.node(input)?;
                cast::FlinkCast::node(node, input.ty().clone(), ty.clone(), *is_try, self.context.clone())
            }
            Expr::Case { branches, otherwise, ty } => {
                let branch = |(when, then): &(Expr, Expr)| Ok((self.operand(when)?, self.operand(then)?));
                let branches = branches.iter().map(branch).collect::<Result<_>>()?;
                let otherwise = self.operand(otherwise)?;
                let (arrow, context) = (to_arrow(ty), self.context.clone());
                Arc::new(case::Case { branches, otherwise, arrow, context })
            }
            Expr::Call { function, args, ty } => self.call(function, args, ty)?,
        })
    }

    /// An operand that may be skipped for some of the rows. One that can fail sees only the columns that it
    /// reads.
    fn operand(&self, expr: &Expr) -> Result<Operand> {
        let arrow = to_arrow(expr.ty());
        if !can_fail(expr) {
            return Ok(Operand::safe(self.node(expr)?, arrow));
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
        Ok(Operand::fallible(inner, arrow, Reads { positions, schema }))
    }

    fn ask(&self, question: Question, arg: &Expr) -> Result<Node> {
        Ok(Arc::new(Ask { question, input: self.node(arg)? }))
    }

    fn call(&self, function: &str, args: &[Expr], ty: &LogicalType) -> Result<Node> {
        Ok(match (function, args) {
            ("AND" | "OR", [first, rest @ ..]) => {
                let first = self.node(first)?;
                let rest = rest.iter().map(|arg| self.operand(arg)).collect::<Result<_>>()?;
                Arc::new(logic::LazyLogic { is_and: function == "AND", first, rest })
            }
            ("NOT", [arg]) => self.ask(Question::Not, arg)?,
            ("IS NULL" | "IS UNKNOWN", [arg]) if arg.ty().kind != TypeKind::Null => {
                self.ask(Question::IsNull, arg)?
            }
            ("IS NOT NULL" | "IS NOT UNKNOWN", [arg]) if arg.ty().kind != TypeKind::Null => {
                self.ask(Question::IsNotNull, arg)?
            }
            ("COALESCE" | "IFNULL", [first, rest @ ..]) => {
                let first = self.node(first)?;
                let rest = rest.iter().map(|arg| self.operand(arg)).collect::<Result<_>>()?;
                Arc::new(coalesce::LazyCoalesce { first, rest, context: self.context.clone() })
            }
            _ => {
                let Some(found) = self.context.functions().get(function) else {
                    self.context.functions().require(function)?;
                    return Err(Error::unsupported(format!("function {function} is not there")));
                };
                let args = without_widening(function, args, ty);
                let nodes = args.iter().map(|arg| self.node(arg)).collect::<Result<Vec<_>>>()?;
                call::FlinkCall::node(found.clone(), &args, nodes, ty, self.context)?
            }
        })
    }
}

/// Drops the cast of an integer to DECIMAL from the operands of decimal arithmetic, provided that the other
/// operand is a DECIMAL.
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
