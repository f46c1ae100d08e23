//! A small reader of SQL expressions, so that tests are written as text. It knows what the tests need and no
//! more.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot be read is a failed test")]

use flott_expr::{IntervalUnit, PlanContext, bind, literal_text};
use flott_plan::Expr;
use flott_types::{Error, LogicalType, Result, RowField, TypeKind};

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Word(String),
    Quoted(String),
    Number(String),
    Hex(String),
    Symbol(&'static str),
    End,
}

const SYMBOLS: &[&str] =
    &["<>", "<=", ">=", "||", "(", ")", "[", "]", "<", ">", "=", "+", "-", "*", "/", "%", ",", "."];

fn tokens(sql: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(c) = rest.chars().next() {
        let take = |f: &dyn Fn(char) -> bool| rest.find(|c| !f(c)).unwrap_or(rest.len());
        let hex = matches!(c, 'x' | 'X') && rest[1..].starts_with('\'');
        if c == '\'' || hex {
            let start = 1 + usize::from(hex);
            let mut end = start;
            loop {
                end += rest[end..].find('\'').expect("an open string");
                if rest[end + 1..].starts_with('\'') {
                    end += 2;
                } else {
                    break;
                }
            }
            let text = rest[start..end].replace("''", "'");
            out.push(if hex { Token::Hex(text) } else { Token::Quoted(text) });
            rest = &rest[end + 1..];
        } else if c.is_ascii_digit() || c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            let mut end = take(&|c| c.is_ascii_digit() || c == '.');
            if rest[end..].starts_with(['e', 'E']) {
                end += 1 + usize::from(rest[end + 1..].starts_with(['+', '-']));
                end += rest[end..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - end);
            }
            out.push(Token::Number(rest[..end].to_owned()));
            rest = &rest[end..];
        } else if c.is_alphabetic() || c == '_' || c == '`' {
            let end = take(&|c| c.is_alphanumeric() || c == '_' || c == '`');
            out.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            let symbol =
                SYMBOLS.iter().find(|s| rest.starts_with(**s)).unwrap_or_else(|| panic!("what is {rest}?"));
            out.push(Token::Symbol(symbol));
            rest = &rest[symbol.len()..];
        }
        rest = rest.trim_start();
    }
    out
}

/// Named columns of a test table.
pub type Columns = [(String, LogicalType)];

struct Reader<'a> {
    tokens: Vec<Token>,
    at: usize,
    columns: &'a Columns,
    context: &'a PlanContext,
}

/// Reads one expression over the columns.
pub fn expr(sql: &str, columns: &Columns, context: &PlanContext) -> Result<Expr> {
    let mut reader = Reader { tokens: tokens(sql), at: 0, columns, context };
    let expr = reader.binary(0)?;
    match reader.peek() {
        Token::End => Ok(expr),
        other => Err(Error::invalid(format!("did not expect {other:?} in {sql}"))),
    }
}

/// Reads a type.
pub fn ty(sql: &str) -> LogicalType {
    let context = PlanContext::default();
    let mut reader = Reader { tokens: tokens(sql), at: 0, columns: &[], context: &context };
    reader.ty().expect("a type")
}

impl Reader<'_> {
    fn peek(&self) -> Token {
        self.tokens.get(self.at).cloned().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn word(&self) -> String {
        match self.peek() {
            Token::Word(word) => word.to_ascii_uppercase(),
            _ => String::new(),
        }
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.word() == word || Some(self.peek()) == symbol(word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        if self.eat(word) {
            Ok(())
        } else {
            Err(Error::invalid(format!("expected {word}, got {:?}", self.peek())))
        }
    }

    fn call(&self, name: &str, args: Vec<Expr>) -> Result<Expr> {
        bind::call(name, args, self.context)
    }

    fn binary(&mut self, least: u8) -> Result<Expr> {
        let mut left = self.unary()?;
        loop {
            let word = match self.peek() {
                Token::Symbol(symbol) => symbol.to_owned(),
                Token::Word(word) => word.to_ascii_uppercase(),
                _ => return Ok(left),
            };
            let strength = match word.as_str() {
                "OR" => 1,
                "AND" => 2,
                "=" | "<>" | "<" | "<=" | ">" | ">=" | "IS" | "BETWEEN" | "IN" | "LIKE" | "SIMILAR"
                | "NOT" => 4,
                "+" | "-" | "||" => 5,
                "*" | "/" | "%" => 6,
                "[" => 9,
                _ => return Ok(left),
            };
            if strength <= least {
                return Ok(left);
            }
            self.at += 1;
            left = match word.as_str() {
                "IS" => {
                    let mut name = "IS".to_owned();
                    for next in [
                        "NOT", "NULL", "TRUE", "FALSE", "UNKNOWN", "DISTINCT", "FROM", "JSON", "VALUE",
                        "OBJECT", "ARRAY", "SCALAR",
                    ] {
                        if self.eat(next) {
                            name = format!("{name} {next}");
                        }
                    }
                    let mut args = vec![left];
                    if name.ends_with("FROM") {
                        args.push(self.binary(4)?);
                    }
                    self.call(&name, args)?
                }
                "NOT" => {
                    let name = self.word();
                    self.at += 1;
                    self.predicate(left, &name, true)?
                }
                "BETWEEN" | "IN" | "LIKE" | "SIMILAR" => self.predicate(left, &word, false)?,
                "[" => {
                    let index = self.binary(0)?;
                    self.expect("]")?;
                    self.call("ITEM", vec![left, index])?
                }
                _ => {
                    let right = self.binary(strength)?;
                    self.call(&word, vec![left, right])?
                }
            };
        }
    }

    fn predicate(&mut self, value: Expr, name: &str, negated: bool) -> Result<Expr> {
        let mut args = vec![value];
        let mut name = name.to_owned();
        match name.as_str() {
            "BETWEEN" => {
                if self.eat("SYMMETRIC") {
                    name.push_str(" SYMMETRIC");
                } else {
                    self.eat("ASYMMETRIC");
                }
                args.push(self.binary(4)?);
                self.expect("AND")?;
                args.push(self.binary(4)?);
            }
            "IN" => {
                self.expect("(")?;
                args.extend(self.list(")")?);
            }
            _ => {
                if name == "SIMILAR" {
                    self.expect("TO")?;
                    name = "SIMILAR TO".to_owned();
                }
                args.push(self.binary(4)?);
                if self.eat("ESCAPE") {
                    args.push(self.binary(4)?);
                }
            }
        }
        self.call(&if negated { format!("NOT {name}") } else { name }, args)
    }

    fn list(&mut self, close: &str) -> Result<Vec<Expr>> {
        let mut items = Vec::new();
        if self.eat(close) {
            return Ok(items);
        }
        loop {
            items.push(self.binary(0)?);
            if self.eat(close) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }

    fn unary(&mut self) -> Result<Expr> {
        if self.eat("NOT") {
            let operand = self.binary(3)?;
            return self.call("NOT", vec![operand]);
        }
        if self.eat("-") {
            if let Token::Number(digits) = self.peek() {
                self.at += 1;
                return literal_text::number(&format!("-{digits}"));
            }
            let operand = self.binary(7)?;
            return self.call("-", vec![operand]);
        }
        if self.eat("+") {
            let operand = self.binary(7)?;
            return self.call("+", vec![operand]);
        }
        self.primary()
    }

    fn text(&mut self) -> Result<String> {
        match self.next() {
            Token::Quoted(text) => Ok(text),
            other => Err(Error::invalid(format!("expected a string, got {other:?}"))),
        }
    }

    fn primary(&mut self) -> Result<Expr> {
        match self.next() {
            Token::Number(digits) => literal_text::number(&digits),
            Token::Quoted(text) => Ok(literal_text::string(text)),
            Token::Hex(digits) => literal_text::binary(&digits),
            Token::Symbol("(") => {
                let inner = self.binary(0)?;
                if self.eat(",") {
                    let mut items = vec![inner];
                    items.extend(self.list(")")?);
                    return self.call("ROW", items);
                }
                self.expect(")")?;
                Ok(inner)
            }
            Token::Word(word) => self.named(&word),
            other => Err(Error::invalid(format!("did not expect {other:?}"))),
        }
    }

    fn named(&mut self, word: &str) -> Result<Expr> {
        let quoted = matches!(self.peek(), Token::Quoted(_));
        match word.to_ascii_uppercase().as_str() {
            "NULL" => Ok(literal_text::null()),
            "TRUE" => Ok(literal_text::boolean(true)),
            "FALSE" => Ok(literal_text::boolean(false)),
            "DATE" if quoted => literal_text::date(&self.text()?),
            "TIME" if quoted => literal_text::time(&self.text()?),
            "TIMESTAMP" if quoted => literal_text::timestamp(&self.text()?),
            "INTERVAL" => {
                let negative = self.eat("-");
                let text = self.text()?;
                let unit = |reader: &mut Self| {
                    let unit =
                        IntervalUnit::parse(&reader.word()).ok_or_else(|| Error::invalid("no unit"))?;
                    reader.at += 1;
                    if reader.eat("(") {
                        reader.at += 2;
                    }
                    Ok::<_, Error>(unit)
                };
                let from = unit(self)?;
                let to = if self.eat("TO") { Some(unit(self)?) } else { None };
                literal_text::interval(&text, from, to, negative)
            }
            "CASE" => self.case(),
            "CAST" | "TRY_CAST" => {
                self.expect("(")?;
                let value = self.binary(0)?;
                self.expect("AS")?;
                let target = self.ty()?;
                self.expect(")")?;
                bind::cast(value, target, word.eq_ignore_ascii_case("TRY_CAST"))
            }
            "ARRAY" | "MAP" if self.eat("[") => {
                let items = self.list("]")?;
                self.call(word, items)
            }
            name => {
                if self.eat("(") {
                    let args = self.list(")")?;
                    return self.call(name, args);
                }
                match self.columns.iter().position(|(column, _)| column.eq_ignore_ascii_case(word)) {
                    Some(index) => Ok(Expr::column(index, self.columns[index].1.clone())),
                    None => self.call(name, Vec::new()),
                }
            }
        }
    }

    fn case(&mut self) -> Result<Expr> {
        let operand = if self.word() == "WHEN" { None } else { Some(self.binary(0)?) };
        let mut branches = Vec::new();
        while self.eat("WHEN") {
            let when = self.binary(0)?;
            self.expect("THEN")?;
            branches.push((when, self.binary(0)?));
        }
        let otherwise = if self.eat("ELSE") { Some(self.binary(0)?) } else { None };
        self.expect("END")?;
        bind::case(operand, branches, otherwise, self.context)
    }

    fn ty(&mut self) -> Result<LogicalType> {
        let name = self.word();
        self.at += 1;
        let mut numbers = Vec::new();
        let mut types = Vec::new();
        if self.eat("(") {
            while let Token::Number(digits) = self.next() {
                numbers.push(digits.parse::<u32>().map_err(|_| Error::invalid("no number"))?);
                self.eat(",");
            }
        } else if self.eat("<") {
            loop {
                let field = if name == "ROW" {
                    let field = self.word().trim_matches('`').to_ascii_lowercase();
                    self.at += 1;
                    field
                } else {
                    String::new()
                };
                types.push(RowField { name: field, ty: self.ty()?, comment: None });
                if self.eat("<>") || self.eat(">") {
                    break;
                }
                self.expect(",")?;
            }
        }
        let number = |at: usize, default: u32| numbers.get(at).copied().unwrap_or(default);
        let child = |at: usize| Box::new(types[at].ty.clone());
        let kind = match name.as_str() {
            "CHAR" => TypeKind::Char(number(0, 1)),
            "VARCHAR" => TypeKind::Varchar(number(0, TypeKind::MAX_LENGTH)),
            "STRING" => TypeKind::STRING,
            "BINARY" => TypeKind::Binary(number(0, 1)),
            "VARBINARY" => TypeKind::Varbinary(number(0, TypeKind::MAX_LENGTH)),
            "BYTES" => TypeKind::BYTES,
            "BOOLEAN" => TypeKind::Boolean,
            "TINYINT" => TypeKind::TinyInt,
            "SMALLINT" => TypeKind::SmallInt,
            "INT" => TypeKind::Int,
            "BIGINT" => TypeKind::BigInt,
            "FLOAT" => TypeKind::Float,
            "DOUBLE" => TypeKind::Double,
            "DECIMAL" => TypeKind::Decimal(number(0, 10) as u8, number(1, 0) as u8),
            "DATE" => TypeKind::Date,
            "TIME" => TypeKind::Time(number(0, 0) as u8),
            "TIMESTAMP" => TypeKind::Timestamp(number(0, 6) as u8),
            "TIMESTAMP_LTZ" => TypeKind::TimestampLtz(number(0, 6) as u8),
            "INTERVAL" => {
                let mut kind = TypeKind::IntervalDaySecond;
                while let Some(unit) = IntervalUnit::parse(&self.word()) {
                    self.at += 1;
                    if unit.is_months() {
                        kind = TypeKind::IntervalYearMonth;
                    }
                    self.eat("TO");
                }
                kind
            }
            "ARRAY" => TypeKind::Array(child(0)),
            "MULTISET" => TypeKind::Multiset(child(0)),
            "MAP" => TypeKind::Map(child(0), child(1)),
            "ROW" => TypeKind::Row(types),
            other => return Err(Error::invalid(format!("no type {other}"))),
        };
        if self.eat("NOT") {
            self.expect("NULL")?;
            return Ok(kind.not_null());
        }
        Ok(kind.nullable())
    }
}

fn symbol(text: &str) -> Option<Token> {
    SYMBOLS.iter().find(|symbol| **symbol == text).map(|symbol| Token::Symbol(symbol))
}
