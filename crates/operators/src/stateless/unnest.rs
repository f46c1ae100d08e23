//! UNNEST: a row for each element of a collection.
//!
//! The elements of an ARRAY or MULTISET become a column, or one for each field if they are ROWs; a MAP
//! becomes two. With `keep_empty` (LEFT JOIN) a row without elements is emitted once, with NULLs. A condition
//! (ON) decides which elements count.
//!
//! The two halves of an update may have different numbers of elements, so they are emitted as `-D` and `+I`.
//!
//! Cost: the other columns are copied once for each element, at most [`CHUNK`] rows at a time, fewer if they
//! are wide.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, StructArray, UInt32Array};
use arrow::compute::{is_null, nullif, take};
use arrow::datatypes::{DataType, Int32Type, SchemaRef};
use flott_batch::bytes::RowBytes;
use flott_batch::{Batch, ChangeBatch, RowKind, RowKinds, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, Expr, Schema};
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::BuildContext;
use crate::support::{Expression, columns_of, in_parts, kernel, record_batch, take_columns};

/// How many rows are sent at a time.
const CHUNK: usize = 8_192;

/// What the operator is built from.
pub(crate) struct UnnestParts<'a> {
    pub collection: &'a Expr,
    pub ordinality: bool,
    pub keep_empty: bool,
    pub condition: Option<&'a Expr>,
}

/// The operator.
pub(crate) struct Unnest {
    schema: SchemaRef,
    collection: Expression,
    kind: TypeKind,
    ordinality: bool,
    keep_empty: bool,
    /// Over the columns behind the input's, which have this schema.
    condition: Option<(Expression, SchemaRef)>,
    /// Batches hold about this many bytes.
    batch_bytes: usize,
}

/// The elements of all rows of a batch, and where each row's elements are.
struct Elements {
    columns: Vec<ArrayRef>,
    /// How often each element of a MULTISET occurs.
    counts: Option<Int32Array>,
    offsets: Vec<usize>,
    valid: Vec<bool>,
}

/// Output rows that are not sent yet.
#[derive(Default)]
struct Chunk {
    rows: Vec<u32>,
    elements: Vec<Option<u32>>,
    positions: Vec<Option<i32>>,
    bytes: usize,
}

impl Chunk {
    fn push(&mut self, row: u32, element: Option<usize>, position: Option<i32>) {
        self.rows.push(row);
        self.elements.push(element.map(|at| at as u32));
        self.positions.push(position);
    }
}

impl Unnest {
    pub fn new(
        node: &ChainedNode,
        UnnestParts { collection, ordinality, keep_empty, condition }: &UnnestParts<'_>,
        context: &BuildContext,
    ) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let added = node.node.schema.iter().skip(input.len());
        let added = Schema::new(added.map(|(name, ty)| (name.to_owned(), ty.clone())));
        let condition = match condition {
            Some(condition) => {
                let schema = arrow_type::schema(added.iter());
                Some((Expression::new(condition, &added, context)?, schema))
            }
            None => None,
        };
        Ok(Unnest {
            schema: arrow_type::schema(node.node.schema.iter()),
            kind: collection.ty().kind.clone(),
            collection: Expression::new(collection, input, context)?,
            ordinality: *ordinality,
            keep_empty: *keep_empty,
            condition,
            batch_bytes: context.batch_bytes,
        })
    }

    fn send(
        &self,
        chunk: Chunk,
        input: &ChangeBatch,
        all: &Elements,
        context: &mut Context<'_>,
    ) -> Result<()> {
        let mut columns = take_columns(input.columns().columns(), &chunk.rows)?;
        let elements = UInt32Array::from(chunk.elements);
        for column in &all.columns {
            columns.push(take(column, &elements, None).map_err(kernel)?);
        }
        if self.ordinality {
            columns.push(std::sync::Arc::new(Int32Array::from(chunk.positions)));
        }
        let kinds = input.kinds().map(|kinds| {
            let kind = |row: &u32| match kinds.get(*row as usize) {
                RowKind::UpdateBefore => RowKind::Delete,
                RowKind::UpdateAfter => RowKind::Insert,
                kind => kind,
            };
            chunk.rows.iter().map(kind).collect::<RowKinds>()
        });
        let rows = record_batch(&self.schema, columns, chunk.rows.len())?;
        context.output.emit(Batch::Changes(ChangeBatch::new(rows, kinds)))
    }
}

impl Elements {
    fn of(array: &ArrayRef, kind: &TypeKind) -> Result<Elements> {
        let wrong = || Error::internal(format!("UNNEST of a {} array", array.data_type()));
        let valid = (0..array.len()).map(|row| array.is_valid(row)).collect();
        let places = |offsets: &[i32]| offsets.iter().map(|offset| *offset as usize).collect();
        if let TypeKind::Array(element) = kind {
            let list = array.as_list_opt::<i32>().ok_or_else(wrong)?;
            return Ok(Elements {
                columns: spread(list.values(), element)?,
                counts: None,
                offsets: places(list.value_offsets()),
                valid,
            });
        }
        let map = array.as_map_opt().ok_or_else(wrong)?;
        let offsets = places(map.value_offsets());
        Ok(match kind {
            TypeKind::Multiset(element) => {
                let counts = map.values().as_primitive_opt::<Int32Type>().ok_or_else(wrong)?.clone();
                Elements { columns: spread(map.keys(), element)?, counts: Some(counts), offsets, valid }
            }
            _ => Elements {
                columns: vec![map.keys().clone(), map.values().clone()],
                counts: None,
                offsets,
                valid,
            },
        })
    }

    fn count(&self, element: usize) -> i32 {
        self.counts.as_ref().map_or(1, |counts| counts.value(element))
    }
}

/// The fields of ROWs, NULL where the ROW is; other values unchanged.
fn spread(values: &ArrayRef, ty: &LogicalType) -> Result<Vec<ArrayRef>> {
    let Some(fields) = ty.kind.fields() else {
        return Ok(vec![values.clone()]);
    };
    let row: &StructArray = values.as_struct_opt().ok_or_else(|| Error::internal("a ROW that is none"))?;
    debug_assert_eq!(row.num_columns(), fields.len());
    let missing = is_null(row).map_err(kernel)?;
    let masked = |column: &ArrayRef| match row.null_count() {
        0 => Ok(column.clone()),
        _ if *column.data_type() == DataType::Null => Ok(column.clone()),
        _ => nullif(column, &missing).map_err(kernel),
    };
    row.columns().iter().map(masked).collect()
}

impl Operator for Unnest {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let compute = |batch: ChangeBatch, context: &Context<'_>| {
            let collection = self.collection.evaluate(batch.columns(), context)?;
            let all = Elements::of(&collection, &self.kind)?;
            let passes = self.passes(&all, context)?;
            Ok((all, passes, batch))
        };
        in_parts(columns_of(batch)?.compact()?, context, compute, |(all, passes, batch), context| {
            self.spread(&batch, &all, passes.as_ref(), context)
        })
    }
}

impl Unnest {
    /// For each element, as often as it occurs and in the order of rows, whether the condition holds.
    fn passes(&self, all: &Elements, context: &Context<'_>) -> Result<Option<BooleanArray>> {
        let Some((condition, schema)) = &self.condition else { return Ok(None) };
        let (mut elements, mut positions) = (Vec::new(), Vec::new());
        for row in (0..all.valid.len()).filter(|row| all.valid[*row]) {
            let mut position = 0;
            for element in all.offsets[row]..all.offsets[row + 1] {
                for _ in 0..all.count(element) {
                    position += 1;
                    elements.push(element as u32);
                    positions.push(position);
                }
            }
        }
        let rows = elements.len();
        let mut columns = take_columns(&all.columns, &elements)?;
        if self.ordinality {
            columns.push(std::sync::Arc::new(Int32Array::from(positions)));
        }
        let holds = condition.evaluate(&record_batch(schema, columns, rows)?, context)?;
        Ok(Some(holds.as_boolean().clone()))
    }

    /// Emits a row for each element for which the condition holds.
    fn spread(
        &self,
        batch: &ChangeBatch,
        all: &Elements,
        passes: Option<&BooleanArray>,
        context: &mut Context<'_>,
    ) -> Result<()> {
        let mut seen = 0;
        let (of_row, of_element) = (RowBytes::new(batch.columns().columns()), RowBytes::new(&all.columns));
        let mut chunk = Chunk::default();
        for row in 0..batch.num_rows() {
            let (mut position, mut found) = (0, false);
            let bytes = of_row.of(row);
            if all.valid[row] {
                for element in all.offsets[row]..all.offsets[row + 1] {
                    let bytes = bytes + of_element.of(element);
                    for _ in 0..all.count(element) {
                        position += 1;
                        seen += 1;
                        let holds =
                            |passes: &BooleanArray| passes.is_valid(seen - 1) && passes.value(seen - 1);
                        if !passes.is_none_or(holds) {
                            continue;
                        }
                        found = true;
                        chunk.push(row as u32, Some(element), Some(position));
                        chunk.bytes += bytes;
                        if chunk.rows.len() == CHUNK || chunk.bytes >= self.batch_bytes {
                            self.send(std::mem::take(&mut chunk), batch, all, context)?;
                        }
                    }
                }
            }
            if !found && self.keep_empty {
                chunk.push(row as u32, None, None);
                chunk.bytes += bytes;
            }
        }
        if chunk.rows.is_empty() { Ok(()) } else { self.send(chunk, batch, all, context) }
    }
}
