//! Function calls, their arguments, and what stands behind them.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator,
    FunctionArgumentClause, FunctionArguments, NullTreatment, ObjectName, OrderByExpr,
};

use crate::encoding::{encode_default, encode_model, encode_table, function, single_name};
use crate::error::{ParseError, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

pub(super) fn unnamed(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
}

impl Parser<'_> {
    /// A call whose name is taken already: `(args) [WITHIN GROUP ..] [FILTER ..] [OVER ..]`.
    pub(crate) fn call(&mut self, name: ObjectName) -> Result<Function> {
        let mut call = self.plain_call(name)?;
        self.call_suffix(&mut call)?;
        Ok(call)
    }

    /// A call without anything behind its parentheses.
    pub(crate) fn plain_call(&mut self, name: ObjectName) -> Result<Function> {
        if let Some(ident) = single_name(&name).filter(|ident| ident.value.starts_with('$')) {
            let message =
                format!("Unknown function `{}`: names that start with $ are not for functions", ident.value);
            return Err(ParseError::new(message, ident.span));
        }
        self.expect_sign("(")?;
        let mut call = function(name, vec![], vec![]);
        let FunctionArguments::List(list) = &mut call.args else {
            return Ok(call);
        };
        if self.eat_sign(")") {
            return Ok(call);
        }
        if self.is_sign("*") && self.peek_at(1).is_sign(")") {
            self.next();
            self.next();
            list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Wildcard));
            return Ok(call);
        }
        if self.eat("DISTINCT") {
            list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
        } else if self.eat("ALL") {
            list.duplicate_treatment = Some(DuplicateTreatment::All);
        }
        list.args = self.commas(Self::argument)?;
        if self.is_word("ORDER") {
            list.clauses.push(FunctionArgumentClause::OrderBy(self.order_by()?));
        }
        let treatment = self.null_treatment();
        self.expect_sign(")")?;
        call.null_treatment = treatment;
        Ok(call)
    }

    /// `RESPECT NULLS`, `IGNORE NULLS`
    fn null_treatment(&mut self) -> Option<NullTreatment> {
        if self.eat_all(&["RESPECT", "NULLS"]) {
            Some(NullTreatment::RespectNulls)
        } else if self.eat_all(&["IGNORE", "NULLS"]) {
            Some(NullTreatment::IgnoreNulls)
        } else {
            None
        }
    }

    fn argument(&mut self) -> Result<FunctionArg> {
        if self.is_ident() && self.peek_at(1).is_sign("=>") {
            let name = self.ident()?;
            self.expect_sign("=>")?;
            let arg = FunctionArgExpr::Expr(self.argument_value()?);
            return Ok(FunctionArg::Named { name, arg, operator: FunctionArgOperator::RightArrow });
        }
        self.argument_value().map(unnamed)
    }

    fn argument_value(&mut self) -> Result<Expr> {
        let span = self.span();
        let source = if self.eat("TABLE") {
            if self.is_sign("(") {
                self.expect_sign("(")?;
                let query = self.query()?;
                self.expect_sign(")")?;
                Expr::Subquery(query)
            } else {
                let name = Expr::CompoundIdentifier(self.dotted()?);
                if self.is_sign("/*+") {
                    let message = "A table argument takes no hint: put it into a view or a subquery";
                    return Err(ParseError::new(message, self.span()));
                }
                name
            }
        } else if self.is_word("MODEL") && matches!(self.peek_at(1).kind, Kind::Word | Kind::Quoted) {
            self.next();
            return Ok(encode_model(self.dotted()?, span));
        } else if self.is_word("DEFAULT") {
            self.next();
            return Ok(encode_default(span));
        } else if self.is_query() {
            return Ok(Expr::Subquery(self.query()?));
        } else {
            let expr = self.expr()?;
            if !matches!(expr, Expr::Subquery(_)) || !self.is_word("PARTITION") && !self.is_word("ORDER") {
                return Ok(expr);
            }
            expr
        };
        let partition_by =
            if self.eat_all(&["PARTITION", "BY"]) { self.one_or_list(Self::expr)? } else { vec![] };
        let order_by =
            if self.eat_all(&["ORDER", "BY"]) { self.one_or_list(Self::order_item)? } else { vec![] };
        Ok(encode_table(source, partition_by, order_by, span))
    }

    fn one_or_list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        if self.is_sign("(") { self.parenthesised(item) } else { Ok(vec![item(self)?]) }
    }

    /// `[RESPECT | IGNORE NULLS] [WITHIN GROUP (..)] [FILTER (WHERE ..)] [OVER ..]`
    pub(super) fn call_suffix(&mut self, call: &mut Function) -> Result<()> {
        if let Some(treatment) = self.null_treatment() {
            call.null_treatment = Some(treatment);
        }
        if self.eat_all(&["WITHIN", "GROUP"]) {
            self.expect_sign("(")?;
            call.within_group = self.order_by()?;
            self.expect_sign(")")?;
        }
        if self.is_word("FILTER") && self.peek_at(1).is_sign("(") {
            self.next();
            self.expect_sign("(")?;
            self.expect("WHERE")?;
            call.filter = Some(Box::new(self.expr()?));
            self.expect_sign(")")?;
        }
        if self.eat("OVER") {
            call.over = Some(self.over()?);
        }
        Ok(())
    }

    /// `ORDER BY a, b DESC`
    pub(crate) fn order_by(&mut self) -> Result<Vec<OrderByExpr>> {
        self.expect_all(&["ORDER", "BY"])?;
        self.commas(Self::order_item)
    }
}
