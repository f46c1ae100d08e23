//! Batches as text, for tests: `parse` reads what `print` writes.
//!
//! One row per line: the row kind, then the values, separated by blanks.
//!
//! ```
//! use flott_batch::pretty;
//! use flott_types::TypeKind;
//!
//! let types = [TypeKind::Int.nullable(), TypeKind::STRING.nullable()];
//! let batch = pretty::parse("-U 1 a\n+U 1 'b c'\n+I 2 NULL", &types)?;
//! assert_eq!(pretty::print(&batch, &types), "-U 1 a\n+U 1 'b c'\n+I 2 NULL\n");
//! # Ok::<(), flott_types::Error>(())
//! ```
//!
//! Values are written as the SQL client prints them, with these differences: text with blanks, quotes or one
//! of `[](){},=`, empty text and the text NULL are in single quotes (`''` is a quote); timestamps have a `T`
//! between date and time and are UTC; intervals are their number of months or milliseconds. Collections are
//! `[1,NULL]`, `(1,a)` and `{k=v}` without blanks.

mod cell;

use std::sync::Arc;

use arrow::array::RecordBatch;
use flott_types::{Error, LogicalType, Result, RowField, TypeKind};

use crate::{ChangeBatch, RowKind, RowKinds, arrow_type};
use cell::{Cell, Scanner};

/// A batch of columns `f0`, `f1` ... of these types. Empty lines are left out.
pub fn parse(text: &str, types: &[LogicalType]) -> Result<ChangeBatch> {
    let mut kinds = Vec::new();
    let mut columns: Vec<Vec<Cell>> = vec![Vec::new(); types.len()];
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let wrong = |what: String| Error::invalid(format!("row '{line}': {what}"));
        let mut scanner = Scanner::new(line);
        kinds.push(match scanner.word() {
            "+I" => RowKind::Insert,
            "-U" => RowKind::UpdateBefore,
            "+U" => RowKind::UpdateAfter,
            "-D" => RowKind::Delete,
            other => {
                return Err(wrong(format!("'{other}' is not a row kind; expected +I, -U, +U or -D")));
            }
        });
        for (column, ty) in columns.iter_mut().zip(types) {
            column.push(scanner.cell(&ty.kind).map_err(wrong)?);
        }
        if !scanner.at_end() {
            return Err(wrong(format!("there are more than {} values", types.len())));
        }
    }
    let arrays =
        columns.iter().zip(types).map(|(cells, ty)| cell::to_array(cells, ty)).collect::<Result<Vec<_>>>()?;
    let names: Vec<String> = (0..types.len()).map(|i| format!("f{i}")).collect();
    let schema = arrow_type::schema(names.iter().map(String::as_str).zip(types));
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(kinds.len()));
    let columns = RecordBatch::try_new_with_options(schema, arrays, &options)
        .map_err(|error| Error::internal("columns of a text batch").with_source(error))?;
    Ok(ChangeBatch::new(columns, Some(RowKinds::from(kinds))))
}

/// The selected rows of a batch whose columns have these types, each line ended.
pub fn print(batch: &ChangeBatch, types: &[LogicalType]) -> String {
    let mut out = String::new();
    for row in 0..batch.physical_rows() {
        if batch.selection().is_some_and(|selection| !selection.value(row)) {
            continue;
        }
        out.push_str(batch.kind(row).symbol());
        for (column, ty) in batch.columns().columns().iter().zip(types) {
            out.push(' ');
            cell::print(&mut out, Arc::as_ref(column), row, ty);
        }
        out.push('\n');
    }
    out
}

/// A ROW type with nullable fields `f0`, `f1` ... of these types.
pub fn row(kinds: impl IntoIterator<Item = TypeKind>) -> TypeKind {
    let field =
        |(i, kind): (usize, TypeKind)| RowField { name: format!("f{i}"), ty: kind.nullable(), comment: None };
    TypeKind::Row(kinds.into_iter().enumerate().map(field).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str, kinds: &[TypeKind]) {
        let types: Vec<_> = kinds.iter().cloned().map(TypeKind::nullable).collect();
        let batch = parse(text, &types).unwrap();
        assert_eq!(print(&batch, &types), text);
        assert_eq!(parse(&print(&batch, &types), &types).unwrap(), batch);
    }

    #[test]
    fn every_type_reads_as_it_prints() {
        use TypeKind::*;
        round_trip(
            "+I TRUE -1 2 3 4\n-D NULL NULL NULL NULL NULL\n",
            &[Boolean, TinyInt, SmallInt, Int, BigInt],
        );
        round_trip("+I 1.5 1.0E10 NaN -12.30\n", &[Float, Double, Double, Decimal(10, 2)]);
        round_trip(
            "-U a 'b c' '' 'NULL' 'it''s' x'0aff'\n+U NULL '[' ä '=' 'a,b' x''\n",
            &[
                TypeKind::STRING,
                Char(3),
                TypeKind::STRING,
                TypeKind::STRING,
                TypeKind::STRING,
                TypeKind::BYTES,
            ],
        );
        round_trip(
            "+I 2020-02-29 12:34:56.789 2020-02-29T12:34:56.789 1969-12-31T23:59:59.999999999 14 -93784567\n",
            &[Date, Time(3), Timestamp(3), TimestampLtz(9), IntervalYearMonth, IntervalDaySecond],
        );
        let element = |kind: TypeKind| Box::new(kind.nullable());
        round_trip(
            "+I [1,NULL] {a=[x]} {7=2} (1,'a b',NULL) NULL\n-D NULL NULL NULL NULL NULL\n+I [] {} {} (NULL,b,[]) NULL\n",
            &[
                Array(element(Int)),
                Map(element(TypeKind::STRING), element(Array(element(TypeKind::STRING)))),
                Multiset(element(BigInt)),
                row([Int, TypeKind::STRING, Array(element(Int))]),
                Null,
            ],
        );
    }

    #[test]
    fn mistakes_are_named() {
        let ints = [TypeKind::Int.nullable()];
        let error = |text| parse(text, &ints).unwrap_err().to_string();
        assert_eq!(error("+X 1"), "row '+X 1': '+X' is not a row kind; expected +I, -U, +U or -D");
        assert_eq!(error("+I 1 2"), "row '+I 1 2': there are more than 1 values");
        assert_eq!(error("+I a"), "'a' is not a value of INT");
        assert_eq!(error("+I"), "row '+I': a value of INT is missing");
    }

    #[test]
    fn unselected_rows_are_not_printed() {
        let ints = [TypeKind::Int.nullable()];
        let batch = parse("+I 1\n+I 2", &ints).unwrap().select(&[false, true].into_iter().collect());
        assert_eq!(print(&batch, &ints), "+I 2\n");
    }
}
