//! LIKE and SIMILAR TO: `(text, pattern)` or `(text, pattern, escape)`. A constant pattern is compiled once;
//! for a column of patterns the last one is cached.
//!
//! `%` matches any text, `_` one character that is not a line terminator, as in Flink. There is no escape
//! character unless one is given; it must be followed by `%`, `_` or itself.

use arrow::array::{ArrayRef, BooleanArray, BooleanBuilder, StringArray};
use flott_expr::function::{
    Argument, Call, Function, PreparedFunction, ScalarFunction, Signature, any_nullable, no_signature,
};
use flott_expr::kernel::as_ref;
use flott_expr::value::Value;
use flott_plan::Literal;
use flott_types::{Error, Result, TypeKind};
use regex::Regex;

pub(super) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        Function::new("LIKE", |args, _| infer("LIKE", args, like), |args, call| match_rows(args, call, like))
            .prepare(|args, _| prepare(args, like))
            .boxed(),
        Function::new(
            "SIMILAR TO",
            |args, _| infer("SIMILAR TO", args, similar),
            |args, call| match_rows(args, call, similar),
        )
        .prepare(|args, _| prepare(args, similar))
        .boxed(),
    ]
}

fn infer(name: &'static str, args: &[Argument<'_>], compile: Compile) -> Result<Signature> {
    let text = |arg: &Argument<'_>| arg.ty.kind.is_character() || arg.ty.kind == TypeKind::Null;
    if !(2..=3).contains(&args.len()) || !args.iter().all(text) {
        return Err(no_signature(name, args, &[&format!("{name}(<STRING>, <STRING>[, <STRING>])")]));
    }
    // An invalid pattern is found when the statement is planned.
    compile_literal(args, compile)?;
    let cast = |arg: &Argument<'_>| match arg.ty.kind {
        TypeKind::Null => TypeKind::STRING.nullable(),
        _ => arg.ty.clone(),
    };
    Ok(Signature {
        casts: args.iter().map(cast).collect(),
        result: TypeKind::Boolean.with_nullable(any_nullable(args)),
    })
}

/// A compiled pattern.
#[derive(Debug)]
enum Pattern {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Contains(String),
    Tokens(Vec<Token>),
    Regex(Regex),
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Char(char),
    /// `_`: any character but a line terminator.
    One,
    /// `%`
    Many,
}

type Compile = fn(&str, Option<char>) -> Result<Pattern>;

fn escape_char(text: &str) -> Result<Option<char>> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(escape), None) => Ok(Some(escape)),
        _ => Err(Error::invalid(format!("Invalid escape character '{text}': ESCAPE takes one character"))),
    }
}

fn like(pattern: &str, escape: Option<char>) -> Result<Pattern> {
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars().enumerate();
    while let Some((at, c)) = chars.next() {
        if Some(c) == escape {
            match chars.next() {
                Some((_, next)) if Some(next) == escape || matches!(next, '%' | '_') => {
                    tokens.push(Token::Char(next));
                }
                _ => {
                    return Err(Error::invalid(format!("Invalid escape sequence '{pattern}', {at}")));
                }
            }
            continue;
        }
        match c {
            '_' => tokens.push(Token::One),
            '%' if tokens.last() == Some(&Token::Many) => {}
            '%' => tokens.push(Token::Many),
            c => tokens.push(Token::Char(c)),
        }
    }
    let text = |tokens: &[Token]| -> Option<String> {
        let char = |token: &Token| {
            if let Token::Char(c) = token { Some(*c) } else { None }
        };
        tokens.iter().map(char).collect()
    };
    let simple = match tokens.as_slice() {
        [Token::Many, inner @ .., Token::Many] => text(inner).map(Pattern::Contains),
        [Token::Many, rest @ ..] => text(rest).map(Pattern::Suffix),
        [rest @ .., Token::Many] => text(rest).map(Pattern::Prefix),
        all => text(all).map(Pattern::Exact),
    };
    Ok(simple.unwrap_or(Pattern::Tokens(tokens)))
}

/// SQL's regular expressions: `%`, `_` and the usual operators; the whole text must match.
fn similar(pattern: &str, escape: Option<char>) -> Result<Pattern> {
    let wrong = |why: &str| Error::invalid(format!("Invalid regular expression '{pattern}': {why}"));
    let mut regex = String::with_capacity(pattern.len() + 8);
    regex.push_str("^(?:");
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            let next = chars.next().ok_or_else(|| wrong("nothing follows the escape character"))?;
            regex.push_str(&regex::escape(next.encode_utf8(&mut [0; 4])));
            continue;
        }
        match c {
            '[' if in_class && chars.peek() == Some(&':') => {
                let name: String = chars.by_ref().skip(1).take_while(|c| *c != ':').collect();
                if chars.next() != Some(']') {
                    return Err(wrong(&format!("[:{name}: is not closed")));
                }
                let name = name.to_ascii_lowercase();
                let name = if name == "whitespace" { "space" } else { &name };
                regex.push_str(&format!("[:{name}:]"));
            }
            '[' if !in_class => {
                in_class = true;
                regex.push('[');
            }
            ']' => {
                in_class = false;
                regex.push(']');
            }
            '%' if !in_class => regex.push_str(".*"),
            '_' if !in_class => regex.push('.'),
            '$' if !in_class => regex.extend(['\\', c]),
            '[' | '&' | '~' if in_class => regex.extend(['\\', c]),
            '\\' => regex.push_str("\\\\"),
            c => regex.push(c),
        }
    }
    regex.push_str(")$");
    Regex::new(&regex).map(Pattern::Regex).map_err(|error| wrong(&error.to_string()))
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Exact(whole) => text == whole,
            Pattern::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Pattern::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Pattern::Contains(part) => text.contains(part.as_str()),
            Pattern::Tokens(tokens) => matches_tokens(tokens, text),
            Pattern::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Backtracks only to the last `%`, which is enough: time is at most the product of the lengths.
fn matches_tokens(tokens: &[Token], text: &str) -> bool {
    let (mut token, mut rest) = (0, text.chars());
    let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let next = rest.clone().next();
        let step = match tokens.get(token) {
            Some(Token::Many) => {
                retry = Some((token + 1, rest.clone()));
                token += 1;
                continue;
            }
            Some(Token::Char(c)) => next == Some(*c),
            Some(Token::One) => {
                next.is_some_and(|c| !matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'))
            }
            None if next.is_none() => return true,
            None => false,
        };
        if step {
            rest.next();
            token += 1;
            continue;
        }
        let Some((after, from)) = &mut retry else { return false };
        if from.next().is_none() {
            return false;
        }
        token = *after;
        rest = from.clone();
    }
}

/// The pattern of a call whose pattern and escape character are constant.
fn compile_literal(args: &[Argument<'_>], compile: Compile) -> Result<Option<Pattern>> {
    let (Some(Literal::String(pattern)), escape) = (args[1].literal, args.get(2)) else {
        return Ok(None);
    };
    let escape = match escape.map(|arg| arg.literal) {
        None => None,
        Some(Some(Literal::String(escape))) => escape_char(escape)?,
        Some(_) => return Ok(None),
    };
    compile(pattern, escape).map(Some)
}

#[derive(Debug)]
struct Prepared(Pattern);

fn prepare(args: &[Argument<'_>], compile: Compile) -> Result<Option<Box<dyn PreparedFunction>>> {
    Ok(compile_literal(args, compile)?
        .map(|pattern| Box::new(Prepared(pattern)) as Box<dyn PreparedFunction>))
}

impl PreparedFunction for Prepared {
    fn evaluate(&self, args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
        let input = args[0].view::<StringArray>()?;
        let found = (0..call.rows).map(|row| input.get(row).map(|text| self.0.matches(text)));
        Ok(as_ref(found.collect::<BooleanArray>()))
    }
}

fn match_rows(args: &[Value], call: &Call<'_>, compile: Compile) -> Result<ArrayRef> {
    let (input, patterns) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let escapes = match args.get(2) {
        Some(escape) => Some(escape.view::<StringArray>()?),
        None => None,
    };
    let mut last: Option<(String, Option<char>, Pattern)> = None;
    let mut output = BooleanBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        let escape = match escapes.map(|escapes| escapes.get(row)) {
            Some(Some(escape)) => escape_char(escape)?,
            Some(None) => {
                output.append_null();
                continue;
            }
            None => None,
        };
        let (Some(text), Some(pattern)) = (input.get(row), patterns.get(row)) else {
            output.append_null();
            continue;
        };
        let known = last.take().filter(|(known, with, _)| known == pattern && *with == escape);
        let current = match known {
            Some(current) => current,
            None => (pattern.to_owned(), escape, compile(pattern, escape)?),
        };
        output.append_value(current.2.matches(text));
        last = Some(current);
    }
    Ok(as_ref(output.finish()))
}
