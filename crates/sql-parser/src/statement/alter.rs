//! ALTER TABLE, ALTER VIEW, ALTER DATABASE and the like.

use super::table::{Element, set_key};
use crate::ast::{
    AlterCatalog, AlterCatalogOperation, AlterDatabase, AlterFunction, AlterTable, AlterTableOperation,
    AlterView, AlterViewOperation, ColumnPlace, SchemaChange, Statement, Text,
};
use crate::error::{ParseError, Result};
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn alter(&mut self) -> Result<Statement> {
        let position = self.position();
        self.expect("ALTER")?;
        match self.peek().value.to_ascii_uppercase().as_str() {
            "TABLE" => self.alter_table(position),
            "MATERIALIZED" => self.alter_materialized_table(position),
            "MODEL" => self.alter_model(),
            "VIEW" => {
                self.next();
                let name = self.object_name()?;
                let operation = match self.expect_any(&["AS", "RENAME"])? {
                    "AS" => AlterViewOperation::As(self.query_text()?),
                    _ => {
                        self.expect("TO")?;
                        AlterViewOperation::RenameTo(self.object_name()?)
                    }
                };
                Ok(Statement::AlterView(AlterView { name, operation }))
            }
            "DATABASE" => {
                self.next();
                let name = self.object_name()?;
                self.expect("SET")?;
                Ok(Statement::AlterDatabase(AlterDatabase { name, options: self.options()? }))
            }
            "CATALOG" => {
                self.next();
                let name = self.ident()?;
                let operation = match self.expect_any(&["SET", "RESET", "COMMENT"])? {
                    "SET" => AlterCatalogOperation::Set(self.options()?),
                    "RESET" => AlterCatalogOperation::Reset(self.parenthesised(Self::text)?),
                    _ => AlterCatalogOperation::Comment(self.text()?),
                };
                Ok(Statement::AlterCatalog(AlterCatalog { name, operation }))
            }
            "FUNCTION" | "TEMPORARY" => {
                let temporary = self.eat("TEMPORARY");
                let system = temporary && self.eat("SYSTEM");
                self.expect("FUNCTION")?;
                let if_exists = self.if_exists();
                let name = self.object_name()?;
                let (class, language) = self.function_body()?;
                let alter = AlterFunction { position, temporary, system, if_exists, name, class, language };
                Ok(Statement::AlterFunction(alter))
            }
            _ => Err(self.unexpected("TABLE, VIEW, DATABASE, CATALOG or FUNCTION")),
        }
    }

    fn alter_table(&mut self, position: crate::error::Position) -> Result<Statement> {
        self.expect("TABLE")?;
        let if_exists = self.if_exists();
        let name = self.object_name()?;
        let operation = match self.expect_any(&["RENAME", "SET", "RESET", "ADD", "MODIFY", "DROP"])? {
            "RENAME" if self.eat("TO") => AlterTableOperation::RenameTo(self.object_name()?),
            "RENAME" => {
                let from = self.dotted()?;
                self.expect("TO")?;
                AlterTableOperation::RenameColumn { from, to: self.ident()? }
            }
            "SET" => AlterTableOperation::Set(self.options()?),
            "RESET" => AlterTableOperation::Reset(self.parenthesised(Self::text)?),
            "ADD" if self.is_word("PARTITION") || self.are_words(&["IF", "NOT", "EXISTS", "PARTITION"]) => {
                let if_not_exists = self.if_not_exists();
                let mut partitions = vec![];
                while self.is_word("PARTITION") {
                    partitions.push((self.partition()?, self.with_options()?));
                }
                AlterTableOperation::AddPartitions { if_not_exists, partitions }
            }
            "ADD" => AlterTableOperation::Add(self.schema_change()?),
            "MODIFY" => AlterTableOperation::Modify(self.schema_change()?),
            _ => self.alter_table_drop()?,
        };
        Ok(Statement::AlterTable(AlterTable { position, if_exists, name, operation }))
    }

    fn alter_table_drop(&mut self) -> Result<AlterTableOperation> {
        if self.is_word("PARTITION") || self.are_words(&["IF", "EXISTS", "PARTITION"]) {
            let if_exists = self.if_exists();
            let partitions = self.commas(Self::partition)?;
            return Ok(AlterTableOperation::DropPartitions { if_exists, partitions });
        }
        Ok(if self.eat("WATERMARK") {
            AlterTableOperation::DropWatermark
        } else if self.eat_all(&["PRIMARY", "KEY"]) {
            AlterTableOperation::DropPrimaryKey
        } else if self.eat("CONSTRAINT") {
            AlterTableOperation::DropConstraint(self.ident()?)
        } else if self.eat("DISTRIBUTION") {
            AlterTableOperation::DropDistribution
        } else if self.is_sign("(") {
            AlterTableOperation::DropColumns(self.parenthesised(Self::dotted)?)
        } else {
            AlterTableOperation::DropColumns(vec![self.dotted()?])
        })
    }

    /// One element, or several in parentheses.
    fn schema_change(&mut self) -> Result<SchemaChange> {
        let mut change = SchemaChange::default();
        let position = self.position();
        if self.eat("DISTRIBUTION") || self.eat("DISTRIBUTED") {
            change.distribution = Some(self.distribution_body(position)?);
            return Ok(change);
        }
        if !self.eat_sign("(") {
            self.schema_element(&mut change)?;
            return Ok(change);
        }
        loop {
            self.schema_element(&mut change)?;
            if !self.eat_sign(",") {
                break;
            }
        }
        self.expect_sign(")")?;
        Ok(change)
    }

    fn schema_element(&mut self, change: &mut SchemaChange) -> Result<()> {
        let position = self.position();
        match self.table_element()? {
            Element::Column(column, key) => {
                if let Some(key) = key {
                    set_key(&mut change.primary_key, key)?;
                }
                let place = if self.eat("FIRST") {
                    Some(ColumnPlace::First)
                } else if self.eat("AFTER") {
                    Some(ColumnPlace::After(self.ident()?))
                } else {
                    None
                };
                change.columns.push((*column, place));
            }
            Element::Watermark(_) if change.watermark.is_some() => {
                return Err(ParseError::new("Multiple WATERMARK declarations are not supported", position));
            }
            Element::Watermark(watermark) => change.watermark = Some(watermark),
            Element::PrimaryKey(key) => set_key(&mut change.primary_key, key)?,
        }
        Ok(())
    }

    /// `AS 'class' [LANGUAGE name]`
    pub(super) fn function_body(&mut self) -> Result<(Text, Option<crate::ast::Ident>)> {
        self.expect("AS")?;
        let class = self.text()?;
        let language = match self.eat("LANGUAGE") {
            true => {
                let language = self.peek().ident();
                self.expect_any(&["JAVA", "SCALA", "SQL", "PYTHON", "RUST", "WASM"])?;
                Some(language)
            }
            false => None,
        };
        Ok((class, language))
    }
}
