//! TO_CHANGELOG and FROM_CHANGELOG: turn changes into rows that name their kind, and back.
//!
//! Cost: one gather of the rows that remain, and a column of codes.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, ChangeBatch, RowKind, RowKinds, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, ChangeCodes};
use flott_types::{Error, FastMap, Result};

use crate::support::{columns_of, kernel, record_batch, selected};

/// In the order of [`ChangeCodes`].
const KINDS: [RowKind; 4] = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];

/// Turns each change into a row that starts with the code of its kind; changes whose kind has no code are
/// dropped.
pub(crate) struct ToChangelog {
    schema: SchemaRef,
    codes: [Option<String>; 4],
}

/// Turns each row into the change that one of its columns names; that column is dropped.
pub(crate) struct FromChangelog {
    schema: SchemaRef,
    column: usize,
    kinds: FastMap<String, RowKind>,
    /// All codes, for messages.
    known: String,
}

impl ToChangelog {
    pub fn new(node: &ChainedNode, codes: &ChangeCodes) -> Self {
        ToChangelog {
            schema: arrow_type::schema(node.node.schema.iter()),
            codes: codes.0.each_ref().map(|codes| codes.last().cloned()),
        }
    }
}

impl Operator for ToChangelog {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?;
        let code = |row: &u32| self.codes[batch.kind(*row as usize) as usize].as_deref();
        let mut rows = selected(&batch);
        rows.retain(|row| code(row).is_some());
        if rows.is_empty() {
            return Ok(());
        }
        let codes: StringArray = rows.iter().map(code).collect();
        let (number, rows) = (rows.len(), UInt32Array::from(rows));
        let mut columns: Vec<Arc<dyn Array>> = vec![Arc::new(codes)];
        for column in batch.columns().columns() {
            columns.push(take(column, &rows, None).map_err(kernel)?);
        }
        let rows = record_batch(&self.schema, columns, number)?;
        context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))
    }
}

impl FromChangelog {
    pub fn new(node: &ChainedNode, column: usize, codes: &ChangeCodes) -> Self {
        let kinds = KINDS.iter().zip(&codes.0);
        let kinds = kinds.flat_map(|(kind, codes)| codes.iter().map(|code| (code.clone(), *kind)));
        let known: Vec<&str> = codes.0.iter().flatten().map(String::as_str).collect();
        FromChangelog {
            schema: arrow_type::schema(node.node.schema.iter()),
            column,
            kinds: kinds.collect(),
            known: known.join(", "),
        }
    }
}

impl Operator for FromChangelog {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        let mut columns = batch.columns().columns().to_vec();
        let codes = columns.remove(self.column);
        let codes = codes.as_string_opt::<i32>();
        let codes = codes.ok_or_else(|| Error::internal("codes of changes that are not text"))?;
        let mut kinds = Vec::with_capacity(codes.len());
        for code in codes {
            let code = code.ok_or_else(|| {
                Error::data("FROM_CHANGELOG got a row whose operation is NULL; each row must name one")
            })?;
            let kind = self.kinds.get(code).ok_or_else(|| {
                let known = &self.known;
                Error::data(format!(
                    "FROM_CHANGELOG got a row with the unknown operation '{code}'; known are {known}"
                ))
            })?;
            kinds.push(*kind);
        }
        let rows = record_batch(&self.schema, columns, kinds.len())?;
        let kinds = kinds.iter().any(|kind| *kind != RowKind::Insert).then(|| RowKinds::from(kinds));
        context.output.emit(Batch::Changes(ChangeBatch::new(rows, kinds)))
    }
}

#[cfg(test)]
mod tests {
    use flott_plan::{ChangeCodes, OperatorSpec};

    use crate::harness::{Harness, node};

    fn codes(codes: [&[&str]; 4]) -> ChangeCodes {
        ChangeCodes(codes.map(|codes| codes.iter().map(|code| (*code).to_owned()).collect()))
    }

    #[test]
    fn changes_become_rows_and_rows_changes() {
        let letters = codes([&["c"], &["b"], &["u"], &[]]);
        let to = OperatorSpec::ToChangelog { codes: letters };
        let mut to = Harness::new(node(to, &["INT STRING"], "STRING INT STRING"));
        assert_eq!(
            to.push("+I 1 a\n-U 1 a\n+U 1 b\n-D 1 b\n+I 2 c"),
            "+I c 1 a\n+I b 1 a\n+I u 1 b\n+I c 2 c\n"
        );
        let letters = codes([&["c", "r"], &["b"], &["u"], &["d"]]);
        let from = OperatorSpec::FromChangelog { column: 1, codes: letters };
        let mut from = Harness::new(node(from, &["INT STRING STRING"], "INT STRING"));
        assert_eq!(
            from.push("+I 1 c a\n+I 1 b a\n+I 1 u b\n+I 1 d b\n+I 2 r c"),
            "+I 1 a\n-U 1 a\n+U 1 b\n-D 1 b\n+I 2 c\n"
        );
        let refused = from.try_push(0, "+I 1 x a").unwrap_err().to_string();
        assert!(refused.contains("unknown operation 'x'; known are c, r, b, u, d"), "{refused}");
    }
}
