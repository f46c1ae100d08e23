//! NOT NULL columns of sink tables, including primary keys.
//!
//! Like Flink's, the planner does not refuse a query whose result may be NULL there: the rows decide. Cost:
//! checking the null counts of the columns; more only for a batch that has NULLs.

use arrow::array::{Array, ArrayRef};
use arrow::buffer::BooleanBuffer;
use flott_batch::{Batch, ChangeBatch};
use flott_operator::Counter;
use flott_plan::TableSpec;
use flott_runtime::Constraint;
use flott_types::{Error, Result};

/// What happens to a row that has NULL in a NOT NULL column (`table.exec.sink.not-null-enforcer`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum NotNull {
    /// The job fails.
    #[default]
    Error,
    /// The row is dropped and counted.
    Drop,
}

/// The NOT NULL columns of one table.
#[derive(Clone, Debug)]
pub(crate) struct NotNullColumns {
    columns: Vec<(usize, String)>,
    enforcer: NotNull,
}

impl NotNullColumns {
    /// The NOT NULL columns of this table, if it has any.
    pub(crate) fn of(table: &TableSpec, enforcer: NotNull) -> Option<Self> {
        let columns = table.schema.columns.iter().enumerate();
        let columns = columns.filter(|(at, column)| !column.ty.nullable || table.primary_key.contains(at));
        let columns: Vec<_> = columns.map(|(at, column)| (at, column.name.clone())).collect();
        (!columns.is_empty()).then_some(NotNullColumns { columns, enforcer })
    }

    /// The columns that have NULLs and must not have any.
    fn broken<'a>(&'a self, changes: &'a ChangeBatch) -> impl Iterator<Item = (&'a str, &'a ArrayRef)> {
        let columns = changes.columns().columns();
        let of = self.columns.iter().filter_map(|(at, name)| Some((name.as_str(), columns.get(*at)?)));
        of.filter(|(_, column)| column.null_count() > 0)
    }
}

impl Constraint for NotNullColumns {
    fn enforce(&self, batch: Batch, dropped: &Counter) -> Result<Batch> {
        let changes = match batch {
            Batch::Changes(changes) if self.broken(&changes).next().is_some() => changes,
            fine @ (Batch::Changes(_) | Batch::Records(_)) => return Ok(fine),
        };
        // Rows that were filtered out may hold any values.
        let changes = changes.compact()?;
        let mut keep: Option<BooleanBuffer> = None;
        for (name, column) in self.broken(&changes) {
            if self.enforcer == NotNull::Error {
                return Err(Error::data(format!(
                    "Column '{name}' is NOT NULL, however, a null value is being written into it. You can set job \
                     configuration 'table.exec.sink.not-null-enforcer'='DROP' to suppress this exception and drop such \
                     records silently."
                )));
            }
            if let Some(valid) = column.nulls().map(|nulls| nulls.inner()) {
                keep = Some(keep.map_or_else(|| valid.clone(), |keep| &keep & valid));
            }
        }
        Ok(Batch::Changes(match keep {
            Some(keep) => {
                dropped.add((keep.len() - keep.count_set_bits()) as u64);
                changes.select(&keep)
            }
            None => changes,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flott_plan::Schema;
    use flott_types::TypeKind;
    use std::collections::BTreeMap;

    fn table() -> TableSpec {
        let (null, not_null) = (TypeKind::BigInt.nullable(), TypeKind::BigInt.not_null());
        TableSpec {
            name: "t".to_owned(),
            connector: "test".to_owned(),
            options: BTreeMap::new(),
            schema: Schema::new([("key", null.clone()), ("must", not_null), ("may", null)]),
            partition_keys: Vec::new(),
            primary_key: vec![0],
        }
    }

    fn batch(rows: &[[Option<i64>; 3]]) -> ChangeBatch {
        let column = |at: usize| -> ArrayRef {
            std::sync::Arc::new(rows.iter().map(|row| row[at]).collect::<arrow::array::Int64Array>())
        };
        let columns = vec![column(0), column(1), column(2)];
        let schema = flott_batch::arrow_type::schema(table().schema.iter());
        ChangeBatch::insert_only(arrow::array::RecordBatch::try_new(schema, columns).unwrap())
    }

    const ROWS: [[Option<i64>; 3]; 4] =
        [[Some(1), Some(1), None], [None, Some(1), Some(1)], [Some(1), None, Some(1)], [None, None, None]];

    #[test]
    fn the_column_is_named() {
        let constraint = NotNullColumns::of(&table(), NotNull::Error).unwrap();
        let enforce = |rows| constraint.enforce(batch(rows).into(), &Counter::default());
        assert_eq!(enforce(&ROWS[..1]).unwrap().num_rows(), 1);
        let error = enforce(&ROWS[2..3]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Column 'must' is NOT NULL, however, a null value is being written into it. You can set job configuration \
             'table.exec.sink.not-null-enforcer'='DROP' to suppress this exception and drop such records silently."
        );
        // A primary key is implicitly NOT NULL.
        assert!(enforce(&ROWS[1..2]).unwrap_err().to_string().contains("Column 'key'"));
    }

    #[test]
    fn rows_are_dropped_and_counted() {
        let dropped = Counter::default();
        let rest = NotNullColumns::of(&table(), NotNull::Drop)
            .unwrap()
            .enforce(batch(&ROWS).into(), &dropped)
            .unwrap();
        assert_eq!((rest.num_rows(), dropped.get()), (1, 3));
    }

    #[test]
    fn a_row_that_was_filtered_out_is_not_checked() {
        let keep = BooleanBuffer::from(vec![true, false, false, false]);
        let filtered = batch(&ROWS).select(&keep);
        let rest = NotNullColumns::of(&table(), NotNull::Error)
            .unwrap()
            .enforce(filtered.into(), &Counter::default())
            .unwrap();
        assert_eq!(rest.num_rows(), 1);
    }
}
