//! `/*+ NAME('k' = 'v', ..), NAME(a, b.c, 1) */`

use crate::ast::{Hint, HintArg};
use crate::error::Result;
use crate::lexer::Kind;
use crate::parser::Parser;

impl Parser<'_> {
    /// The hints here, if there are any.
    pub(crate) fn hints(&mut self) -> Result<Vec<Hint>> {
        if !self.eat_sign("/*+") {
            return Ok(vec![]);
        }
        let hints = self.commas(|p| {
            let position = p.position();
            let name = p.ident()?.value.to_ascii_uppercase();
            let args = if p.is_sign("(") && p.peek_at(1).is_sign(")") {
                p.next();
                p.next();
                vec![]
            } else if p.is_sign("(") {
                p.parenthesised(Self::hint_arg)?
            } else {
                vec![]
            };
            Ok(Hint { name, args, position })
        })?;
        self.expect_sign("*/")?;
        Ok(hints)
    }

    fn hint_arg(&mut self) -> Result<HintArg> {
        let key = self.hint_value()?;
        Ok(match self.eat_sign("=") {
            true => HintArg::Option(key, self.hint_value()?),
            false => HintArg::Item(key),
        })
    }

    fn hint_value(&mut self) -> Result<String> {
        match self.peek().kind {
            Kind::Text | Kind::Number => Ok(self.next().value),
            Kind::Word | Kind::Quoted => {
                let parts = self.dotted()?;
                Ok(parts.into_iter().map(|part| part.value).collect::<Vec<_>>().join("."))
            }
            _ => Err(self.unexpected("a name, a string or a number in the hint")),
        }
    }
}
