//! Function calls, their arguments, and what follows them.

use crate::ast::{
    Argument, ArgumentValue, Call, Expr, ExprKind, ObjectName, OrderItem, Quantifier, TableArgument,
    TableSource,
};
use crate::error::{ParseError, Position, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

impl Parser<'_> {
    /// A call whose name is taken already: `(args) [WITHIN GROUP ..] [FILTER ..] [OVER ..]`.
    pub(super) fn call(&mut self, name: ObjectName) -> Result<Expr> {
        let position = name.position();
        let mut call = self.plain_call(name)?;
        self.call_suffix(&mut call)?;
        Ok(super::node(position, ExprKind::Call(call)))
    }

    /// A call without anything behind its parentheses.
    pub(crate) fn plain_call(&mut self, name: ObjectName) -> Result<Box<Call>> {
        if let Some(ident) = name.single().filter(|ident| ident.value.starts_with('$')) {
            let message = format!("Unknown function `{}`: function names do not start with $", ident.value);
            return Err(ParseError::new(message, ident.position));
        }
        self.expect_sign("(")?;
        let mut call = Box::new(Call::new(name));
        if self.eat_sign(")") {
            return Ok(call);
        }
        if self.is_sign("*") && self.peek_at(1).is_sign(")") {
            let value = ArgumentValue::Star(self.next().position);
            self.next();
            call.args.push(Argument { name: None, value });
            return Ok(call);
        }
        call.quantifier = self.eat_any(&["DISTINCT", "ALL"]).map(|word| match word {
            "DISTINCT" => Quantifier::Distinct,
            _ => Quantifier::All,
        });
        call.args = self.nested(|p| p.commas(Self::argument))?;
        if self.is_word("ORDER") {
            call.order_by = self.order_by()?;
        }
        call.ignore_nulls = self.null_treatment();
        self.expect_sign(")")?;
        Ok(call)
    }

    /// `RESPECT NULLS` (false), `IGNORE NULLS` (true)
    fn null_treatment(&mut self) -> Option<bool> {
        if self.eat_all(&["RESPECT", "NULLS"]) {
            Some(false)
        } else if self.eat_all(&["IGNORE", "NULLS"]) {
            Some(true)
        } else {
            None
        }
    }

    fn argument(&mut self) -> Result<Argument> {
        let name = match self.is_ident() && self.peek_at(1).is_sign("=>") {
            true => {
                let name = self.ident()?;
                self.expect_sign("=>")?;
                Some(name)
            }
            false => None,
        };
        Ok(Argument { name, value: self.argument_value()? })
    }

    fn argument_value(&mut self) -> Result<ArgumentValue> {
        let position = self.position();
        let is_name = matches!(self.peek_at(1).kind, Kind::Word | Kind::Quoted);
        if self.eat("TABLE") {
            return self.table_argument(position);
        }
        if self.is_word("MODEL") && is_name {
            self.next();
            return self.object_name().map(|name| ArgumentValue::Model(position, name));
        }
        if self.eat("DEFAULT") {
            return Ok(ArgumentValue::Default(position));
        }
        if self.is_word("DESCRIPTOR") && self.peek_at(1).is_sign("(") {
            self.next();
            return self.parenthesised(Self::ident).map(|names| ArgumentValue::Descriptor(position, names));
        }
        if self.is_query() {
            let query = self.query()?;
            return Ok(ArgumentValue::Expr(super::node(position, ExprKind::Subquery(query))));
        }
        match self.expr()? {
            Expr { position, kind: ExprKind::Subquery(query) }
                if self.is_word("PARTITION") || self.is_word("ORDER") =>
            {
                self.set_semantics(position, TableSource::Query(query))
            }
            expr => Ok(ArgumentValue::Expr(expr)),
        }
    }

    /// Behind TABLE: a name, or a query in parentheses.
    fn table_argument(&mut self, position: Position) -> Result<ArgumentValue> {
        let source = if self.eat_sign("(") {
            let query = self.query()?;
            self.expect_sign(")")?;
            TableSource::Query(query)
        } else {
            let name = self.object_name()?;
            if self.is_sign("/*+") {
                let message = "A table argument takes no hint: put it into a view or a subquery";
                return Err(ParseError::new(message, self.position()));
            }
            TableSource::Name(name)
        };
        self.set_semantics(position, source)
    }

    /// `[PARTITION BY ..] [ORDER BY ..]` behind a table argument.
    fn set_semantics(&mut self, position: Position, source: TableSource) -> Result<ArgumentValue> {
        let partition_by =
            if self.eat_all(&["PARTITION", "BY"]) { self.one_or_list(Self::expr)? } else { vec![] };
        let order_by =
            if self.eat_all(&["ORDER", "BY"]) { self.one_or_list(Self::order_item)? } else { vec![] };
        Ok(ArgumentValue::Table(Box::new(TableArgument { position, source, partition_by, order_by })))
    }

    fn one_or_list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        if self.is_sign("(") { self.parenthesised(item) } else { Ok(vec![item(self)?]) }
    }

    /// `[RESPECT | IGNORE NULLS] [WITHIN GROUP (..)] [FILTER (WHERE ..)] [OVER ..]`
    pub(super) fn call_suffix(&mut self, call: &mut Call) -> Result<()> {
        if let Some(treatment) = self.null_treatment() {
            call.ignore_nulls = Some(treatment);
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
            call.filter = Some(self.expr()?);
            self.expect_sign(")")?;
        }
        if self.eat("OVER") {
            call.over = Some(self.over()?);
        }
        Ok(())
    }

    /// `ORDER BY a, b DESC`
    pub(crate) fn order_by(&mut self) -> Result<Vec<OrderItem>> {
        self.expect_all(&["ORDER", "BY"])?;
        self.commas(Self::order_item)
    }
}
