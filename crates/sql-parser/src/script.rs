//! Scripts: where statements end, and the entry points of this crate.

use std::ops::Range;

use crate::ast::{Expr, ParsedStatement, Query};
use crate::error::{ParseError, Position, Result};
use crate::keywords::is_keyword;
use crate::lexer::{Piece, PieceKind, advance, pieces};
use crate::parser::Parser;

/// The text of one statement, not yet parsed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatementText<'a> {
    /// The text, without the semicolon and surrounding white space and comments.
    pub text: &'a str,
    /// Where it starts in the script.
    pub position: Position,
}

impl StatementText<'_> {
    /// Reads the statement. Positions, in errors too, are those of the script.
    pub fn parse(&self) -> Result<ParsedStatement> {
        let statement = Parser::new(self.text, self.position)?.statement()?;
        Ok(ParsedStatement { statement, text: self.text.to_owned(), position: self.position })
    }
}

/// Reads a script: statements separated by semicolons; the last one may lack it.
///
/// A client that runs statements one after the other, as Flink's does, uses [`split_script`] instead: then
/// those before the mistake run.
pub fn parse_script(script: &str) -> Result<Vec<ParsedStatement>> {
    split_script(script).iter().map(StatementText::parse).collect()
}

/// Cuts a script at its semicolons, but not inside strings, comments, quoted names and statement sets. Never
/// fails.
pub fn split_script(script: &str) -> Vec<StatementText<'_>> {
    let mut splitter = Splitter::default();
    let mut statements = vec![];
    for piece in pieces(script) {
        if let Some(range) = splitter.take(script, &piece) {
            statements.push(range);
        }
    }
    statements.extend(splitter.statement.take());
    let (mut at, mut offset) = (Position::START, 0);
    let with_position = |range: Range<usize>| {
        at = advance(at, &script[offset..range.start]);
        offset = range.start;
        StatementText { text: &script[range], position: at }
    };
    statements.into_iter().map(with_position).collect()
}

/// Whether what is typed so far ends a statement, or is nothing, or is a command of the shell.
pub fn is_complete(buffer: &str) -> bool {
    let mut splitter = Splitter::default();
    for piece in pieces(buffer) {
        if matches!(
            piece.kind,
            PieceKind::BlockComment { closed: false }
                | PieceKind::Quoted { closed: false }
                | PieceKind::Text { closed: false }
        ) {
            return false;
        }
        splitter.take(buffer, &piece);
    }
    let open = splitter.statement.map(|range| buffer[range].to_ascii_uppercase());
    open.is_none_or(|text| ["HELP", "CLEAR", "QUIT", "EXIT"].contains(&text.as_str()))
}

/// Follows the pieces of a script and finds where statements end.
#[derive(Default)]
struct Splitter {
    /// From the first to the last piece of the statement that is open.
    statement: Option<Range<usize>>,
    /// The last words, to see `STATEMENT SET BEGIN`, `BEGIN STATEMENT SET;` and `; END`.
    words: [String; 3],
    in_set: bool,
}

impl Splitter {
    /// The range of the statement that ends with this piece.
    fn take(&mut self, script: &str, piece: &Piece) -> Option<Range<usize>> {
        if matches!(
            piece.kind,
            PieceKind::Space | PieceKind::LineComment | PieceKind::BlockComment { closed: true }
        ) {
            return None;
        }
        let word = script[piece.range.clone()].to_ascii_uppercase();
        let is_end = piece.kind == PieceKind::Sign && word == ";";
        self.words.rotate_left(1);
        self.words[2] =
            if matches!(piece.kind, PieceKind::Word | PieceKind::Sign) { word } else { String::new() };
        match [&self.words[0][..], &self.words[1], &self.words[2]] {
            ["STATEMENT", "SET", "BEGIN" | ";"] => self.in_set = true,
            [_, ";", "END"] => self.in_set = false,
            _ => {}
        }
        if is_end && !self.in_set {
            self.words = Default::default();
            return self.statement.take();
        }
        let start = self.statement.as_ref().map_or(piece.range.start, |range| range.start);
        self.statement = Some(start..piece.range.end);
        None
    }
}

/// Reads one query, alone in its text.
pub fn parse_query(text: &str) -> Result<Box<Query>> {
    let mut parser = Parser::new(text, Position::START)?;
    let query = parser.query()?;
    parser.expect_end()?;
    Ok(query)
}

/// Reads one expression, alone in its text: a stored watermark strategy, a computed column.
pub fn parse_expression(text: &str) -> Result<Expr> {
    let mut parser = Parser::new(text, Position::START)?;
    let expr = parser.expr()?;
    parser.expect_end()?;
    Ok(expr)
}

/// Reads one statement, alone in its text; a semicolon may end it.
pub fn parse_statement(text: &str) -> Result<ParsedStatement> {
    match &parse_script(text)?[..] {
        [statement] => Ok(statement.clone()),
        [] => Err(ParseError::new("Encountered the end of the text, expected a statement", Position::START)),
        [_, second, ..] => Err(ParseError::new("Only one statement is expected here", second.position)),
    }
}

/// What a stretch of text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HighlightKind {
    /// A word of the grammar.
    Keyword,
    /// A name.
    Name,
    /// A string.
    Text,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// The marks around a hint: `/*+` and `*/`.
    Hint,
    /// An operator or other sign.
    Sign,
    /// White space, and what Flink does not know.
    Other,
}

/// Cuts a buffer into stretches without gaps; never fails.
pub fn highlight(buffer: &str) -> Vec<(Range<usize>, HighlightKind)> {
    let kind = |piece: &Piece| match piece.kind {
        PieceKind::Space | PieceKind::Unknown | PieceKind::DoubleQuoted { .. } => HighlightKind::Other,
        PieceKind::LineComment | PieceKind::BlockComment { .. } => HighlightKind::Comment,
        PieceKind::HintStart | PieceKind::HintEnd => HighlightKind::Hint,
        PieceKind::Word if is_keyword(&buffer[piece.range.clone()]) => HighlightKind::Keyword,
        PieceKind::Word | PieceKind::Quoted { .. } => HighlightKind::Name,
        PieceKind::Number => HighlightKind::Number,
        PieceKind::Text { .. } => HighlightKind::Text,
        PieceKind::Sign => HighlightKind::Sign,
    };
    pieces(buffer).map(|piece| (piece.range.clone(), kind(&piece))).collect()
}
