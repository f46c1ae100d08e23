//! MATCH_RECOGNIZE.

use crate::ast::{
    AfterMatch, Definition, MatchRecognize, Measure, Pattern, Relation, RelationKind, RowsPerMatch, Subset,
};
use crate::error::{ParseError, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn match_recognize(&mut self, table: Relation) -> Result<Relation> {
        let position = table.position;
        self.expect("MATCH_RECOGNIZE")?;
        self.expect_sign("(")?;
        let partition_by = if self.eat_all(&["PARTITION", "BY"]) { self.commas(Self::expr)? } else { vec![] };
        let order_by = if self.is_word("ORDER") { self.order_by()? } else { vec![] };
        let measures = if self.eat("MEASURES") { self.commas(Self::measure)? } else { vec![] };
        let rows_per_match = if self.eat_all(&["ONE", "ROW", "PER", "MATCH"]) {
            Some(RowsPerMatch::One)
        } else if self.eat_all(&["ALL", "ROWS", "PER", "MATCH"]) {
            Some(RowsPerMatch::All)
        } else {
            None
        };
        let after_match = self.after_match()?;
        self.expect("PATTERN")?;
        self.expect_sign("(")?;
        let pattern = self.alternation()?;
        self.expect_sign(")")?;
        let within = if self.eat("WITHIN") { Some(self.expr()?) } else { None };
        let subsets = if self.eat("SUBSET") { self.commas(Self::subset)? } else { vec![] };
        self.expect("DEFINE")?;
        let define = self.commas(|p| {
            let variable = p.ident()?;
            p.expect("AS")?;
            Ok(Definition { variable, condition: p.expr()? })
        })?;
        self.expect_sign(")")?;
        let clause = MatchRecognize {
            table,
            partition_by,
            order_by,
            measures,
            rows_per_match,
            after_match,
            pattern,
            within,
            subsets,
            define,
        };
        Ok(Relation::new(position, RelationKind::MatchRecognize(Box::new(clause))))
    }

    /// `s = (a, b)`
    fn subset(&mut self) -> Result<Subset> {
        let name = self.ident()?;
        self.expect_sign("=")?;
        Ok(Subset { name, members: self.parenthesised(Self::ident)? })
    }

    fn measure(&mut self) -> Result<Measure> {
        let expr = self.expr()?;
        self.expect("AS")?;
        Ok(Measure { expr, name: self.ident()? })
    }

    fn after_match(&mut self) -> Result<Option<AfterMatch>> {
        if !self.eat_all(&["AFTER", "MATCH"]) {
            return Ok(None);
        }
        self.expect("SKIP")?;
        if self.eat("PAST") {
            self.expect_all(&["LAST", "ROW"])?;
            return Ok(Some(AfterMatch::PastLastRow));
        }
        self.expect("TO")?;
        if self.eat_all(&["NEXT", "ROW"]) {
            return Ok(Some(AfterMatch::ToNextRow));
        }
        // `SKIP TO a` means `SKIP TO LAST a`; FIRST and LAST could themselves be variables.
        let is_variable =
            !matches!(self.peek_at(1).kind, Kind::Word | Kind::Quoted) || self.peek_at(1).is_word("PATTERN");
        Ok(Some(match self.is_word("FIRST") {
            true if !is_variable => {
                self.next();
                AfterMatch::ToFirst(self.ident()?)
            }
            _ => {
                if !is_variable {
                    self.eat("LAST");
                }
                AfterMatch::ToLast(self.ident()?)
            }
        }))
    }

    /// `a b | c`
    fn alternation(&mut self) -> Result<Pattern> {
        self.nested(|p| {
            let mut branches = vec![p.concatenation()?];
            while p.eat_sign("|") {
                branches.push(p.concatenation()?);
            }
            Ok(single(branches, Pattern::Alternation))
        })
    }

    fn concatenation(&mut self) -> Result<Pattern> {
        let mut parts = vec![self.repetition()?];
        while !self.is_sign(")") && !self.is_sign("|") {
            parts.push(self.repetition()?);
        }
        Ok(single(parts, Pattern::Concat))
    }

    fn repetition(&mut self) -> Result<Pattern> {
        let pattern = self.symbol()?;
        let (min, max) = if self.eat_sign("*") {
            (0, None)
        } else if self.eat_sign("+") {
            (1, None)
        } else if self.eat_sign("?") {
            (0, Some(1))
        } else if self.is_sign("{") && !self.peek_at(1).is_sign("-") {
            self.braces()?
        } else {
            return Ok(pattern);
        };
        let greedy = !self.eat_sign("?");
        Ok(Pattern::Repeat { pattern: Box::new(pattern), min, max, greedy })
    }

    /// `{n}`, `{n,}`, `{,m}`, `{n,m}`
    fn braces(&mut self) -> Result<(u32, Option<u32>)> {
        let open = self.expect_sign("{")?.position;
        let count = |p: &mut Self| -> Result<Option<u32>> {
            if p.peek().kind != Kind::Number {
                return Ok(None);
            }
            let position = p.position();
            let count = u32::try_from(p.unsigned()?);
            count.map(Some).map_err(|_| ParseError::new("The number of repetitions is too large", position))
        };
        let least = count(self)?;
        let comma = self.eat_sign(",");
        let most = if comma { count(self)? } else { least };
        self.expect_sign("}")?;
        let said = least.is_some() || most.is_some();
        let (min, max) = (least.unwrap_or(0), most);
        match said && max.is_none_or(|max| min <= max) {
            true => Ok((min, max)),
            false => Err(ParseError::new("A quantifier is {n}, {n,}, {,m} or {n,m} with n up to m", open)),
        }
    }

    fn symbol(&mut self) -> Result<Pattern> {
        if self.eat_sign("(") {
            let inner = self.alternation()?;
            self.expect_sign(")")?;
            return Ok(Pattern::Group(Box::new(inner)));
        }
        if self.eat_sign("^") {
            return Ok(Pattern::Start);
        }
        if self.is_word("$") {
            self.next();
            return Ok(Pattern::End);
        }
        if self.is_word("PERMUTE") && self.peek_at(1).is_sign("(") {
            self.next();
            return self.parenthesised(Self::ident).map(Pattern::Permute);
        }
        if self.eat_sign("{") {
            self.expect_sign("-")?;
            let name = self.ident()?;
            self.expect_sign("-")?;
            self.expect_sign("}")?;
            return Ok(Pattern::Exclude(name));
        }
        self.ident().map(Pattern::Variable)
    }
}

fn single(mut patterns: Vec<Pattern>, many: fn(Vec<Pattern>) -> Pattern) -> Pattern {
    if patterns.len() == 1 { patterns.swap_remove(0) } else { many(patterns) }
}
