//! MATCH_RECOGNIZE: sqlparser knows neither WITHIN nor reluctant quantifiers.
//!
//! `A*?` lies as a repetition right around a repetition; a user's `(A*)?` has a group between, so both can be told apart.

use sqlparser::ast::{
    AfterMatchSkip, Expr, Ident, MatchRecognizePattern, MatchRecognizeSymbol, Measure, OrderByExpr,
    RepetitionQuantifier, RowsPerMatch, SymbolDefinition, TableAlias, TableFactor,
};

pub(crate) const WITHIN: &str = "$within";
pub(crate) const SUBSET: &str = "$subset";

/// A MATCH_RECOGNIZE clause.
#[derive(Clone, PartialEq, Debug)]
pub struct MatchRecognize<'a> {
    /// Its input.
    pub table: &'a TableFactor,
    /// PARTITION BY
    pub partition_by: &'a [Expr],
    /// ORDER BY
    pub order_by: &'a [OrderByExpr],
    /// MEASURES
    pub measures: &'a [Measure],
    /// ONE ROW PER MATCH, ALL ROWS PER MATCH
    pub rows_per_match: Option<&'a RowsPerMatch>,
    /// AFTER MATCH SKIP; `SKIP TO a` is `SKIP TO LAST a`.
    pub after_match: Option<&'a AfterMatchSkip>,
    /// PATTERN
    pub pattern: Pattern,
    /// WITHIN
    pub within: Option<&'a Expr>,
    /// SUBSET: a name for the union of variables, and the variables.
    pub subsets: Vec<(&'a Ident, Vec<&'a Ident>)>,
    /// DEFINE
    pub define: Vec<&'a SymbolDefinition>,
    /// The alias behind it.
    pub alias: Option<&'a TableAlias>,
}

/// A row pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// A pattern variable.
    Symbol(Ident),
    /// One after the other.
    Concat(Vec<Pattern>),
    /// One of them: `A | B`.
    Alternation(Vec<Pattern>),
    /// In parentheses.
    Group(Box<Pattern>),
    /// `A*`, `A+`, `A?`, `A{n,m}`; not greedy with a `?` behind.
    Repeat {
        /// What is repeated.
        pattern: Box<Pattern>,
        /// At least so often.
        min: u32,
        /// At most so often.
        max: Option<u32>,
        /// As often as possible.
        greedy: bool,
    },
    /// PERMUTE(A, B)
    Permute(Vec<Ident>),
    /// `{- A -}`
    Exclude(Ident),
    /// `^`
    Start,
    /// `$`
    End,
}

/// Reads a MATCH_RECOGNIZE clause.
pub fn decode_match_recognize(factor: &TableFactor) -> Option<MatchRecognize<'_>> {
    let TableFactor::MatchRecognize {
        table,
        partition_by,
        order_by,
        measures,
        rows_per_match,
        after_match_skip,
        pattern,
        symbols,
        alias,
    } = factor
    else {
        return None;
    };
    let mut within = None;
    let mut subsets = vec![];
    let mut define = vec![];
    for symbol in symbols {
        match (&symbol.symbol.value[..], &symbol.definition) {
            (WITHIN, definition) => within = Some(definition),
            (SUBSET, Expr::CompoundIdentifier(names)) => {
                subsets.extend(names.split_first().map(|(name, members)| (name, members.iter().collect())));
            }
            _ => define.push(symbol),
        }
    }
    Some(MatchRecognize {
        table,
        partition_by,
        order_by,
        measures,
        rows_per_match: rows_per_match.as_ref(),
        after_match: after_match_skip.as_ref(),
        pattern: decode_pattern(pattern),
        within,
        subsets,
        define,
        alias: alias.as_ref(),
    })
}

/// Reads a pattern.
pub fn decode_pattern(pattern: &MatchRecognizePattern) -> Pattern {
    let list = |patterns: &[MatchRecognizePattern]| patterns.iter().map(decode_pattern).collect();
    match pattern {
        MatchRecognizePattern::Symbol(symbol) => decode_symbol(symbol),
        MatchRecognizePattern::Exclude(MatchRecognizeSymbol::Named(name)) => Pattern::Exclude(name.clone()),
        MatchRecognizePattern::Exclude(symbol) => decode_symbol(symbol),
        MatchRecognizePattern::Permute(symbols) => Pattern::Permute(
            symbols
                .iter()
                .filter_map(|symbol| match symbol {
                    MatchRecognizeSymbol::Named(name) => Some(name.clone()),
                    _ => None,
                })
                .collect(),
        ),
        MatchRecognizePattern::Concat(patterns) => Pattern::Concat(list(patterns)),
        MatchRecognizePattern::Alternation(patterns) => Pattern::Alternation(list(patterns)),
        MatchRecognizePattern::Group(inner) => Pattern::Group(Box::new(decode_pattern(inner))),
        MatchRecognizePattern::Repetition(inner, quantifier) => {
            // The quantifier around a repetition is the reluctance mark.
            let (inner, quantifier, greedy) = match inner.as_ref() {
                MatchRecognizePattern::Repetition(innermost, quantifier) => (innermost, quantifier, false),
                _ => (inner, quantifier, true),
            };
            let (min, max) = bounds(quantifier);
            Pattern::Repeat { pattern: Box::new(decode_pattern(inner)), min, max, greedy }
        }
    }
}

fn decode_symbol(symbol: &MatchRecognizeSymbol) -> Pattern {
    match symbol {
        MatchRecognizeSymbol::Named(name) => Pattern::Symbol(name.clone()),
        MatchRecognizeSymbol::Start => Pattern::Start,
        MatchRecognizeSymbol::End => Pattern::End,
    }
}

fn bounds(quantifier: &RepetitionQuantifier) -> (u32, Option<u32>) {
    match *quantifier {
        RepetitionQuantifier::ZeroOrMore => (0, None),
        RepetitionQuantifier::OneOrMore => (1, None),
        RepetitionQuantifier::AtMostOne => (0, Some(1)),
        RepetitionQuantifier::Exactly(n) => (n, Some(n)),
        RepetitionQuantifier::AtLeast(n) => (n, None),
        RepetitionQuantifier::AtMost(n) => (0, Some(n)),
        RepetitionQuantifier::Range(n, m) => (n, Some(m)),
    }
}
