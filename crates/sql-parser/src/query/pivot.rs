//! PIVOT and UNPIVOT.

use crate::ast::{Expr, Ident, Pivot, Relation, RelationKind, Text, Unpivot, UnpivotColumn};
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

    pub(super) fn pivot(&mut self, table: Relation) -> Result<Relation> {
        let position = table.position;
        let kind = match self.next().is_word("PIVOT") {
            true => RelationKind::Pivot(Box::new(self.pivot_body(table)?)),
            false => RelationKind::Unpivot(Box::new(self.unpivot_body(table)?)),
        };
        Ok(Relation::new(position, kind))
    }

    /// `(agg [AS a], .. FOR column IN (value [AS b], ..))`
    fn pivot_body(&mut self, table: Relation) -> Result<Pivot> {
        self.expect_sign("(")?;
        let aggregates = self.commas(Self::aliased)?;
        self.expect("FOR")?;
        let columns = self.columns()?;
        self.expect("IN")?;
        let values = self.parenthesised(Self::aliased)?;
        self.expect_sign(")")?;
        Ok(Pivot { table, aggregates, columns, values })
    }

    fn aliased(&mut self) -> Result<(Expr, Option<Ident>)> {
        let expr = self.expr()?;
        let alias = if self.eat("AS") || self.is_ident() { Some(self.ident()?) } else { None };
        Ok((expr, alias))
    }

    /// `[INCLUDE | EXCLUDE NULLS] (value FOR name IN (column [AS 'text'], ..))`
    fn unpivot_body(&mut self, table: Relation) -> Result<Unpivot> {
        let include_nulls = self.eat_any(&["INCLUDE", "EXCLUDE"]).map(|word| word == "INCLUDE");
        if include_nulls.is_some() {
            self.expect("NULLS")?;
        }
        self.expect_sign("(")?;
        let values = self.columns()?;
        self.expect("FOR")?;
        let name = self.ident()?;
        self.expect("IN")?;
        let columns = self.parenthesised(|p| {
            let columns = p.columns()?;
            let label = match p.eat("AS") {
                false => None,
                true if p.peek().kind == Kind::Text => Some(p.text()?),
                true => {
                    let name = p.ident()?;
                    Some(Text { value: name.value, position: name.position })
                }
            };
            Ok(UnpivotColumn { columns, label })
        })?;
        self.expect_sign(")")?;
        Ok(Unpivot { table, include_nulls, values, name, columns })
    }

    /// A name, or several in parentheses.
    fn columns(&mut self) -> Result<Vec<Ident>> {
        if self.is_sign("(") { self.parenthesised(Self::ident) } else { Ok(vec![self.ident()?]) }
    }
}
