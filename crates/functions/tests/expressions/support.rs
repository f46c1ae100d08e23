//! Tables and expected results written as text.

#![expect(clippy::expect_used, reason = "a test that cannot be read is a failed test")]

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::Schema;
use flott_batch::arrow_type;
use flott_batch::bytes::{Room, in_parts};
use flott_batch::text::write_value;
use flott_expr::cast::{CastOptions, cast_array};
use flott_expr::{EvalContext, PlanContext, compile, fold};
use flott_plan::Expr;
use flott_types::{LogicalType, Result, TypeKind};

pub use crate::reader::{expr, ty};

/// A table written as text: a line of `name TYPE` columns, then lines of cells; cells are separated by `|`,
/// NULL is `NULL`.
pub struct Table {
    pub columns: Vec<(String, LogicalType)>,
    pub batch: RecordBatch,
    pub context: PlanContext,
}

/// With Flink's functions.
pub fn context() -> PlanContext {
    PlanContext { functions: flott_functions::builtin(), ..PlanContext::default() }
}

/// The table without columns and of one row.
pub fn one_row() -> Table {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options);
    Table { columns: Vec::new(), batch: batch.expect("a row"), context: context() }
}

/// Reads a table.
pub fn table(text: &str) -> Table {
    let mut lines = text.trim().lines().map(str::trim);
    let head = lines.next().expect("a head");
    let columns: Vec<_> = head
        .split('|')
        .map(|column| {
            let (name, kind) = column.trim().split_once(' ').expect("name and type");
            (name.to_owned(), ty(kind))
        })
        .collect();
    let rows = lines.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect()).collect();
    table_of(columns, rows, context())
}

/// A table from cells.
pub fn table_of(columns: Vec<(String, LogicalType)>, rows: Vec<Vec<String>>, context: PlanContext) -> Table {
    let arrays = columns.iter().enumerate().map(|(at, (_, ty))| {
        let cells = rows.iter().map(|row| Some(row[at].as_str()).filter(|cell| *cell != "NULL"));
        let cells: ArrayRef = Arc::new(cells.collect::<StringArray>());
        let options = CastOptions { time_zone: context.time_zone, is_try: true, room: Room::WHOLE };
        cast_array(&cells, &TypeKind::STRING.nullable(), ty, options).expect("cells of the type")
    });
    let arrays = arrays.collect();
    let schema = arrow_type::schema(columns.iter().map(|(name, ty)| (name.as_str(), ty)));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let batch = RecordBatch::try_new_with_options(schema, arrays, &options).expect("a batch");
    Table { columns, batch, context }
}

impl Table {
    /// Reads, folds, compiles and computes an expression: its type and the values as they print.
    pub fn run(&self, sql: &str) -> Result<(LogicalType, Vec<String>)> {
        let bound = expr(sql, &self.columns, &self.context)?;
        let ty = bound.ty().clone();
        let plain = self.evaluate(&bound);
        let folded = self.evaluate(&fold(bound.clone(), &self.context)?);
        // What folding computes must be what running computes.
        match (&plain, &folded) {
            (Ok(plain), Ok(folded)) => assert!(
                plain == folded || sql.contains("RAND") || sql.contains("UUID"),
                "{sql}: folded {folded:?}, not {plain:?}"
            ),
            (Err(plain), Err(_)) => assert!(!plain.to_string().is_empty()),
            _ => {}
        }
        // Rows do not see each other, however they are chosen and put together; nor does it matter how few
        // are computed at once.
        if let (Ok(plain), false) = (&plain, sql.contains("RAND") || sql.contains("UUID")) {
            assert_eq!(plain, &self.evaluate_in_parts(&bound)?, "{sql} in parts");
            let alone = (0..plain.len()).map(|row| self.evaluate_on(&bound, &self.batch.slice(row, 1)));
            let alone: Vec<_> = alone.collect::<Result<Vec<_>>>()?.concat();
            assert_eq!(plain, &alone, "{sql}: row by row");
        }
        Ok((ty, folded?))
    }

    /// Computes an expression.
    pub fn evaluate(&self, bound: &Expr) -> Result<Vec<String>> {
        self.evaluate_on(bound, &self.batch)
    }

    fn evaluate_on(&self, bound: &Expr, batch: &RecordBatch) -> Result<Vec<String>> {
        let types: Vec<_> = self.columns.iter().map(|(_, ty)| ty.clone()).collect();
        let evaluation = Arc::new(EvalContext::new(&self.context, 1));
        let array = compile(bound, &types, &evaluation)?.evaluate(batch)?;
        assert_eq!(array.len(), batch.num_rows());
        Ok(self.texts(&array, bound.ty()))
    }

    /// As [`Table::evaluate`], if no text of more than one row fits into a column.
    fn evaluate_in_parts(&self, bound: &Expr) -> Result<Vec<String>> {
        let types: Vec<_> = self.columns.iter().map(|(_, ty)| ty.clone()).collect();
        let evaluation = Arc::new(EvalContext::new(&self.context, 1).with_batch_bytes(0));
        let compiled = compile(bound, &types, &evaluation)?;
        let mut texts = Vec::new();
        let part =
            |rows: std::ops::Range<usize>| compiled.evaluate(&self.batch.slice(rows.start, rows.len()));
        in_parts(self.batch.num_rows(), part, |part| {
            texts.extend(self.texts(&part, bound.ty()));
            Ok(())
        })?;
        Ok(texts)
    }

    fn texts(&self, array: &ArrayRef, ty: &LogicalType) -> Vec<String> {
        let text = |row: usize| {
            let mut out = String::new();
            write_value(&mut out, array, row, ty, self.context.time_zone);
            out
        };
        (0..array.len()).map(text).collect()
    }

    /// Checks lines of `expression -> TYPE: value value ...`, or `expression -> error: part of the message`.
    pub fn check(&self, cases: &str) {
        let mut wrong = Vec::new();
        for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (sql, want) = case.rsplit_once(" -> ").expect("a case");
            let got = match self.run(sql) {
                Ok((ty, values)) => format!("{ty}: {}", values.join(" ")),
                Err(error) => format!("error: {error}"),
            };
            let right = match want.strip_prefix("error: ") {
                Some(part) => got.starts_with("error: ") && got.contains(part),
                None => got == want,
            };
            if !right {
                wrong.push(format!("{sql}\n   want {want}\n    got {got}"));
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }
}
