//! OVER, windows and ORDER BY items.

use sqlparser::ast::{
    Expr, NamedWindowDefinition, NamedWindowExpr, OrderByExpr, OrderByOptions, WindowFrame, WindowFrameBound,
    WindowFrameUnits, WindowSpec, WindowType,
};

use crate::error::{ParseError, Result};
use crate::parser::Parser;

impl Parser<'_> {
    /// `expr [ASC | DESC] [NULLS FIRST | LAST]`
    pub(crate) fn order_item(&mut self) -> Result<OrderByExpr> {
        let expr = self.expr()?;
        let asc = self.eat_any(&["ASC", "DESC"]).map(|word| word == "ASC");
        let nulls_first = match self.eat("NULLS") {
            true => Some(self.expect_any(&["FIRST", "LAST"])? == "FIRST"),
            false => None,
        };
        Ok(OrderByExpr { expr, options: OrderByOptions { asc, nulls_first }, with_fill: None })
    }

    /// Behind OVER: a window's name or its definition.
    pub(super) fn over(&mut self) -> Result<WindowType> {
        match self.is_sign("(") {
            true => self.window_spec().map(WindowType::WindowSpec),
            false => self.ident().map(WindowType::NamedWindow),
        }
    }

    /// `WINDOW w AS (..), ..`, if it comes next.
    pub(crate) fn named_windows(&mut self) -> Result<Vec<NamedWindowDefinition>> {
        if !self.eat("WINDOW") {
            return Ok(vec![]);
        }
        self.commas(|p| {
            let name = p.ident()?;
            p.expect("AS")?;
            Ok(NamedWindowDefinition(name, NamedWindowExpr::WindowSpec(p.window_spec()?)))
        })
    }

    fn window_spec(&mut self) -> Result<WindowSpec> {
        self.expect_sign("(")?;
        let window_name = if self.is_ident() { Some(self.ident()?) } else { None };
        let partition_by = if self.eat_all(&["PARTITION", "BY"]) { self.commas(Self::expr)? } else { vec![] };
        let order_by = if self.is_word("ORDER") { self.order_by()? } else { vec![] };
        let units = self.eat_any(&["ROWS", "RANGE"]).map(|word| match word {
            "ROWS" => WindowFrameUnits::Rows,
            _ => WindowFrameUnits::Range,
        });
        let window_frame = match units {
            None => None,
            Some(units) if self.eat("BETWEEN") => {
                let start_bound = self.frame_bound()?;
                self.expect("AND")?;
                Some(WindowFrame { units, start_bound, end_bound: Some(self.frame_bound()?) })
            }
            Some(units) => Some(WindowFrame { units, start_bound: self.frame_bound()?, end_bound: None }),
        };
        if self.is_word("EXCLUDE") || self.is_word("ALLOW") || self.is_word("DISALLOW") {
            let message = format!("{} in a window is not supported", self.peek().value.to_ascii_uppercase());
            return Err(ParseError::unsupported(message, self.span()));
        }
        self.expect_sign(")")?;
        Ok(WindowSpec { window_name, partition_by, order_by, window_frame })
    }

    fn frame_bound(&mut self) -> Result<WindowFrameBound> {
        if self.eat_all(&["CURRENT", "ROW"]) {
            return Ok(WindowFrameBound::CurrentRow);
        }
        let distance: Option<Box<Expr>> =
            if self.eat("UNBOUNDED") { None } else { Some(Box::new(self.expr()?)) };
        Ok(match self.expect_any(&["PRECEDING", "FOLLOWING"])? {
            "PRECEDING" => WindowFrameBound::Preceding(distance),
            _ => WindowFrameBound::Following(distance),
        })
    }
}
