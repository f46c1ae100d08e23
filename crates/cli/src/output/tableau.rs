//! Tables of characters, as Flink's SQL client draws them.
//!
//! In the growing form the widths follow from the types before there are any rows; longer values are cut. In
//! the materialised form the changes are applied, and the table is drawn at the end with the widths of its
//! values.

use std::io::{Result, Write};

use flott::batch::RowKind;
use flott::plan::Schema;
use flott::types::{LogicalType, TypeKind};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Materialized, ResultWriter, Style};

/// NULL in the rows of a query.
pub(crate) const NULL: &str = "<NULL>";

/// Every change, as it comes.
pub(super) struct Changes {
    grid: Grid,
    count: u64,
}

impl Changes {
    pub fn new(schema: &Schema, max_width: usize) -> Self {
        let mut grid = Grid { names: vec!["op".to_owned()], right: vec![false], widths: vec![2] };
        for (name, ty) in schema.iter() {
            grid.names.push(name.to_owned());
            grid.right.push(ty.kind.is_numeric());
            grid.widths.push(expected_width(ty, max_width).max(name.width()));
        }
        Changes { grid, count: 0 }
    }
}

impl ResultWriter for Changes {
    fn start(&mut self, out: &mut dyn Write) -> Result<()> {
        self.grid.head(out)?;
        out.flush()
    }

    fn row(&mut self, out: &mut dyn Write, kind: RowKind, cells: Vec<Option<String>>) -> Result<()> {
        self.count += 1;
        let with_kind: Vec<String> =
            std::iter::once(kind.symbol().to_owned()).chain(shown(cells, NULL)).collect();
        self.grid.line(out, &with_kind)
    }

    fn end(&mut self, out: &mut dyn Write, complete: bool) -> Result<()> {
        self.grid.rule(out)?;
        if complete {
            match self.count {
                0 => writeln!(out, "Received a total of 0 rows in set")?,
                count => writeln!(out, "Received a total of {}", row_count(count))?,
            }
        }
        out.flush()
    }
}

/// The final table.
pub(super) struct Final {
    grid: Grid,
    rows: Materialized,
    style: Style,
}

impl Final {
    pub fn new(schema: &Schema, style: Style) -> Self {
        Final { grid: Grid::new(schema), rows: Materialized::new(style.max_rows), style }
    }
}

impl ResultWriter for Final {
    fn start(&mut self, _: &mut dyn Write) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, _: &mut dyn Write, kind: RowKind, cells: Vec<Option<String>>) -> Result<()> {
        self.rows.apply(kind, shown(cells, self.style.null).collect());
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, _: bool) -> Result<()> {
        self.grid.draw(out, &self.rows, self.style.width)
    }
}

/// The frame of a table.
pub(crate) struct Grid {
    names: Vec<String>,
    /// Whether the column is right-aligned.
    right: Vec<bool>,
    widths: Vec<usize>,
}

impl Grid {
    /// Columns as wide as their names.
    pub fn new(schema: &Schema) -> Self {
        Grid {
            names: schema.iter().map(|(name, _)| name.to_owned()).collect(),
            right: schema.iter().map(|(_, ty)| ty.kind.is_numeric()).collect(),
            widths: schema.iter().map(|(name, _)| name.width()).collect(),
        }
    }

    /// Makes room for these rows, up to a width.
    pub fn fit<'a>(&mut self, rows: impl Iterator<Item = &'a Vec<String>>, max_width: usize) {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width().min(max_width));
            }
        }
    }

    /// A whole table with its row count.
    pub fn draw(&mut self, out: &mut dyn Write, rows: &Materialized, max_width: usize) -> Result<()> {
        self.fit(rows.iter(), max_width);
        if rows.len() > 0 {
            self.head(out)?;
            for row in rows.iter() {
                self.line(out, row)?;
            }
            self.rule(out)?;
        }
        writeln!(out, "{}", row_count(rows.len() as u64))?;
        if rows.forgotten() > 0 {
            writeln!(
                out,
                "({} older rows are not shown: 'sql-client.execution.max-table-result.rows')",
                rows.forgotten()
            )?;
        }
        out.flush()
    }

    /// The names between rules.
    pub fn head(&self, out: &mut dyn Write) -> Result<()> {
        self.rule(out)?;
        self.cells(out, &self.names, true)?;
        self.rule(out)
    }

    /// A row.
    pub fn line(&self, out: &mut dyn Write, cells: &[String]) -> Result<()> {
        self.cells(out, cells, false)
    }

    /// A line.
    pub fn rule(&self, out: &mut dyn Write) -> Result<()> {
        for width in &self.widths {
            write!(out, "+{}", "-".repeat(width + 2))?;
        }
        writeln!(out, "+")
    }

    fn cells(&self, out: &mut dyn Write, cells: &[String], header: bool) -> Result<()> {
        for ((cell, width), right) in cells.iter().zip(&self.widths).zip(&self.right) {
            let shown = cut(cell, *width);
            let pad = " ".repeat(width.saturating_sub(shown.width()));
            if *right || header {
                write!(out, "| {pad}{shown} ")?;
            } else {
                write!(out, "| {shown}{pad} ")?;
            }
        }
        writeln!(out, "|")
    }
}

/// The cells as tables show them.
pub(crate) fn shown(cells: Vec<Option<String>>, null: &str) -> impl Iterator<Item = String> {
    cells.into_iter().map(|cell| cell.unwrap_or_else(|| null.to_owned()))
}

/// `3 rows in set`
fn row_count(rows: u64) -> String {
    match rows {
        0 => "Empty set".to_owned(),
        1 => "1 row in set".to_owned(),
        n => format!("{n} rows in set"),
    }
}

/// The maximum width of a type's values, as Flink's client computes it.
fn expected_width(ty: &LogicalType, max: usize) -> usize {
    let width = match &ty.kind {
        TypeKind::Boolean => 7,
        TypeKind::TinyInt => 4,
        TypeKind::SmallInt => 6,
        TypeKind::Int => 11,
        TypeKind::BigInt => 20,
        TypeKind::Float | TypeKind::Double => max,
        TypeKind::Decimal(precision, _) => *precision as usize + 2,
        TypeKind::Date => 10,
        TypeKind::Time(0) => 8,
        TypeKind::Time(p) => 9 + *p as usize,
        TypeKind::Timestamp(0) | TypeKind::TimestampLtz(0) => 19,
        TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) => 20 + *p as usize,
        TypeKind::Char(n) | TypeKind::Varchar(n) => (*n as usize).clamp(1, max),
        _ => max,
    };
    width.clamp(NULL.len(), max.max(NULL.len()))
}

/// The text in at most this many columns of the terminal; a longer one ends with `...`.
fn cut(text: &str, width: usize) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if flat.width() <= width {
        return flat;
    }
    let dots = width.min(3);
    let mut shown = String::new();
    let mut used = 0;
    for c in flat.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > width - dots {
            break;
        }
        used += w;
        shown.push(c);
    }
    shown.push_str(&"...".chars().take(dots).collect::<String>());
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(table: &mut dyn ResultWriter, rows: &[(RowKind, [Option<&str>; 2])]) -> String {
        let mut out = Vec::new();
        table.start(&mut out).unwrap();
        for (kind, cells) in rows {
            table.row(&mut out, *kind, cells.iter().map(|cell| cell.map(str::to_owned)).collect()).unwrap();
        }
        table.end(&mut out, true).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn schema() -> Schema {
        Schema::new([("id", TypeKind::Int.nullable()), ("name", TypeKind::Varchar(8).nullable())])
    }

    #[test]
    fn changes_are_drawn_as_they_come() {
        let rows = [(RowKind::Insert, [Some("1"), Some("a")]), (RowKind::UpdateBefore, [Some("1"), None])];
        let expected = "\
+----+-------------+----------+
| op |          id |     name |
+----+-------------+----------+
| +I |           1 | a        |
| -U |           1 | <NULL>   |
+----+-------------+----------+
Received a total of 2 rows in set
";
        assert_eq!(drawn(&mut Changes::new(&schema(), 30), &rows), expected);
    }

    #[test]
    fn a_materialised_table_applies_the_changes() {
        let rows = [
            (RowKind::Insert, [Some("1"), Some("a long name indeed")]),
            (RowKind::Insert, [Some("2"), Some("b")]),
            (RowKind::Delete, [Some("2"), Some("b")]),
        ];
        let expected = "\
+----+------------+
| id |       name |
+----+------------+
|  1 | a long ... |
+----+------------+
1 row in set
";
        assert_eq!(
            drawn(&mut Final::new(&schema(), Style { width: 10, max_rows: 100, null: NULL }), &rows),
            expected
        );
    }

    #[test]
    fn a_long_table_keeps_its_newest_rows() {
        let rows = [1, 2, 3].map(|n| (RowKind::Insert, [Some(["1", "2", "3"][n - 1]), None]));
        let drawn = drawn(&mut Final::new(&schema(), Style { width: 10, max_rows: 2, null: NULL }), &rows);
        assert!(
            !drawn.contains("|  1 |") && drawn.contains("|  3 |") && drawn.contains("1 older rows"),
            "{drawn}"
        );
    }
}
