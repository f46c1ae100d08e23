//! Combines rows with the rows that were found for them.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use flott_batch::bytes::{RowBytes, runs};
use flott_batch::{Batch, ChangeBatch, RowKind, RowKinds, arrow_type};
use flott_connector::lookup::Found;
use flott_operator::Context;
use flott_plan::{ChainedNode, Expr, JoinKind, LookupJoinSpec, Schema};
use flott_types::{Error, Result};

use crate::BuildContext;
use crate::support::{Expression, gather, kernel, record_batch, take_columns};

/// How many pairs are processed at a time.
const CHUNK: usize = 8_192;

/// A left row, and a row that was found.
type Pairs = Vec<(u32, u32)>;

/// Rows whose results are complete.
pub(super) struct Matched {
    pub rows: ChangeBatch,
    pub answers: Vec<Answer>,
}

/// The rows that were found for some left rows.
pub(super) struct Answer {
    rows: RecordBatch,
    /// The left row of each found row, in ascending order.
    of: Vec<u32>,
}

impl Answer {
    /// The answer for the rows that were asked for, and the rows for which nothing was found.
    pub fn of(found: Option<Found>, asked: &[u32]) -> Result<(Option<Answer>, Vec<u32>)> {
        let Some(found) = found else { return Ok((None, Vec::new())) };
        let mut hit = vec![false; asked.len()];
        let mut of = Vec::with_capacity(found.keys().len());
        for key in found.keys() {
            let (Some(row), Some(hit)) = (asked.get(*key as usize), hit.get_mut(*key as usize)) else {
                return Err(Error::internal("a lookup table answered for a key that was not asked for"));
            };
            *hit = true;
            of.push(*row);
        }
        let missed = asked.iter().zip(hit).filter(|(_, hit)| !hit).map(|(row, _)| *row).collect();
        Ok((Some(Answer { rows: found.rows().clone(), of }), missed))
    }

    /// Adapts to new row numbers; no row was removed.
    pub fn renumber(&mut self, place: &[Option<u32>]) {
        for row in &mut self.of {
            *row = place.get(*row as usize).copied().flatten().unwrap_or(*row);
        }
    }
}

/// How pairs are turned into output rows.
pub(super) struct Pairing {
    schema: SchemaRef,
    left_join: bool,
    /// A condition on the left row alone: if it does not hold, the row has no partners.
    left_condition: Option<Expression>,
    /// Over left columns, then the found ones.
    condition: Option<(Expression, SchemaRef)>,
    /// How many columns come from the table.
    right_width: usize,
    /// What is computed from the found columns.
    projection: Option<Vec<Expression>>,
    /// Batches hold about this many bytes.
    batch_bytes: usize,
}

impl Pairing {
    pub fn new(node: &ChainedNode, spec: &LookupJoinSpec, context: &BuildContext) -> Result<Self> {
        let left = crate::build::input(node, 0)?;
        let left_join = match spec.kind {
            JoinKind::Inner => false,
            JoinKind::Left => true,
            JoinKind::Right | JoinKind::Full | JoinKind::Semi | JoinKind::Anti => {
                return Err(Error::internal("a lookup join is INNER or LEFT").in_operator(&node.node.name));
            }
        };
        let table = &spec.lookup.table.schema;
        let found = spec.lookup.projection.iter().map(|column| {
            let column = table.columns.get(*column);
            column.ok_or_else(|| Error::internal("a lookup reads a column that its table has not"))
        });
        let found = Schema { columns: found.map(|column| Ok(column?.clone())).collect::<Result<_>>()? };
        let condition = spec.condition.as_ref().map(|condition| {
            // Names may repeat; columns are identified by position.
            let both = left.columns.iter().chain(&found.columns).enumerate();
            let both = Schema::new(both.map(|(at, column)| (format!("c{at}"), column.ty.clone())));
            let expression = Expression::new(condition, &both, context)?;
            Ok::<_, Error>((expression, arrow_type::schema(both.iter())))
        });
        let of_left = |condition: &Expr| Expression::new(condition, left, context);
        let of_found = |expr: &Expr| Expression::new(expr, &found, context);
        let projection = (!spec.projection.is_empty())
            .then(|| spec.projection.iter().map(of_found).collect::<Result<Vec<_>>>());
        Ok(Pairing {
            schema: arrow_type::schema(node.node.schema.iter()),
            left_join,
            left_condition: spec.left_condition.as_ref().map(of_left).transpose()?,
            condition: condition.transpose()?,
            right_width: match spec.projection.len() {
                0 => found.len(),
                made => made,
            },
            projection: projection.transpose()?,
            batch_bytes: context.batch_bytes,
        })
    }

    /// The rows that can have partners at all; `None` if there is no such condition.
    pub fn wanted(&self, rows: &RecordBatch, context: &Context<'_>) -> Result<Option<BooleanBuffer>> {
        self.left_condition.as_ref().map(|condition| condition.holds(rows, context)).transpose()
    }

    /// Emits rows with their partners.
    pub fn send(&self, matched: &Matched, context: &mut Context<'_>) -> Result<()> {
        let rows = matched.rows.columns();
        let (found, pairs) = combined(&matched.answers)?;
        let pairs = self.holding(rows, found.as_ref(), pairs, context)?;
        let (found, pairs) = self.projected(found, pairs, context)?;
        let partners = self.with_unmatched(rows.num_rows(), pairs);
        // If the halves of an update have different numbers of partners, they are emitted separately.
        let one_to_one = partners.len() == rows.num_rows()
            && (0..).zip(&partners).all(|(row, (partner, _))| *partner == row);
        let (left, right) = (RowBytes::new(rows.columns()), RowBytes::new(&found));
        let bytes = |at: usize| {
            let (row, partner) = partners[at];
            left.of(row as usize) + partner.map_or(0, |partner| right.of(partner as usize))
        };
        let runs = runs(partners.len(), self.batch_bytes, bytes);
        let whole = one_to_one && runs.len() == 1;
        for run in runs {
            for chunk in partners[run].chunks(CHUNK) {
                let kinds = kinds(&matched.rows, chunk, whole && chunk.len() == partners.len());
                self.emit(rows, &found, chunk, kinds, context)?;
            }
        }
        Ok(())
    }

    fn emit(
        &self,
        rows: &RecordBatch,
        found: &[ArrayRef],
        partners: &[(u32, Option<u32>)],
        kinds: Option<RowKinds>,
        context: &mut Context<'_>,
    ) -> Result<()> {
        let whole = partners.len() == rows.num_rows()
            && (0..).zip(partners).all(|(row, (partner, _))| *partner == row);
        let mut columns = match whole {
            true => rows.columns().to_vec(),
            false => {
                let left: Vec<u32> = partners.iter().map(|(row, _)| *row).collect();
                take_columns(rows.columns(), &left)?
            }
        };
        let right: Vec<Option<u32>> = partners.iter().map(|(_, partner)| *partner).collect();
        columns.extend(gather(found, &right)?);
        let columns = record_batch(&self.schema, columns, partners.len())?;
        context.output.emit(Batch::Changes(ChangeBatch::new(columns, kinds)))
    }

    /// The pairs for which the condition holds.
    fn holding(
        &self,
        rows: &RecordBatch,
        found: Option<&RecordBatch>,
        pairs: Pairs,
        context: &Context<'_>,
    ) -> Result<Pairs> {
        let (Some((condition, schema)), Some(found)) = (&self.condition, found) else { return Ok(pairs) };
        let mut holding = Vec::with_capacity(pairs.len());
        for chunk in pairs.chunks(CHUNK) {
            let (left, right): (Vec<u32>, Vec<u32>) = chunk.iter().copied().unzip();
            let mut columns = take_columns(rows.columns(), &left)?;
            columns.extend(take_columns(found.columns(), &right)?);
            let holds = condition.holds(&record_batch(schema, columns, chunk.len())?, context)?;
            holding.extend(chunk.iter().zip(&holds).filter(|(_, holds)| *holds).map(|(pair, _)| *pair));
        }
        Ok(holding)
    }

    /// Applies the projection to the found rows, but only to those that have a partner: computing the others
    /// might fail.
    fn projected(
        &self,
        found: Option<RecordBatch>,
        mut pairs: Pairs,
        context: &Context<'_>,
    ) -> Result<(Vec<ArrayRef>, Pairs)> {
        let Some(found) = found else {
            let none = self.schema.fields().iter().skip(self.left_width());
            let none = none.map(|field| arrow::array::new_empty_array(field.data_type()));
            return Ok((none.collect(), pairs));
        };
        let Some(projection) = &self.projection else { return Ok((found.columns().to_vec(), pairs)) };
        let mut read = found;
        if self.condition.is_some() {
            let kept: Vec<u32> = pairs.iter().map(|(_, right)| *right).collect();
            read = record_batch(&read.schema(), take_columns(read.columns(), &kept)?, kept.len())?;
            (0..).zip(&mut pairs).for_each(|(at, pair)| pair.1 = at);
        }
        let columns = projection.iter().map(|expression| expression.evaluate(&read, context));
        Ok((columns.collect::<Result<_>>()?, pairs))
    }

    fn left_width(&self) -> usize {
        self.schema.fields().len().saturating_sub(self.right_width)
    }

    /// The left row and the partner of each output row.
    fn with_unmatched(&self, rows: usize, pairs: Pairs) -> Vec<(u32, Option<u32>)> {
        if !self.left_join {
            return pairs.into_iter().map(|(row, partner)| (row, Some(partner))).collect();
        }
        let mut partners = Vec::with_capacity(rows.max(pairs.len()));
        let mut pairs = pairs.into_iter().peekable();
        for row in 0..rows as u32 {
            let before = partners.len();
            while let Some((_, partner)) = pairs.next_if(|(of, _)| *of == row) {
                partners.push((row, Some(partner)));
            }
            if partners.len() == before {
                partners.push((row, None));
            }
        }
        partners
    }
}

/// Everything that was found, and the pairs in the order of the rows.
fn combined(answers: &[Answer]) -> Result<(Option<RecordBatch>, Pairs)> {
    let numbered = |of: &[u32]| of.iter().copied().zip(0..).collect::<Vec<(u32, u32)>>();
    match answers {
        [] => Ok((None, Vec::new())),
        [one] => Ok((Some(one.rows.clone()), numbered(&one.of))),
        [first, ..] => {
            let rows = concat_batches(&first.rows.schema(), answers.iter().map(|answer| &answer.rows));
            let of: Vec<u32> = answers.iter().flat_map(|answer| answer.of.iter().copied()).collect();
            let mut pairs = numbered(&of);
            pairs.sort_by_key(|(row, _)| *row);
            Ok((Some(rows.map_err(kernel)?), pairs))
        }
    }
}

fn kinds(rows: &ChangeBatch, partners: &[(u32, Option<u32>)], whole: bool) -> Option<RowKinds> {
    let kinds = rows.kinds()?;
    if whole {
        return Some(kinds.clone());
    }
    let alone = |(row, _): &(u32, Option<u32>)| match kinds.get(*row as usize) {
        RowKind::UpdateBefore => RowKind::Delete,
        RowKind::UpdateAfter => RowKind::Insert,
        kind => kind,
    };
    Some(partners.iter().map(alone).collect())
}
