//! PIVOT and UNPIVOT.

use sqlparser::ast::{Expr, ExprWithAlias, Ident, NullInclusion, PivotValueSource, TableFactor};

use crate::error::Result;
use crate::lexer::Kind;
use crate::parser::Parser;

impl Parser<'_> {
    /// Whether PIVOT or UNPIVOT comes next; both could be names.
    pub(super) fn is_pivot(&self) -> bool {
        let parenthesis = self.peek_at(1).is_sign("(");
        let nulls = self.peek_at(1).is_any_word(&["INCLUDE", "EXCLUDE"]);
        (self.is_word("PIVOT") && parenthesis) || (self.is_word("UNPIVOT") && (parenthesis || nulls))
    }

    pub(super) fn pivot(&mut self, table: TableFactor) -> Result<TableFactor> {
        match self.next().is_word("PIVOT") {
            true => self.pivot_body(table),
            false => self.unpivot_body(table),
        }
    }

    /// `(agg [AS a], .. FOR column IN (value [AS b], ..))`
    fn pivot_body(&mut self, table: TableFactor) -> Result<TableFactor> {
        self.expect_sign("(")?;
        let aggregate_functions = self.commas(Self::aliased)?;
        self.expect("FOR")?;
        let value_column = match self.is_sign("(") {
            true => self.parenthesised(|p| p.ident().map(Expr::Identifier))?,
            false => vec![Expr::Identifier(self.ident()?)],
        };
        self.expect("IN")?;
        let values = self.parenthesised(Self::aliased)?;
        self.expect_sign(")")?;
        Ok(TableFactor::Pivot {
            table: Box::new(table),
            aggregate_functions,
            value_column,
            value_source: PivotValueSource::List(values),
            default_on_null: None,
            alias: None,
        })
    }

    fn aliased(&mut self) -> Result<ExprWithAlias> {
        let expr = self.expr()?;
        let alias = if self.eat("AS") || self.is_ident() { Some(self.ident()?) } else { None };
        Ok(ExprWithAlias { expr, alias })
    }

    /// `[INCLUDE | EXCLUDE NULLS] (value FOR name IN (column [AS 'text'], ..))`
    fn unpivot_body(&mut self, table: TableFactor) -> Result<TableFactor> {
        let null_inclusion = match self.eat_any(&["INCLUDE", "EXCLUDE"]) {
            None => None,
            Some(word) => {
                self.expect("NULLS")?;
                Some(if word == "INCLUDE" {
                    NullInclusion::IncludeNulls
                } else {
                    NullInclusion::ExcludeNulls
                })
            }
        };
        self.expect_sign("(")?;
        let value = self.columns()?;
        self.expect("FOR")?;
        let name = self.ident()?;
        self.expect("IN")?;
        let columns = self.parenthesised(|p| {
            let expr = p.columns()?;
            let alias = match p.eat("AS") {
                false => None,
                true if p.peek().kind == Kind::Text => {
                    let text = p.next();
                    Some(Ident::with_quote_and_span('\'', text.span, text.value))
                }
                true => Some(p.ident()?),
            };
            Ok(ExprWithAlias { expr, alias })
        })?;
        self.expect_sign(")")?;
        Ok(TableFactor::Unpivot { table: Box::new(table), value, name, columns, null_inclusion, alias: None })
    }

    fn columns(&mut self) -> Result<Expr> {
        match self.is_sign("(") {
            true => self.parenthesised(|p| p.ident().map(Expr::Identifier)).map(Expr::Tuple),
            false => self.ident().map(Expr::Identifier),
        }
    }
}
