//! MATCH_RECOGNIZE.

use sqlparser::ast::{
    AfterMatchSkip, Expr, Ident, MatchRecognizePattern, MatchRecognizeSymbol, Measure, RepetitionQuantifier,
    RowsPerMatch, SymbolDefinition, TableFactor,
};

use crate::encoding::{SUBSET, WITHIN};
use crate::error::{ParseError, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn match_recognize(&mut self, table: TableFactor) -> Result<TableFactor> {
        self.expect("MATCH_RECOGNIZE")?;
        self.expect_sign("(")?;
        let partition_by = if self.eat_all(&["PARTITION", "BY"]) { self.commas(Self::expr)? } else { vec![] };
        let order_by = if self.is_word("ORDER") { self.order_by()? } else { vec![] };
        let measures = if self.eat("MEASURES") { self.commas(Self::measure)? } else { vec![] };
        let rows_per_match = if self.eat_all(&["ONE", "ROW", "PER", "MATCH"]) {
            Some(RowsPerMatch::OneRow)
        } else if self.eat_all(&["ALL", "ROWS", "PER", "MATCH"]) {
            Some(RowsPerMatch::AllRows(None))
        } else {
            None
        };
        let after_match_skip = self.after_match()?;
        self.expect("PATTERN")?;
        self.expect_sign("(")?;
        let pattern = self.alternation()?;
        self.expect_sign(")")?;
        let mut symbols = vec![];
        let within = self.span();
        if self.eat("WITHIN") {
            let definition = self.expr()?;
            symbols.push(SymbolDefinition { symbol: Ident::with_span(within, WITHIN), definition });
        }
        let subset = self.span();
        if self.eat("SUBSET") {
            for names in self.commas(Self::subset)? {
                let definition = Expr::CompoundIdentifier(names);
                symbols.push(SymbolDefinition { symbol: Ident::with_span(subset, SUBSET), definition });
            }
        }
        self.expect("DEFINE")?;
        symbols.extend(self.commas(|p| {
            let symbol = p.ident()?;
            p.expect("AS")?;
            Ok(SymbolDefinition { symbol, definition: p.expr()? })
        })?);
        self.expect_sign(")")?;
        Ok(TableFactor::MatchRecognize {
            table: Box::new(table),
            partition_by,
            order_by,
            measures,
            rows_per_match,
            after_match_skip,
            pattern,
            symbols,
            alias: None,
        })
    }

    /// `s = (a, b)`: the name, then the variables.
    fn subset(&mut self) -> Result<Vec<Ident>> {
        let mut names = vec![self.ident()?];
        self.expect_sign("=")?;
        names.extend(self.parenthesised(Self::ident)?);
        Ok(names)
    }

    fn measure(&mut self) -> Result<Measure> {
        let expr = self.expr()?;
        self.expect("AS")?;
        Ok(Measure { expr, alias: self.ident()? })
    }

    fn after_match(&mut self) -> Result<Option<AfterMatchSkip>> {
        if !self.eat_all(&["AFTER", "MATCH"]) {
            return Ok(None);
        }
        self.expect("SKIP")?;
        if self.eat("PAST") {
            self.expect_all(&["LAST", "ROW"])?;
            return Ok(Some(AfterMatchSkip::PastLastRow));
        }
        self.expect("TO")?;
        if self.eat_all(&["NEXT", "ROW"]) {
            return Ok(Some(AfterMatchSkip::ToNextRow));
        }
        // `SKIP TO a` means `SKIP TO LAST a`; FIRST and LAST could themselves be variables.
        let is_variable =
            !matches!(self.peek_at(1).kind, Kind::Word | Kind::Quoted) || self.peek_at(1).is_word("PATTERN");
        Ok(Some(match self.is_word("FIRST") {
            true if !is_variable => {
                self.next();
                AfterMatchSkip::ToFirst(self.ident()?)
            }
            _ => {
                if !is_variable {
                    self.eat("LAST");
                }
                AfterMatchSkip::ToLast(self.ident()?)
            }
        }))
    }

    /// `a b | c`
    fn alternation(&mut self) -> Result<MatchRecognizePattern> {
        self.nested(|p| {
            let mut branches = vec![p.concatenation()?];
            while p.eat_sign("|") {
                branches.push(p.concatenation()?);
            }
            Ok(single(branches, MatchRecognizePattern::Alternation))
        })
    }

    fn concatenation(&mut self) -> Result<MatchRecognizePattern> {
        let mut parts = vec![self.repetition()?];
        while !self.is_sign(")") && !self.is_sign("|") {
            parts.push(self.repetition()?);
        }
        Ok(single(parts, MatchRecognizePattern::Concat))
    }

    fn repetition(&mut self) -> Result<MatchRecognizePattern> {
        let symbol = self.symbol()?;
        let quantifier = if self.eat_sign("*") {
            RepetitionQuantifier::ZeroOrMore
        } else if self.eat_sign("+") {
            RepetitionQuantifier::OneOrMore
        } else if self.eat_sign("?") {
            RepetitionQuantifier::AtMostOne
        } else if self.is_sign("{") && !self.peek_at(1).is_sign("-") {
            self.braces()?
        } else {
            return Ok(symbol);
        };
        let repeated = MatchRecognizePattern::Repetition(Box::new(symbol), quantifier);
        Ok(match self.eat_sign("?") {
            // Reluctant: see `encoding::pattern`.
            true => MatchRecognizePattern::Repetition(Box::new(repeated), RepetitionQuantifier::AtMostOne),
            false => repeated,
        })
    }

    /// `{n}`, `{n,}`, `{,m}`, `{n,m}`
    fn braces(&mut self) -> Result<RepetitionQuantifier> {
        let open = self.expect_sign("{")?.span;
        let count = |p: &mut Self| -> Result<Option<u32>> {
            if p.peek().kind != Kind::Number {
                return Ok(None);
            }
            let span = p.span();
            let count = u32::try_from(p.unsigned()?);
            count.map(Some).map_err(|_| ParseError::new("The number of repetitions is too large", span))
        };
        let least = count(self)?;
        let comma = self.eat_sign(",");
        let most = if comma { count(self)? } else { None };
        self.expect_sign("}")?;
        match (least, comma, most) {
            (Some(n), false, _) => Ok(RepetitionQuantifier::Exactly(n)),
            (Some(n), true, None) => Ok(RepetitionQuantifier::AtLeast(n)),
            (None, true, Some(m)) => Ok(RepetitionQuantifier::AtMost(m)),
            (Some(n), true, Some(m)) if n <= m => Ok(RepetitionQuantifier::Range(n, m)),
            _ => Err(ParseError::new("A quantifier is {n}, {n,}, {,m} or {n,m} with n up to m", open)),
        }
    }

    fn symbol(&mut self) -> Result<MatchRecognizePattern> {
        if self.eat_sign("(") {
            let inner = self.alternation()?;
            self.expect_sign(")")?;
            return Ok(MatchRecognizePattern::Group(Box::new(inner)));
        }
        if self.eat_sign("^") {
            return Ok(MatchRecognizePattern::Symbol(MatchRecognizeSymbol::Start));
        }
        if self.is_word("$") {
            self.next();
            return Ok(MatchRecognizePattern::Symbol(MatchRecognizeSymbol::End));
        }
        if self.is_word("PERMUTE") && self.peek_at(1).is_sign("(") {
            self.next();
            let symbols = self.parenthesised(|p| p.ident().map(MatchRecognizeSymbol::Named))?;
            return Ok(MatchRecognizePattern::Permute(symbols));
        }
        if self.eat_sign("{") {
            self.expect_sign("-")?;
            let name = self.ident()?;
            self.expect_sign("-")?;
            self.expect_sign("}")?;
            return Ok(MatchRecognizePattern::Exclude(MatchRecognizeSymbol::Named(name)));
        }
        Ok(MatchRecognizePattern::Symbol(MatchRecognizeSymbol::Named(self.ident()?)))
    }
}

fn single(
    mut patterns: Vec<MatchRecognizePattern>,
    many: fn(Vec<MatchRecognizePattern>) -> MatchRecognizePattern,
) -> MatchRecognizePattern {
    if patterns.len() == 1 { patterns.swap_remove(0) } else { many(patterns) }
}
