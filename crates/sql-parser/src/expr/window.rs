//! OVER, windows and ORDER BY items.

use crate::ast::{Expr, FrameBound, NamedWindow, OrderItem, Over, WindowFrame, WindowSpec};
use crate::error::{ParseError, Result};
use crate::parser::Parser;

impl Parser<'_> {
    /// `expr [ASC | DESC] [NULLS FIRST | LAST]`
    pub(crate) fn order_item(&mut self) -> Result<OrderItem> {
        let expr = self.expr()?;
        let descending = self.eat_any(&["ASC", "DESC"]).map(|word| word == "DESC");
        let nulls_first = match self.eat("NULLS") {
            true => Some(self.expect_any(&["FIRST", "LAST"])? == "FIRST"),
            false => None,
        };
        Ok(OrderItem { expr, descending, nulls_first })
    }

    /// Behind OVER: a window's name or its definition.
    pub(super) fn over(&mut self) -> Result<Over> {
        match self.is_sign("(") {
            true => self.window_spec().map(Over::Window),
            false => self.ident().map(Over::Name),
        }
    }

    /// `WINDOW w AS (..), ..`, if it comes next.
    pub(crate) fn named_windows(&mut self) -> Result<Vec<NamedWindow>> {
        if !self.eat("WINDOW") {
            return Ok(vec![]);
        }
        self.commas(|p| {
            let name = p.ident()?;
            p.expect("AS")?;
            Ok(NamedWindow { name, spec: p.window_spec()? })
        })
    }

    fn window_spec(&mut self) -> Result<WindowSpec> {
        self.expect_sign("(")?;
        let base = if self.is_ident() { Some(self.ident()?) } else { None };
        let partition_by = if self.eat_all(&["PARTITION", "BY"]) { self.commas(Self::expr)? } else { vec![] };
        let order_by = if self.is_word("ORDER") { self.order_by()? } else { vec![] };
        let frame = match self.eat_any(&["ROWS", "RANGE"]) {
            None => None,
            Some(word) => {
                let between = self.eat("BETWEEN");
                let start = self.frame_bound()?;
                let end = match between {
                    true => {
                        self.expect("AND")?;
                        Some(self.frame_bound()?)
                    }
                    false => None,
                };
                Some(WindowFrame { rows: word == "ROWS", start, end })
            }
        };
        if self.is_word("EXCLUDE") || self.is_word("ALLOW") || self.is_word("DISALLOW") {
            let message = format!("{} in a window is not supported", self.peek().value.to_ascii_uppercase());
            return Err(ParseError::unsupported(message, self.position()));
        }
        self.expect_sign(")")?;
        Ok(WindowSpec { base, partition_by, order_by, frame })
    }

    fn frame_bound(&mut self) -> Result<FrameBound> {
        if self.eat_all(&["CURRENT", "ROW"]) {
            return Ok(FrameBound::CurrentRow);
        }
        let distance: Option<Box<Expr>> =
            if self.eat("UNBOUNDED") { None } else { Some(Box::new(self.expr()?)) };
        Ok(match self.expect_any(&["PRECEDING", "FOLLOWING"])? {
            "PRECEDING" => FrameBound::Preceding(distance),
            _ => FrameBound::Following(distance),
        })
    }
}
