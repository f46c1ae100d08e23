//! Functions with special syntax: CAST, EXTRACT, FLOOR, POSITION, SUBSTRING, OVERLAY, TRIM, TIMESTAMPADD.

use super::binding::IN;
use crate::ast::{Expr, ExprKind, TrimSide};
use crate::error::Result;
use crate::parser::Parser;
use crate::types::interval_kind;

/// The contents of a function's parentheses.
type Body = Result<ExprKind>;

impl Parser<'_> {
    /// A function whose name comes next.
    pub(super) fn special(&mut self, body: impl FnOnce(&mut Self) -> Body) -> Result<Expr> {
        let position = self.next().position;
        self.expect_sign("(")?;
        let kind = body(self)?;
        self.expect_sign(")")?;
        Ok(super::node(position, kind))
    }

    fn boxed(&mut self) -> Result<Box<Expr>> {
        self.expr().map(Box::new)
    }

    fn boxed_if(&mut self, present: bool) -> Result<Option<Box<Expr>>> {
        if present { self.boxed().map(Some) } else { Ok(None) }
    }

    pub(super) fn cast(&mut self, is_try: bool) -> Body {
        let operand = self.boxed()?;
        self.expect("AS")?;
        if !self.eat("INTERVAL") {
            let ty = Box::new(self.cast_type()?);
            return Ok(ExprKind::Cast { operand, ty, interval: None, is_try });
        }
        let qualifier = self.interval_qualifier()?;
        let ty = Box::new(interval_kind(qualifier.first).nullable());
        Ok(ExprKind::Cast { operand, ty, interval: Some(Box::new(qualifier)), is_try })
    }

    pub(super) fn row(&mut self) -> Body {
        Ok(ExprKind::Row(self.commas(Self::expr)?))
    }

    pub(super) fn extract(&mut self) -> Body {
        let unit = self.time_unit()?;
        self.expect("FROM")?;
        Ok(ExprKind::Extract { unit, operand: self.boxed()? })
    }

    pub(super) fn rounding(&mut self, floor: bool) -> Body {
        let operand = self.boxed()?;
        let unit = if self.eat("TO") { Some(self.time_unit()?) } else { None };
        Ok(if floor { ExprKind::Floor { operand, unit } } else { ExprKind::Ceil { operand, unit } })
    }

    pub(super) fn position_in(&mut self) -> Body {
        // Tighter than IN, which is the separator here.
        let operand = Box::new(self.operators(IN)?);
        self.expect("IN")?;
        let text = self.boxed()?;
        let from = self.eat("FROM");
        Ok(ExprKind::Position { operand, text, from: self.boxed_if(from)? })
    }

    pub(super) fn substring(&mut self) -> Body {
        let operand = self.boxed()?;
        let commas = self.eat_sign(",");
        if !commas {
            self.expect("FROM")?;
        }
        let from = self.boxed()?;
        let more = if commas { self.eat_sign(",") } else { self.eat("FOR") };
        Ok(ExprKind::Substring { operand, from, length: self.boxed_if(more)? })
    }

    pub(super) fn overlay(&mut self) -> Body {
        let operand = self.boxed()?;
        self.expect("PLACING")?;
        let placing = self.boxed()?;
        self.expect("FROM")?;
        let from = self.boxed()?;
        let length = self.eat("FOR");
        Ok(ExprKind::Overlay { operand, placing, from, length: self.boxed_if(length)? })
    }

    /// `[BOTH | LEADING | TRAILING] [characters] FROM text`, `text`
    pub(super) fn trim(&mut self) -> Body {
        let side = self.eat_any(&["BOTH", "LEADING", "TRAILING"]).map(|word| match word {
            "BOTH" => TrimSide::Both,
            "LEADING" => TrimSide::Leading,
            _ => TrimSide::Trailing,
        });
        if side.is_some() && self.eat("FROM") {
            return Ok(ExprKind::Trim { side, characters: None, operand: self.boxed()? });
        }
        let first = self.boxed()?;
        if side.is_none() && !self.is_word("FROM") {
            return Ok(ExprKind::Trim { side, characters: None, operand: first });
        }
        self.expect("FROM")?;
        Ok(ExprKind::Trim { side, characters: Some(first), operand: self.boxed()? })
    }

    /// `unit, n, t`
    pub(super) fn timestamp_arithmetic(&mut self, difference: bool) -> Body {
        let unit = self.time_unit()?;
        self.expect_sign(",")?;
        let first = self.expr()?;
        self.expect_sign(",")?;
        let args = Box::new([first, self.expr()?]);
        Ok(ExprKind::TimestampArithmetic { difference, unit, args })
    }
}
