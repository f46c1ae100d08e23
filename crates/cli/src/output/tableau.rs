//! Tables of characters, as Flink's SQL client draws them.
//!
//! In the growing form the widths follow from the types before any row is there; longer values are cut. In the
//! materialised form the changes are applied, and the table is drawn at the end with the widths of its values.

use std::io::{Result, Write};

use flott::batch::RowKind;
use flott::plan::Schema;
use flott::types::{LogicalType, TypeKind};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::ResultWriter;

const NULL: &str = "<NULL>";

pub(super) struct Tableau {
    names: Vec<String>,
    /// Whether the column's values stand to the right.
    right: Vec<bool>,
    widths: Vec<usize>,
    max_width: usize,
    /// Of a materialised table: its rows.
    rows: Option<Vec<Vec<String>>>,
    count: u64,
}

impl Tableau {
    /// Every change, as it comes.
    pub fn changes(schema: &Schema, max_width: usize) -> Self {
        let mut names = vec!["op".to_owned()];
        let mut right = vec![false];
        let mut widths = vec![2];
        for (name, ty) in schema.iter() {
            names.push(name.to_owned());
            right.push(is_number(ty));
            widths.push(expected_width(ty, max_width).max(name.width()));
        }
        Tableau { names, right, widths, max_width, rows: None, count: 0 }
    }

    /// The final table.
    pub fn materialized(schema: &Schema, max_width: usize) -> Self {
        let names: Vec<String> = schema.iter().map(|(name, _)| name.to_owned()).collect();
        let widths = names.iter().map(|name| name.width()).collect();
        let right = schema.iter().map(|(_, ty)| is_number(ty)).collect();
        Tableau { names, right, widths, max_width, rows: Some(Vec::new()), count: 0 }
    }

    fn rule(&self, out: &mut dyn Write) -> Result<()> {
        for width in &self.widths {
            write!(out, "+{}", "-".repeat(width + 2))?;
        }
        writeln!(out, "+")
    }

    fn line(&self, out: &mut dyn Write, cells: &[String], header: bool) -> Result<()> {
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

    fn head(&self, out: &mut dyn Write) -> Result<()> {
        self.rule(out)?;
        self.line(out, &self.names, true)?;
        self.rule(out)
    }
}

impl ResultWriter for Tableau {
    fn start(&mut self, out: &mut dyn Write) -> Result<()> {
        match self.rows {
            Some(_) => Ok(()),
            None => {
                self.head(out)?;
                out.flush()
            }
        }
    }

    fn row(&mut self, out: &mut dyn Write, kind: RowKind, cells: Vec<Option<String>>) -> Result<()> {
        let cells: Vec<String> = cells.into_iter().map(|cell| cell.unwrap_or_else(|| NULL.to_owned())).collect();
        self.count += 1;
        let Some(rows) = &mut self.rows else {
            let with_kind: Vec<String> = std::iter::once(kind.symbol().to_owned()).chain(cells).collect();
            return self.line(out, &with_kind, false);
        };
        if kind.is_addition() {
            rows.push(cells);
        } else if let Some(place) = rows.iter().rposition(|row| *row == cells) {
            rows.remove(place);
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, complete: bool) -> Result<()> {
        match self.rows.take() {
            Some(rows) => {
                for row in &rows {
                    for (width, cell) in self.widths.iter_mut().zip(row) {
                        *width = (*width).max(cell.width()).min(self.max_width.max(*width));
                    }
                }
                if !rows.is_empty() {
                    self.head(out)?;
                    for row in &rows {
                        self.line(out, row, false)?;
                    }
                    self.rule(out)?;
                }
                writeln!(out, "{}", row_count(rows.len() as u64))?;
            }
            None => {
                self.rule(out)?;
                if complete {
                    writeln!(out, "Received a total of {}", row_count(self.count))?;
                }
            }
        }
        out.flush()
    }
}

fn row_count(rows: u64) -> String {
    match rows {
        0 => "Empty set".to_owned(),
        1 => "1 row in set".to_owned(),
        n => format!("{n} rows in set"),
    }
}

fn is_number(ty: &LogicalType) -> bool {
    ty.kind.is_numeric()
}

/// The width that values of a type need at most, as Flink's client reckons.
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

/// The text in at most so many columns of the terminal; a longer one ends with `...`.
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

    fn drawn(mut table: Tableau, rows: &[(RowKind, [Option<&str>; 2])]) -> String {
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
        let rows = [
            (RowKind::Insert, [Some("1"), Some("a")]),
            (RowKind::UpdateBefore, [Some("1"), None]),
        ];
        let expected = "\
+----+-------------+----------+
| op |          id |     name |
+----+-------------+----------+
| +I |           1 | a        |
| -U |           1 | <NULL>   |
+----+-------------+----------+
Received a total of 2 rows in set
";
        assert_eq!(drawn(Tableau::changes(&schema(), 30), &rows), expected);
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
        assert_eq!(drawn(Tableau::materialized(&schema(), 10), &rows), expected);
    }
}
