//! CREATE and DROP: dispatch by kind of object, and the small kinds.

use crate::ast::{
    CreateCatalog, CreateDatabase, CreateFunction, DropCatalog, DropDatabase, DropFunction, DropRelation,
    Replace, Statement,
};
use crate::error::{Position, Result};
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn create(&mut self) -> Result<Statement> {
        let position = self.position();
        if self.eat("REPLACE") {
            return self.create_table(position, false, Replace::MustExist);
        }
        self.expect("CREATE")?;
        let or_alter = self.eat_all(&["OR", "ALTER"]);
        if or_alter || self.is_word("MATERIALIZED") {
            return self.create_materialized_table(position, or_alter);
        }
        // Of other things than tables Flink takes the words and does not replace.
        let replace = match self.eat_all(&["OR", "REPLACE"]) {
            true => Replace::IfExists,
            false => Replace::Never,
        };
        let temporary = self.eat("TEMPORARY");
        let system = temporary && self.eat("SYSTEM");
        match self.peek().value.to_ascii_uppercase().as_str() {
            "FUNCTION" => self.create_function(position, temporary, system),
            _ if system => Err(self.unexpected("FUNCTION")),
            "TABLE" => self.create_table(position, temporary, replace),
            "VIEW" => self.create_view(position, temporary),
            "MODEL" => self.create_model(position, temporary),
            "DATABASE" if !temporary => {
                self.next();
                let if_not_exists = self.if_not_exists();
                let name = self.object_name()?;
                let comment = self.comment()?;
                let options = self.with_options()?;
                Ok(Statement::CreateDatabase(CreateDatabase { if_not_exists, name, comment, options }))
            }
            "CATALOG" if !temporary => {
                self.next();
                let if_not_exists = self.if_not_exists();
                let name = self.ident()?;
                let comment = self.comment()?;
                let options = self.with_options()?;
                Ok(Statement::CreateCatalog(CreateCatalog { if_not_exists, name, comment, options }))
            }
            _ => Err(self.unexpected("TABLE, VIEW, DATABASE, CATALOG, MODEL or FUNCTION")),
        }
    }

    fn create_function(&mut self, position: Position, temporary: bool, system: bool) -> Result<Statement> {
        self.expect("FUNCTION")?;
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        let (class, language) = self.function_body()?;
        let mut resources = vec![];
        if self.eat("USING") {
            resources = self.commas(|p| {
                let jar = p.expect_any(&["JAR", "ARTIFACT"])? == "JAR";
                Ok((jar, p.text()?))
            })?;
        }
        Ok(Statement::CreateFunction(CreateFunction {
            position,
            temporary,
            system,
            if_not_exists,
            name,
            class,
            language,
            resources,
        }))
    }

    pub(super) fn drop_statement(&mut self) -> Result<Statement> {
        let position = self.position();
        self.expect("DROP")?;
        let temporary = self.eat("TEMPORARY");
        let system = temporary && self.eat("SYSTEM");
        if system && !self.is_word("FUNCTION") {
            return Err(self.unexpected("FUNCTION"));
        }
        if !temporary && self.eat_all(&["MATERIALIZED", "TABLE"]) {
            let if_exists = self.if_exists();
            let drop = DropRelation { temporary, if_exists, name: self.object_name()? };
            return Ok(Statement::DropMaterializedTable(drop));
        }
        let kind = self.expect_any(&["TABLE", "VIEW", "FUNCTION", "DATABASE", "CATALOG", "MODEL"])?;
        let if_exists = self.if_exists();
        Ok(match kind {
            "CATALOG" => Statement::DropCatalog(DropCatalog { if_exists, name: self.ident()? }),
            "DATABASE" => {
                let name = self.object_name()?;
                let cascade = self.eat_any(&["RESTRICT", "CASCADE"]) == Some("CASCADE");
                Statement::DropDatabase(DropDatabase { if_exists, name, cascade })
            }
            "FUNCTION" => {
                let name = self.object_name()?;
                Statement::DropFunction(DropFunction { position, temporary, system, if_exists, name })
            }
            kind => {
                let drop = DropRelation { temporary, if_exists, name: self.object_name()? };
                match kind {
                    "TABLE" => Statement::DropTable(drop),
                    "VIEW" => Statement::DropView(drop),
                    _ => Statement::DropModel(drop),
                }
            }
        })
    }
}
