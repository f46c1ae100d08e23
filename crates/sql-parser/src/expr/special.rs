//! Functions with a grammar of their own: CAST, EXTRACT, FLOOR, POSITION, SUBSTRING, OVERLAY, TRIM, TIMESTAMPADD.

use sqlparser::ast::{
    CastKind, CeilFloorKind, DataType, DateTimeField, Expr, ExtractSyntax, ObjectName, TrimWhereField,
};

use super::IN;
use super::call::unnamed;
use crate::encoding::{encode_interval_type, encode_type, function};
use crate::error::Result;
use crate::parser::Parser;
use crate::types::interval_kind;

impl Parser<'_> {
    pub(super) fn cast(&mut self, is_try: bool) -> Result<Expr> {
        self.next();
        self.expect_sign("(")?;
        let expr = Box::new(self.expr()?);
        self.expect("AS")?;
        let data_type =
            if self.is_word("INTERVAL") { self.interval_type()? } else { encode_type(&self.cast_type()?) };
        self.expect_sign(")")?;
        let kind = if is_try { CastKind::TryCast } else { CastKind::Cast };
        Ok(Expr::Cast { kind, expr, data_type, array: false, format: None })
    }

    /// `INTERVAL DAY`: its unit is part of what a cast to it means.
    fn interval_type(&mut self) -> Result<DataType> {
        self.next();
        let qualifier = self.interval_qualifier()?;
        let ty = interval_kind(&qualifier.first).nullable();
        Ok(match qualifier.last {
            None => encode_interval_type(&ty, &qualifier.first),
            Some(_) => encode_type(&ty),
        })
    }

    pub(super) fn extract(&mut self) -> Result<Expr> {
        self.next();
        self.expect_sign("(")?;
        let field = self.time_unit()?;
        self.expect("FROM")?;
        let expr = Box::new(self.expr()?);
        self.expect_sign(")")?;
        Ok(Expr::Extract { field, syntax: ExtractSyntax::From, expr })
    }

    pub(super) fn floor_or_ceil(&mut self, is_floor: bool) -> Result<Expr> {
        self.next();
        self.expect_sign("(")?;
        let expr = Box::new(self.expr()?);
        let unit = if self.eat("TO") { self.time_unit()? } else { DateTimeField::NoDateTime };
        self.expect_sign(")")?;
        let field = CeilFloorKind::DateTimeField(unit);
        Ok(if is_floor { Expr::Floor { expr, field } } else { Expr::Ceil { expr, field } })
    }

    pub(super) fn position_of(&mut self) -> Result<Expr> {
        let name = self.next().ident();
        self.expect_sign("(")?;
        // Tighter than IN, which is the separator here.
        let expr = self.operators(IN)?;
        self.expect("IN")?;
        let text = self.expr()?;
        let from = if self.eat("FROM") { Some(self.expr()?) } else { None };
        self.expect_sign(")")?;
        Ok(match from {
            None => Expr::Position { expr: Box::new(expr), r#in: Box::new(text) },
            Some(from) => {
                let args = [expr, text, from].map(unnamed).into();
                Expr::Function(function(ObjectName::from(vec![name]), args, vec![]))
            }
        })
    }

    pub(super) fn substring(&mut self) -> Result<Expr> {
        self.next();
        self.expect_sign("(")?;
        let expr = Box::new(self.expr()?);
        let special = self.eat_sign(",");
        if !special {
            self.expect("FROM")?;
        }
        let substring_from = Some(Box::new(self.expr()?));
        let more = if special { self.eat_sign(",") } else { self.eat("FOR") };
        let substring_for = if more { Some(Box::new(self.expr()?)) } else { None };
        self.expect_sign(")")?;
        Ok(Expr::Substring { expr, substring_from, substring_for, special, shorthand: false })
    }

    pub(super) fn overlay(&mut self) -> Result<Expr> {
        self.next();
        self.expect_sign("(")?;
        let expr = Box::new(self.expr()?);
        self.expect("PLACING")?;
        let overlay_what = Box::new(self.expr()?);
        self.expect("FROM")?;
        let overlay_from = Box::new(self.expr()?);
        let overlay_for = if self.eat("FOR") { Some(Box::new(self.expr()?)) } else { None };
        self.expect_sign(")")?;
        Ok(Expr::Overlay { expr, overlay_what, overlay_from, overlay_for })
    }

    /// `TRIM([BOTH | LEADING | TRAILING] [characters] FROM text)`, `TRIM(text)`
    pub(super) fn trim(&mut self) -> Result<Expr> {
        self.next();
        self.expect_sign("(")?;
        let trim_where = self.eat_any(&["BOTH", "LEADING", "TRAILING"]).map(|word| match word {
            "BOTH" => TrimWhereField::Both,
            "LEADING" => TrimWhereField::Leading,
            _ => TrimWhereField::Trailing,
        });
        let mut trim_what = None;
        let expr = if trim_where.is_some() && self.eat("FROM") {
            self.expr()?
        } else {
            let first = self.expr()?;
            if trim_where.is_some() || self.is_word("FROM") {
                self.expect("FROM")?;
                trim_what = Some(Box::new(first));
                self.expr()?
            } else {
                first
            }
        };
        self.expect_sign(")")?;
        Ok(Expr::Trim { trim_where, trim_what, expr: Box::new(expr), trim_characters: None })
    }

    /// `TIMESTAMPADD(unit, n, t)`, `TIMESTAMPDIFF(unit, a, b)`
    pub(super) fn timestamp_arithmetic(&mut self) -> Result<Expr> {
        let name = ObjectName::from(vec![self.next().ident()]);
        self.expect_sign("(")?;
        let unit = self.peek().ident();
        self.time_unit()?;
        let mut args = vec![unnamed(Expr::Identifier(unit))];
        for _ in 0..2 {
            self.expect_sign(",")?;
            args.push(unnamed(self.expr()?));
        }
        self.expect_sign(")")?;
        Ok(Expr::Function(function(name, args, vec![])))
    }
}
