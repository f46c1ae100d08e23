//! Windows of rows around a row.

use flott_sql_parser::ast::{FrameBound, NamedWindow, WindowFrame, WindowSpec};
use flott_types::Result;

use super::expression::ident;
use super::relational::collected;
use super::{Expression, SortKey};

/// The rows before a row, for aggregates of them: all before it by default, with those of the same time.
#[derive(Clone, Debug)]
pub struct Over {
    partition_by: Vec<Expression>,
    order_by: Vec<SortKey>,
    frame: Option<Frame>,
}

/// How far a window reaches back.
#[derive(Clone, Debug)]
enum Frame {
    AllRows,
    Rows(u64),
    Range(Expression),
}

/// Such a window with its name.
#[derive(Clone, Debug)]
pub struct OverWindow {
    name: String,
    over: Over,
}

impl Over {
    /// Rows with the same keys.
    pub fn partition_by<E: Into<Expression>>(keys: impl IntoIterator<Item = E>) -> Self {
        Over { partition_by: collected(keys), order_by: Vec::new(), frame: None }
    }

    /// All rows, in an order: most often that of a time.
    pub fn ordered_by(key: impl Into<SortKey>) -> Self {
        Over { partition_by: Vec::new(), order_by: vec![key.into()], frame: None }
    }

    /// In this order: most often that of a time.
    #[must_use]
    pub fn order_by(mut self, key: impl Into<SortKey>) -> Self {
        self.order_by.push(key.into());
        self
    }

    /// So many rows before it.
    #[must_use]
    pub fn preceding_rows(self, rows: u64) -> Self {
        Over { frame: Some(Frame::Rows(rows)), ..self }
    }

    /// The rows of so long before it: an INTERVAL, `lit(10).minutes()`.
    #[must_use]
    pub fn preceding_range(self, range: impl Into<Expression>) -> Self {
        Over { frame: Some(Frame::Range(range.into())), ..self }
    }

    /// All rows before it, and none of the same time after it.
    #[must_use]
    pub fn unbounded_rows(self) -> Self {
        Over { frame: Some(Frame::AllRows), ..self }
    }

    /// All rows before it, with those of the same time.
    #[must_use]
    pub fn unbounded_range(self) -> Self {
        Over { frame: None, ..self }
    }

    /// Names it.
    pub fn alias(self, name: &str) -> OverWindow {
        OverWindow { name: name.to_owned(), over: self }
    }
}

impl OverWindow {
    pub(super) fn definition(&self) -> Result<NamedWindow> {
        let within = "over_window";
        let (rows, distance) = match &self.over.frame {
            None => (false, None),
            Some(Frame::AllRows) => (true, None),
            Some(Frame::Rows(rows)) => {
                let rows = i64::try_from(*rows).unwrap_or(i64::MAX);
                (true, Some(flott_sql_parser::parse_expression(&rows.to_string())?))
            }
            Some(Frame::Range(range)) => (false, Some(range.unnamed(within)?)),
        };
        let start = FrameBound::Preceding(distance.map(Box::new));
        let frame = WindowFrame { rows, start, end: Some(FrameBound::CurrentRow) };
        let keys = &self.over.partition_by;
        let spec = WindowSpec {
            base: None,
            partition_by: keys.iter().map(|key| key.unnamed(within)).collect::<Result<_>>()?,
            order_by: self.over.order_by.iter().map(|key| key.item(within)).collect::<Result<_>>()?,
            frame: Some(frame),
        };
        Ok(NamedWindow { name: ident(&self.name), spec })
    }
}
