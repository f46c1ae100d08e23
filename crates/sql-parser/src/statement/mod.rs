//! Statements: dispatch on their first words.

mod alter;
mod catalog;
mod clauses;
mod insert;
mod manage;
mod materialized;
mod show;
mod table;

use crate::ast::{
    Describe, DescribeTarget, ShellCommand, SqlOption, Statement, StopJob, Text, Unsupported, Use,
};
use crate::error::Result;
use crate::lexer::Kind;
use crate::parser::Parser;

/// What Flink knows and Flott refuses by name: the first words, the longest first.
const UNSUPPORTED: [&[&str]; 10] = [
    &["CREATE", "OR", "ALTER", "TABLE"],
    &["CREATE", "TEMPORARY", "SYSTEM", "CONNECTION"],
    &["CREATE", "TEMPORARY", "CONNECTION"],
    &["CREATE", "CONNECTION"],
    &["ALTER", "CONNECTION"],
    &["DROP", "TEMPORARY", "CONNECTION"],
    &["DROP", "CONNECTION"],
    &["ADD", "JAR"],
    &["REMOVE", "JAR"],
    &["ADD", "ARTIFACT"],
];

impl Parser<'_> {
    /// One statement, to the end of its text.
    pub(crate) fn statement(&mut self) -> Result<Statement> {
        let position = self.position();
        if let Some(words) = UNSUPPORTED.iter().find(|words| self.are_words(words)) {
            return Ok(Statement::Unsupported(Unsupported { name: words.join(" "), position }));
        }
        let statement = self.known_statement()?;
        self.expect_end()?;
        Ok(statement)
    }

    fn known_statement(&mut self) -> Result<Statement> {
        if self.is_sign("(") || self.is_query() {
            return self.query().map(Statement::Query);
        }
        let alone = self.peek_at(1).kind == Kind::End;
        match self.peek().value.to_ascii_uppercase().as_str() {
            _ if self.peek().kind != Kind::Word => Err(self.unexpected("a statement")),
            "CREATE" | "REPLACE" => self.create(),
            "ALTER" => self.alter(),
            "DROP" => self.drop_statement(),
            "INSERT" => self.insert().map(|insert| Statement::Insert(Box::new(insert))),
            "EXECUTE" | "BEGIN" | "STATEMENT" => self.execute(),
            "EXPLAIN" => self.explain(),
            "DESCRIBE" | "DESC" => self.describe(),
            "SHOW" => self.show(),
            "USE" => self.use_statement(),
            "SET" => self.set(),
            "RESET" => self.reset(),
            "STOP" => self.stop_job(),
            "COMPILE" => self.compile_plan(),
            "LOAD" => self.load_module(),
            "UNLOAD" => self.unload_module(),
            "TRUNCATE" => self.truncate(),
            "DELETE" => self.delete(),
            "UPDATE" => self.update(),
            "ANALYZE" => self.analyze(),
            "CALL" => self.call_procedure(),
            "HELP" if alone => self.shell(ShellCommand::Help),
            "CLEAR" if alone => self.shell(ShellCommand::Clear),
            "QUIT" | "EXIT" if alone => self.shell(ShellCommand::Quit),
            _ => Err(self.unexpected(
                "a statement: SELECT, INSERT, CREATE, ALTER, DROP, SHOW, DESCRIBE, EXPLAIN, USE, SET, RESET, EXECUTE ..",
            )),
        }
    }

    fn shell(&mut self, command: ShellCommand) -> Result<Statement> {
        self.next();
        Ok(Statement::Shell(command))
    }

    fn describe(&mut self) -> Result<Statement> {
        let position = self.position();
        self.next();
        let mut extended = self.eat("EXTENDED");
        // A table may be called `catalog`: it is the key word if a name follows.
        let named = |p: &Self| p.peek_at(1).kind != Kind::End && !p.peek_at(1).is_sign(".");
        let what = ["CATALOG", "DATABASE", "FUNCTION", "MODEL", "JOB"]
            .into_iter()
            .find(|w| self.is_word(w) && named(self));
        if what.is_some() {
            self.next();
            extended |= self.eat("EXTENDED");
        }
        let target = match what {
            Some("CATALOG") => DescribeTarget::Catalog(self.ident()?),
            Some("DATABASE") => DescribeTarget::Database(self.object_name()?),
            Some("FUNCTION") => DescribeTarget::Function(self.object_name()?),
            Some("MODEL") => DescribeTarget::Model(self.object_name()?),
            Some(_) => DescribeTarget::Job(self.text()?),
            None => DescribeTarget::Table(self.object_name()?),
        };
        Ok(Statement::Describe(Describe { position, target, extended }))
    }

    fn use_statement(&mut self) -> Result<Statement> {
        self.next();
        let named = matches!(self.peek_at(1).kind, Kind::Word | Kind::Quoted);
        Ok(Statement::Use(if self.is_word("CATALOG") && named {
            self.next();
            Use::Catalog(self.ident()?)
        } else if self.is_word("MODULES") && named {
            self.next();
            Use::Modules(self.commas(Self::ident)?)
        } else {
            Use::Database(self.object_name()?)
        }))
    }

    /// `SET 'k' = 'v'`, also without quotes; `SET` alone.
    fn set(&mut self) -> Result<Statement> {
        self.next();
        if self.is_end() {
            return Ok(Statement::Set(None));
        }
        let key = self.setting_key()?;
        self.expect_sign("=")?;
        let position = self.position();
        let value = match self.peek().kind {
            Kind::Text => self.text()?,
            Kind::End => return Err(self.unexpected("a value")),
            _ => Text { value: self.rest(), position },
        };
        Ok(Statement::Set(Some(SqlOption { key, value })))
    }

    fn reset(&mut self) -> Result<Statement> {
        self.next();
        if self.is_end() {
            return Ok(Statement::Reset(None));
        }
        self.setting_key().map(|key| Statement::Reset(Some(key)))
    }

    /// `'a.b-c'`, or the bare text up to `=`.
    fn setting_key(&mut self) -> Result<Text> {
        if self.peek().kind == Kind::Text {
            return self.text();
        }
        let (mark, position) = (self.mark(), self.position());
        while !self.is_end() && !self.is_sign("=") {
            self.next();
        }
        if mark == self.mark() {
            return Err(self.unexpected("a key"));
        }
        let value = self.text_since(mark);
        match value.contains(char::is_whitespace) {
            true => Err(crate::error::ParseError::new(
                format!("`{value}` is no key: write SET 'key' = 'value'"),
                position,
            )),
            false => Ok(Text { value, position }),
        }
    }

    fn stop_job(&mut self) -> Result<Statement> {
        self.next();
        self.expect("JOB")?;
        let job = self.text()?;
        let (mut with_savepoint, mut with_drain) = (false, false);
        while self.eat("WITH") {
            match self.expect_any(&["SAVEPOINT", "DRAIN"])? {
                "SAVEPOINT" => with_savepoint = true,
                _ => with_drain = true,
            }
        }
        Ok(Statement::StopJob(StopJob { job, with_savepoint, with_drain }))
    }
}
