//! CREATE TABLE and CREATE VIEW, and the parts that ALTER TABLE shares.

use flott_types::LogicalType;

use crate::ast::{
    ColumnDef, ColumnKind, CreateTable, CreateView, Ident, PrimaryKey, Replace, Statement, Watermark,
};
use crate::error::{ParseError, Position, Result};
use crate::parser::Parser;

/// The contents of the parentheses of CREATE TABLE and ALTER TABLE.
pub(super) enum Element {
    /// A column, with the primary key it declares for itself.
    Column(Box<ColumnDef>, Option<PrimaryKey>),
    Watermark(Watermark),
    PrimaryKey(PrimaryKey),
}

impl Parser<'_> {
    pub(super) fn create_table(
        &mut self,
        position: Position,
        temporary: bool,
        replace: Replace,
    ) -> Result<Statement> {
        self.expect("TABLE")?;
        let if_not_exists = self.if_not_exists();
        let mut table = self.table_clauses(position, temporary, if_not_exists, replace)?;
        let clause = self.position();
        if self.eat("LIKE") {
            table.like = Some(self.like_table()?);
        } else if self.eat("AS") {
            table.query = Some(self.query_text()?);
        }
        if table.replace == Replace::MustExist && table.query.is_none() {
            return Err(ParseError::new("REPLACE TABLE needs AS query", clause));
        }
        if !table.column_order.is_empty() && table.query.is_none() {
            return Err(ParseError::new(
                "A column needs a type: only CREATE TABLE .. AS query may list bare names",
                clause,
            ));
        }
        Ok(Statement::CreateTable(Box::new(table)))
    }

    /// From a table's name to its options.
    pub(super) fn table_clauses(
        &mut self,
        position: Position,
        temporary: bool,
        if_not_exists: bool,
        replace: Replace,
    ) -> Result<CreateTable> {
        let mut table = CreateTable {
            position,
            temporary,
            if_not_exists,
            replace,
            name: self.object_name()?,
            columns: vec![],
            column_order: vec![],
            watermark: None,
            primary_key: None,
            comment: None,
            distribution: None,
            partitioned_by: vec![],
            options: vec![],
            like: None,
            query: None,
        };
        if self.is_sign("(") {
            self.table_elements(&mut table)?;
        }
        table.comment = self.comment()?;
        table.distribution = self.distribution()?;
        if self.eat_all(&["PARTITIONED", "BY"]) {
            table.partitioned_by = self.parenthesised(Self::ident)?;
        }
        table.options = self.with_options()?;
        Ok(table)
    }

    fn table_elements(&mut self, table: &mut CreateTable) -> Result<()> {
        self.expect_sign("(")?;
        if self.is_ident() && (self.peek_at(1).is_sign(",") || self.peek_at(1).is_sign(")")) {
            table.column_order = self.commas(Self::ident)?;
            self.expect_sign(")")?;
            return Ok(());
        }
        loop {
            let position = self.position();
            match self.table_element()? {
                Element::Column(column, key) => {
                    if let Some(key) = key {
                        set_key(&mut table.primary_key, key)?;
                    }
                    table.columns.push(*column);
                }
                Element::Watermark(_) if table.watermark.is_some() => {
                    return Err(ParseError::new(
                        "Multiple WATERMARK declarations are not supported",
                        position,
                    ));
                }
                Element::Watermark(watermark) => table.watermark = Some(watermark),
                Element::PrimaryKey(key) => set_key(&mut table.primary_key, key)?,
            }
            if !self.eat_sign(",") {
                break;
            }
        }
        self.expect_sign(")").map(|_| ())
    }

    pub(super) fn table_element(&mut self) -> Result<Element> {
        if self.are_words(&["WATERMARK", "FOR"]) {
            return self.watermark().map(Element::Watermark);
        }
        if self.is_word("CONSTRAINT") || self.is_word("PRIMARY") {
            return self.primary_key().map(Element::PrimaryKey);
        }
        if self.is_word("UNIQUE") || self.is_word("FOREIGN") || self.is_word("CHECK") {
            return Err(
                self.unexpected("a column, WATERMARK FOR or PRIMARY KEY; other constraints do not exist")
            );
        }
        let (column, key) = self.column()?;
        Ok(Element::Column(Box::new(column), key))
    }

    /// `name type [METADATA ..] [NOT NULL] [PRIMARY KEY NOT ENFORCED] [COMMENT ..]`, `name AS expr [COMMENT
    /// ..]`
    fn column(&mut self) -> Result<(ColumnDef, Option<PrimaryKey>)> {
        let name = self.ident()?;
        if self.eat("AS") {
            let mark = self.mark();
            let expr = Box::new(self.expr()?);
            let kind = ColumnKind::Computed { expr, text: self.text_since(mark) };
            return Ok((ColumnDef { name, kind, comment: self.comment()? }, None));
        }
        let mut ty = self.data_type()?;
        let mut metadata = None;
        let mut key = None;
        loop {
            let position = self.position();
            if metadata.is_none() && self.eat("METADATA") {
                let from = if self.eat("FROM") { Some(self.text()?) } else { None };
                metadata = Some((from, self.eat("VIRTUAL")));
            } else if self.eat_all(&["NOT", "NULL"]) {
                ty = ty.with_nullable(false);
            } else if self.is_word("CONSTRAINT") || self.is_word("PRIMARY") {
                let constraint = if self.eat("CONSTRAINT") { Some(self.ident()?) } else { None };
                self.expect_all(&["PRIMARY", "KEY"])?;
                self.not_enforced(position)?;
                key = Some(PrimaryKey { position, name: constraint, columns: vec![name.clone()] });
            } else {
                break;
            }
        }
        let kind = column_kind(ty, metadata);
        Ok((ColumnDef { name, kind, comment: self.comment()? }, key))
    }

    fn watermark(&mut self) -> Result<Watermark> {
        let position = self.position();
        self.expect_all(&["WATERMARK", "FOR"])?;
        let column = self.dotted()?;
        self.expect("AS")?;
        let mark = self.mark();
        let expr = Box::new(self.expr()?);
        Ok(Watermark { position, column, expr, text: self.text_since(mark) })
    }

    /// `[CONSTRAINT name] PRIMARY KEY (..) NOT ENFORCED`
    fn primary_key(&mut self) -> Result<PrimaryKey> {
        let position = self.position();
        let name = if self.eat("CONSTRAINT") { Some(self.ident()?) } else { None };
        self.expect_all(&["PRIMARY", "KEY"])?;
        let columns = self.parenthesised(Self::ident)?;
        self.not_enforced(position)?;
        Ok(PrimaryKey { position, name, columns })
    }

    fn not_enforced(&mut self, key: Position) -> Result<()> {
        if self.eat_all(&["NOT", "ENFORCED"]) {
            return Ok(());
        }
        let message =
            "A primary key is not enforced, and must be declared so: write PRIMARY KEY .. NOT ENFORCED";
        Err(ParseError::new(message, key))
    }

    pub(super) fn create_view(&mut self, position: Position, temporary: bool) -> Result<Statement> {
        self.expect("VIEW")?;
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        let columns = if self.is_sign("(") { self.parenthesised(Self::ident)? } else { vec![] };
        let comment = self.comment()?;
        self.expect("AS")?;
        let query = self.query_text()?;
        Ok(Statement::CreateView(CreateView {
            position,
            temporary,
            if_not_exists,
            name,
            columns,
            comment,
            query,
        }))
    }
}

fn column_kind(ty: LogicalType, metadata: Option<(Option<crate::ast::Text>, bool)>) -> ColumnKind {
    match metadata {
        Some((key, is_virtual)) => ColumnKind::Metadata { ty, key, is_virtual },
        None => ColumnKind::Physical { ty },
    }
}

pub(super) fn set_key(slot: &mut Option<PrimaryKey>, key: PrimaryKey) -> Result<()> {
    match slot {
        Some(_) => Err(ParseError::new(
            "A table has one primary key: list its columns in one PRIMARY KEY (..)",
            key.position,
        )),
        None => {
            let mut seen: Vec<&Ident> = vec![];
            for column in &key.columns {
                if seen.iter().any(|other| other.value == column.value) {
                    let message = format!("The primary key names `{}` twice", column.value);
                    return Err(ParseError::new(message, column.position));
                }
                seen.push(column);
            }
            *slot = Some(key);
            Ok(())
        }
    }
}
