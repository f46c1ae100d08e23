//! Emits each row once for each of several projections (GROUPING SETS).
//!
//! The projections are applied to the whole batch one after the other, so that both halves of an update stay
//! adjacent in each copy. Cost: columns that are only passed on are shared by all copies.

use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, Expr};
use flott_types::Result;

use super::calc::project;
use crate::BuildContext;
use crate::support::{Expression, columns_of, in_parts};

/// The operator.
pub(crate) struct Expand {
    schema: SchemaRef,
    projections: Vec<Vec<Expression>>,
}

impl Expand {
    pub fn new(node: &ChainedNode, projections: &[Vec<Expr>], context: &BuildContext) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let compile = |expr: &Expr| Expression::new(expr, input, context);
        Ok(Expand {
            schema: arrow_type::schema(node.node.schema.iter()),
            projections: projections
                .iter()
                .map(|projection| projection.iter().map(compile).collect())
                .collect::<Result<_>>()?,
        })
    }
}

impl Operator for Expand {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        for projection in &self.projections {
            let compute = |batch: ChangeBatch, context: &Context<'_>| {
                let columns = project(projection, batch.columns(), &self.schema, context)?;
                Ok(batch.with_columns(columns))
            };
            let send = |changes, context: &mut Context<'_>| context.output.emit(Batch::Changes(changes));
            in_parts(batch.clone(), context, compute, send)?;
        }
        Ok(())
    }
}
