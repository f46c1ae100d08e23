//! The cursor over a statement's tokens, and helpers that the whole grammar shares.

use crate::ast::{Ident, ObjectName, SqlOption, Text};
use crate::error::{ParseError, Position, Result};
use crate::keywords::is_reserved;
use crate::lexer::{Kind, Token, tokenize};

/// How deep parentheses, functions, operators and types may nest. What recurses along the tree (the parser,
/// the binder, derived code) is bounded by it, and fits the 2 MB stack of a thread in a debug build.
const MAX_DEPTH: u32 = 200;
/// A query counts as this many levels: parsing and planning it needs more stack than parsing an expression.
const QUERY_DEPTH: u32 = 8;
/// And a table of FROM as this many.
const RELATION_DEPTH: u32 = 2;
/// How high the tree of an expression may be that is computed from left to right: the nesting within it, and
/// the operators in a row, each of which takes what is left of it as its operand.
const MAX_HEIGHT: u32 = 500;

/// A recursive-descent parser over one statement.
pub(crate) struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// How many levels are open.
    depth: u32,
    /// The height of the highest expression that has been read within the level that is open.
    height: u32,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(source: &'a str, start: Position) -> Result<Self> {
        Ok(Parser { source, tokens: tokenize(source, start)?, at: 0, depth: 0, height: 0 })
    }

    /// The token here. Behind the last one it stays the end.
    pub(crate) fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    pub(crate) fn peek_at(&self, ahead: usize) -> &Token {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    /// Takes the token here.
    pub(crate) fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    pub(crate) fn position(&self) -> Position {
        self.peek().position
    }

    /// A mark to give to [`Parser::text_since`].
    pub(crate) fn mark(&self) -> usize {
        self.at
    }

    /// The source text from a mark to the last taken token.
    pub(crate) fn text_since(&self, mark: usize) -> String {
        let start = self.tokens[mark].range.start;
        let end = self.tokens[self.at.saturating_sub(1).max(mark)].range.end;
        self.source[start..end].to_owned()
    }

    /// The source text from the token here to the end of the statement. Takes it.
    pub(crate) fn rest(&mut self) -> String {
        let start = self.peek().range.start;
        self.at = self.tokens.len() - 1;
        self.source[start..].trim_end().to_owned()
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.peek().is_word(word)
    }

    /// Whether these words come next.
    pub(crate) fn are_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(i, word)| self.peek_at(i).is_word(word))
    }

    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        self.peek().is_sign(sign)
    }

    pub(crate) fn is_end(&self) -> bool {
        self.peek().kind == Kind::End
    }

    /// Takes the word if it comes next.
    pub(crate) fn eat(&mut self, word: &str) -> bool {
        self.eat_all(&[word])
    }

    /// Takes these words if they come next, all or none.
    pub(crate) fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = self.are_words(words);
        if found {
            self.at += words.len();
        }
        found
    }

    /// Takes one of the words.
    pub(crate) fn eat_any<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        words.iter().copied().find(|word| self.eat(word))
    }

    pub(crate) fn eat_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        if found {
            self.at += 1;
        }
        found
    }

    pub(crate) fn expect(&mut self, word: &str) -> Result<()> {
        if self.eat(word) { Ok(()) } else { Err(self.unexpected(word)) }
    }

    pub(crate) fn expect_all(&mut self, words: &[&str]) -> Result<()> {
        words.iter().try_for_each(|word| self.expect(word))
    }

    /// Takes one of the words or fails.
    pub(crate) fn expect_any<'w>(&mut self, words: &[&'w str]) -> Result<&'w str> {
        self.eat_any(words).ok_or_else(|| self.unexpected(&words.join(" or ")))
    }

    pub(crate) fn expect_sign(&mut self, sign: &str) -> Result<Token> {
        if self.is_sign(sign) { Ok(self.next()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    pub(crate) fn expect_end(&self) -> Result<()> {
        if self.is_end() { Ok(()) } else { Err(self.unexpected("the end of the statement")) }
    }

    /// The error that something else was expected here.
    pub(crate) fn unexpected(&self, expected: &str) -> ParseError {
        ParseError::new(
            format!("Encountered {}, expected {expected}", self.peek().describe()),
            self.position(),
        )
    }

    /// A name: quoted, or a word that is not reserved.
    pub(crate) fn ident(&mut self) -> Result<Ident> {
        let token = self.peek();
        match token.kind {
            Kind::Word if is_reserved(&token.value) => Err(self.reserved("a name")),
            Kind::Word | Kind::Quoted => Ok(self.next().ident()),
            _ => Err(self.unexpected("a name")),
        }
    }

    pub(crate) fn reserved(&self, expected: &str) -> ParseError {
        let word = &self.peek().value;
        ParseError::new(
            format!(
                "Encountered the reserved word `{word}`, expected {expected}; in backticks (`{word}`) it can be a name"
            ),
            self.position(),
        )
    }

    /// Whether a name comes next.
    pub(crate) fn is_ident(&self) -> bool {
        let token = self.peek();
        token.kind == Kind::Quoted || (token.kind == Kind::Word && !is_reserved(&token.value))
    }

    /// `a`, `a.b`, `a.b.c`
    pub(crate) fn dotted(&mut self) -> Result<Vec<Ident>> {
        let mut parts = vec![self.ident()?];
        while self.eat_sign(".") {
            parts.push(self.ident()?);
        }
        Ok(parts)
    }

    pub(crate) fn object_name(&mut self) -> Result<ObjectName> {
        self.dotted().map(ObjectName)
    }

    /// At least one, with commas between.
    pub(crate) fn commas<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat_sign(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `( item, .. )`, at least one.
    pub(crate) fn parenthesised<T>(&mut self, item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect_sign("(")?;
        let items = self.commas(item)?;
        self.expect_sign(")")?;
        Ok(items)
    }

    pub(crate) fn text(&mut self) -> Result<Text> {
        let position = self.position();
        match self.peek().kind {
            Kind::Text => Ok(Text { value: self.next().value, position }),
            _ => Err(self.unexpected("a string in single quotes")),
        }
    }

    /// A whole number without sign.
    pub(crate) fn unsigned(&mut self) -> Result<u64> {
        let number = match self.peek().kind {
            Kind::Number => self.peek().value.parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.unexpected("a whole number"))?;
        self.next();
        Ok(number)
    }

    /// `( n )`, if it comes next.
    pub(crate) fn precision(&mut self) -> Result<Option<u64>> {
        if !self.eat_sign("(") {
            return Ok(None);
        }
        let number = self.unsigned()?;
        self.expect_sign(")")?;
        Ok(Some(number))
    }

    /// `('k' = 'v', ..)`, possibly empty.
    pub(crate) fn options(&mut self) -> Result<Vec<SqlOption>> {
        self.expect_sign("(")?;
        if self.eat_sign(")") {
            return Ok(vec![]);
        }
        let options = self.commas(|p| {
            let key = p.text()?;
            p.expect_sign("=")?;
            Ok(SqlOption { key, value: p.text()? })
        })?;
        self.expect_sign(")")?;
        Ok(options)
    }

    /// `WITH (..)`, if it comes next.
    pub(crate) fn with_options(&mut self) -> Result<Vec<SqlOption>> {
        if self.eat("WITH") { self.options() } else { Ok(vec![]) }
    }

    /// `COMMENT '..'`, if it comes next.
    pub(crate) fn comment(&mut self) -> Result<Option<Text>> {
        if self.eat("COMMENT") { self.text().map(Some) } else { Ok(None) }
    }

    pub(crate) fn if_exists(&mut self) -> bool {
        self.eat_all(&["IF", "EXISTS"])
    }

    pub(crate) fn if_not_exists(&mut self) -> bool {
        self.eat_all(&["IF", "NOT", "EXISTS"])
    }

    /// Runs something that nests, within the limit.
    pub(crate) fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.deeper(1, parse)
    }

    /// Goes a level deeper, for something that takes what is left of it as its operand. [`Parser::leave`]
    /// goes back.
    pub(crate) fn enter(&mut self) -> Result<()> {
        self.descend(1)
    }

    /// Goes back this many levels.
    pub(crate) fn leave(&mut self, levels: u32) {
        self.depth -= levels;
    }

    /// The same for a query.
    pub(crate) fn nested_query<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.deeper(QUERY_DEPTH, parse)
    }

    /// The same for a table of FROM.
    pub(crate) fn nested_relation<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.deeper(RELATION_DEPTH, parse)
    }

    fn deeper<T>(&mut self, levels: u32, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.descend(levels)?;
        let before = std::mem::take(&mut self.height);
        let parsed = parse(self)?;
        self.depth -= levels;
        self.height = before.max(self.height + levels);
        Ok(parsed)
    }

    /// Adds the depth of consecutive operators to the current expression.
    pub(crate) fn operators_in_a_row(&mut self, count: u32) -> Result<()> {
        self.height = self.height.saturating_add(count);
        match self.height > MAX_HEIGHT {
            true => Err(ParseError::new(
                format!(
                    "More than {MAX_HEIGHT} consecutive and nested operators: group some of them in a subquery or view"
                ),
                self.position(),
            )),
            false => Ok(()),
        }
    }

    fn descend(&mut self, levels: u32) -> Result<()> {
        if self.depth + levels > MAX_DEPTH {
            return Err(ParseError::new(
                format!(
                    "The statement nests deeper than {MAX_DEPTH} levels: move inner parts to views or WITH"
                ),
                self.position(),
            ));
        }
        self.depth += levels;
        Ok(())
    }
}
