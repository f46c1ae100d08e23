//! Filter and projection.
//!
//! The filter narrows the selection and copies nothing. Neither does the projection if it only passes columns
//! on, or if its expressions cannot fail and most rows are selected: then it computes the other rows too.
//! Otherwise the columns that it reads are compacted first: an expression must not see a row that was
//! filtered out (a division by zero that the condition guards against).
//!
//! Subexpressions that the condition and the outputs share are computed once ([`Shared`]).
//!
//! A batch whose results are too large for one column is computed in parts.
//!
//! A filter may keep one half of an update. A single `-U` is then emitted as `-D`, a single `+U` as `+I`: the
//! row did disappear from, or appear in, the filtered stream.

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, ChangeBatch, RowKind, RowKinds, arrow_type};
use flott_expr::can_fail;
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, Expr, Schema};
use flott_types::Result;

use super::shared::Shared;
use crate::BuildContext;
use crate::support::{Expression, columns_of, in_parts, kernel, record_batch, selected};

/// The operator.
pub(crate) struct Calc {
    condition: Option<(Expression, Computing)>,
    /// What the condition shares with itself or the projection.
    before: Parts,
    /// The columns that the projection reads.
    kept: Vec<usize>,
    /// What only outputs share with each other.
    after: Parts,
    projection: Vec<Expression>,
    computing: Computing,
    schema: SchemaRef,
}

/// For which rows expressions may be computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Computing {
    /// None: they only name columns.
    Nothing,
    /// All rows: they cannot fail.
    AnyRow,
    /// Only the selected rows.
    SelectedRows,
}

/// Parts of expressions, each with the schema up to its own column.
struct Parts(Vec<(Expression, SchemaRef)>);

impl Calc {
    pub fn new(
        node: &ChainedNode,
        condition: Option<&Expr>,
        projection: &[Expr],
        context: &BuildContext,
    ) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let mut exprs: Vec<Expr> = condition.into_iter().chain(projection).cloned().collect();
        // A part that the condition needs is computed before the filter, others after it.
        let before = match condition {
            Some(condition) => Shared::extract(input, &mut exprs, |part| contains(condition, part)),
            None => Shared::extract(input, &mut exprs, |_| false),
        };
        let mut outputs = exprs.split_off(usize::from(condition.is_some()));
        let mut kept = Vec::new();
        outputs.iter().for_each(|expr| expr.collect_columns(&mut kept));
        kept.sort_unstable();
        kept.dedup();
        let moved = |expr: Expr| match expr {
            Expr::Column { index, ty } => {
                Expr::Column { index: kept.binary_search(&index).unwrap_or(index), ty }
            }
            other => other,
        };
        outputs = outputs.into_iter().map(|output| output.transform(&mut { moved })).collect();
        let columns = kept.iter().map(|index| before.schema.columns[*index].clone()).collect();
        let after = Shared::extract(&Schema { columns }, &mut outputs, |_| true);
        let computing = Computing::of(outputs.iter().chain(&after.parts));
        let compile = |expr: &Expr, input: &Schema| Expression::new(expr, input, context);
        let condition = exprs
            .first()
            .map(|expr| -> Result<_> { Ok((compile(expr, &before.schema)?, Computing::of([expr]))) });
        Ok(Calc {
            condition: condition.transpose()?,
            before: Parts::new(&before, context)?,
            kept,
            after: Parts::new(&after, context)?,
            projection: outputs.iter().map(|expr| compile(expr, &after.schema)).collect::<Result<_>>()?,
            computing,
            schema: arrow_type::schema(node.node.schema.iter()),
        })
    }
}

fn contains(expr: &Expr, part: &Expr) -> bool {
    expr == part || expr.children().into_iter().any(|child| contains(child, part))
}

impl Computing {
    fn of<'a>(exprs: impl IntoIterator<Item = &'a Expr> + Clone) -> Self {
        if exprs.clone().into_iter().all(|expr| matches!(expr, Expr::Column { .. })) {
            Computing::Nothing
        } else if exprs.into_iter().any(can_fail) {
            Computing::SelectedRows
        } else {
            Computing::AnyRow
        }
    }

    /// The batch with the rows for which computing is allowed and worthwhile.
    fn prepare(self, batch: ChangeBatch) -> Result<ChangeBatch> {
        // Compacting costs about as much as computing a quarter of the rows in vain.
        let most = || batch.num_rows() * 4 >= batch.physical_rows() * 3;
        match self {
            Computing::Nothing => Ok(batch),
            Computing::AnyRow if most() => Ok(batch),
            _ => batch.compact(),
        }
    }
}

impl Parts {
    fn new(shared: &Shared, context: &BuildContext) -> Result<Self> {
        let first = shared.schema.len() - shared.parts.len();
        let part = |(at, part): (usize, &Expr)| {
            let schema = arrow_type::schema(shared.schema.iter().take(first + at + 1));
            Ok((Expression::new(part, &shared.schema, context)?, schema))
        };
        Ok(Parts(shared.parts.iter().enumerate().map(part).collect::<Result<_>>()?))
    }

    /// The columns, followed by those of the shared parts.
    fn add(&self, input: &RecordBatch, context: &Context<'_>) -> Result<RecordBatch> {
        let mut batch = input.clone();
        for (part, schema) in &self.0 {
            let mut columns = batch.columns().to_vec();
            columns.push(part.evaluate(&batch, context)?);
            batch = record_batch(schema, columns, input.num_rows())?;
        }
        Ok(batch)
    }
}

impl Calc {
    fn compute(&self, mut batch: ChangeBatch, context: &Context<'_>) -> Result<Option<ChangeBatch>> {
        if let Some((condition, computing)) = &self.condition {
            batch = computing.prepare(batch)?;
            batch = batch.with_columns(self.before.add(batch.columns(), context)?);
            let keep = condition.holds(batch.columns(), context)?;
            batch = filter(batch, &keep);
        }
        if batch.is_empty() {
            return Ok(None);
        }
        batch = batch.with_columns(batch.columns().project(&self.kept).map_err(kernel)?);
        batch = self.computing.prepare(batch)?;
        let input = self.after.add(batch.columns(), context)?;
        let columns = project(&self.projection, &input, &self.schema, context)?;
        Ok(Some(batch.with_columns(columns)))
    }
}

impl Operator for Calc {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let compute = |batch, context: &Context<'_>| self.compute(batch, context);
        in_parts(columns_of(batch)?, context, compute, |result, context| match result {
            Some(changes) => context.output.emit(Batch::Changes(changes)),
            None => Ok(()),
        })
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

/// Keeps these rows, and keeps the changelog valid.
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
