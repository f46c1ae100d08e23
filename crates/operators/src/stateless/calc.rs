//! Filter and projection.
//!
//! The filter narrows the selection and copies nothing, as long as the projection only passes columns on. Otherwise the
//! rows that count are copied together first: an expression must not see a row that was filtered out (a division by zero
//! that the condition guards against).
//!
//! A filter may keep one half of an update. The lone `-U` then leaves as `-D`, the lone `+U` as `+I`: the row did
//! vanish from, or appear in, what passes the filter.

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, ChangeBatch, RowKind, RowKinds, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, Expr};
use flott_types::Result;

use crate::BuildContext;
use crate::support::{Expression, columns_of, record_batch, selected};

/// The operator.
pub(crate) struct Calc {
    schema: SchemaRef,
    condition: Option<Expression>,
    projection: Vec<Expression>,
    /// The projection computes something.
    computes: bool,
}

impl Calc {
    pub fn new(
        node: &ChainedNode,
        condition: Option<&Expr>,
        projection: &[Expr],
        context: &BuildContext,
    ) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let compile = |expr: &Expr| Expression::new(expr, input, context);
        let projection = projection.iter().map(compile).collect::<Result<Vec<_>>>()?;
        Ok(Calc {
            schema: arrow_type::schema(node.node.schema.iter()),
            condition: condition.map(compile).transpose()?,
            computes: !projection.iter().all(Expression::is_column),
            projection,
        })
    }
}

impl Operator for Calc {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let mut batch = columns_of(batch)?;
        if let Some(condition) = &self.condition {
            if !condition.is_column() {
                batch = batch.compact()?;
            }
            let keep = condition.holds(batch.columns(), context)?;
            batch = filter(batch, &keep);
        }
        if batch.is_empty() {
            return Ok(());
        }
        if self.computes {
            batch = batch.compact()?;
        }
        let columns = project(&self.projection, batch.columns(), &self.schema, context)?;
        context.output.emit(Batch::Changes(batch.with_columns(columns)))
    }
}

/// The output columns of a projection.
pub(super) fn project(
    projection: &[Expression],
    input: &RecordBatch,
    schema: &SchemaRef,
    context: &Context<'_>,
) -> Result<RecordBatch> {
    let columns = projection.iter().map(|expr| expr.evaluate(input, context)).collect::<Result<Vec<_>>>()?;
    record_batch(schema, columns, input.num_rows())
}

/// Keeps these rows, and what it keeps a valid changelog.
fn filter(batch: ChangeBatch, keep: &BooleanBuffer) -> ChangeBatch {
    match batch.kinds().map(|kinds| whole_updates(kinds, &selected(&batch), keep)) {
        Some(kinds) => batch.with_kinds(Some(kinds)).select(keep),
        None => batch.select(keep),
    }
}

fn whole_updates(kinds: &RowKinds, rows: &[u32], keep: &BooleanBuffer) -> RowKinds {
    let mut whole: Vec<RowKind> = kinds.iter().collect();
    for pair in rows.windows(2) {
        let (before, after) = (pair[0] as usize, pair[1] as usize);
        if kinds.get(before) == RowKind::UpdateBefore
            && kinds.get(after) == RowKind::UpdateAfter
            && keep.value(before) != keep.value(after)
        {
            whole[before] = RowKind::Delete;
            whole[after] = RowKind::Insert;
        }
    }
    whole.into()
}

#[cfg(test)]
mod tests {
    use crate::harness::{Harness, column, node, types};
    use expect_test::expect;
    use flott_plan::OperatorSpec;

    fn calc(filtered: bool) -> Harness {
        let condition = filtered.then(|| column(1, "BOOLEAN"));
        let projection = vec![column(0, "INT")];
        let spec = OperatorSpec::Calc { condition, projection };
        Harness::new(node(spec, &["INT BOOLEAN"], "INT"))
    }

    #[test]
    fn the_filter_selects_without_copying() {
        let mut calc = calc(true);
        let batch =
            flott_batch::pretty::parse("+I 1 TRUE\n+I 2 FALSE\n+I 3 NULL\n+I 4 TRUE", &types("INT BOOLEAN"));
        let column = batch.as_ref().unwrap().column(0).clone();
        let out = calc.feed(0, batch.unwrap());
        assert_eq!(out, "+I 1\n+I 4\n");
        assert!(std::sync::Arc::ptr_eq(calc.last().column(0), &column));
    }

    #[test]
    fn half_of_an_update_becomes_an_insertion_or_deletion() {
        let mut calc = calc(true).upsert();
        expect![[r#"
            -D 1
            +I 2
            -U 3
            +U 3
            -D 5
        "#]]
        .assert_eq(&calc.push(
            "-U 1 TRUE\n+U 1 FALSE\n-U 2 FALSE\n+U 2 TRUE\n-U 3 TRUE\n+U 3 TRUE\n-U 4 FALSE\n+U 4 NULL\n-D 5 TRUE",
        ));
    }

    #[test]
    fn without_condition_everything_passes() {
        assert_eq!(calc(false).push("+I 1 FALSE\n-D 1 FALSE"), "+I 1\n-D 1\n");
    }

    #[test]
    fn the_projection_does_not_see_rows_that_are_filtered_out() {
        let int = || crate::harness::ty("INT");
        let by_zero = |function: &str, ty| {
            let zero = flott_plan::Expr::literal(flott_plan::Literal::Integer(0), int());
            let hundred = flott_plan::Expr::literal(flott_plan::Literal::Integer(100), int());
            let (left, right) =
                if function == "/" { (hundred, column(0, "INT")) } else { (column(0, "INT"), zero) };
            flott_plan::Expr::call(function, vec![left, right], ty)
        };
        let condition = Some(by_zero("<>", crate::harness::ty("BOOLEAN")));
        let projection = vec![by_zero("/", int())];
        let mut calc = Harness::new(node(OperatorSpec::Calc { condition, projection }, &["INT"], "INT"));
        assert_eq!(calc.push("+I 0\n+I 5\n+I NULL"), "+I 20\n");
    }
}
