//! Compiled plans, modules, models, and statements that change rows or gather statistics.

use crate::ast::{
    AlterModel, AlterModelOperation, AnalyzeTable, CallProcedure, ChangeRows, ColumnDef, ColumnKind,
    CompilePlan, CreateModel, LoadModule, RowChange, Statement,
};
use crate::error::{ParseError, Position, Result};
use crate::parser::Parser;

use super::table::Element;

impl Parser<'_> {
    /// `COMPILE [AND EXECUTE] PLAN 'path' [IF NOT EXISTS] FOR ..`
    pub(super) fn compile_plan(&mut self) -> Result<Statement> {
        let position = self.position();
        self.expect("COMPILE")?;
        let execute = self.eat_all(&["AND", "EXECUTE"]);
        self.expect("PLAN")?;
        let path = self.text()?;
        let if_not_exists = self.if_not_exists();
        self.expect("FOR")?;
        let statement = if self.is_word("INSERT") {
            Statement::Insert(Box::new(self.insert()?))
        } else if self.is_word("STATEMENT") {
            self.execute()?
        } else {
            return Err(self.unexpected("INSERT or STATEMENT SET"));
        };
        let statement = Box::new(statement);
        Ok(Statement::CompilePlan(CompilePlan { position, path, if_not_exists, execute, statement }))
    }

    pub(super) fn load_module(&mut self) -> Result<Statement> {
        self.expect_all(&["LOAD", "MODULE"])?;
        let name = self.ident()?;
        Ok(Statement::LoadModule(LoadModule { name, options: self.with_options()? }))
    }

    pub(super) fn unload_module(&mut self) -> Result<Statement> {
        self.expect_all(&["UNLOAD", "MODULE"])?;
        self.ident().map(Statement::UnloadModule)
    }

    pub(super) fn truncate(&mut self) -> Result<Statement> {
        self.expect_all(&["TRUNCATE", "TABLE"])?;
        let table = self.object_name()?;
        Ok(Statement::ChangeRows(ChangeRows { kind: RowChange::Truncate, table }))
    }

    /// `DELETE FROM name [[AS] alias] [WHERE ..]`
    pub(super) fn delete(&mut self) -> Result<Statement> {
        self.expect_all(&["DELETE", "FROM"])?;
        let table = self.object_name()?;
        self.alias_of_target()?;
        self.where_of_target()?;
        Ok(Statement::ChangeRows(ChangeRows { kind: RowChange::Delete, table }))
    }

    /// `UPDATE name [[AS] alias] SET column = .., .. [WHERE ..]`
    pub(super) fn update(&mut self) -> Result<Statement> {
        self.expect("UPDATE")?;
        let table = self.object_name()?;
        self.alias_of_target()?;
        self.expect("SET")?;
        self.commas(|p| {
            p.ident()?;
            p.expect_sign("=")?;
            p.expr()
        })?;
        self.where_of_target()?;
        Ok(Statement::ChangeRows(ChangeRows { kind: RowChange::Update, table }))
    }

    fn alias_of_target(&mut self) -> Result<()> {
        if self.eat("AS") || self.is_ident() {
            self.ident()?;
        }
        Ok(())
    }

    fn where_of_target(&mut self) -> Result<()> {
        if self.eat("WHERE") {
            self.expr()?;
        }
        Ok(())
    }

    pub(super) fn analyze(&mut self) -> Result<Statement> {
        self.expect_all(&["ANALYZE", "TABLE"])?;
        let table = self.object_name()?;
        let partition = if self.is_word("PARTITION") { self.partition()? } else { vec![] };
        self.expect_all(&["COMPUTE", "STATISTICS"])?;
        let mut columns = vec![];
        if self.eat("FOR") && !self.eat_all(&["ALL", "COLUMNS"]) {
            self.expect("COLUMNS")?;
            columns = self.commas(Self::ident)?;
        }
        Ok(Statement::AnalyzeTable(AnalyzeTable { table, partition, columns }))
    }

    pub(super) fn call_procedure(&mut self) -> Result<Statement> {
        let position = self.position();
        self.expect("CALL")?;
        let procedure = self.object_name()?;
        self.expect_sign("(")?;
        if !self.eat_sign(")") {
            self.commas(|p| {
                if p.is_ident() && p.peek_at(1).is_sign("=>") {
                    p.ident()?;
                    p.next();
                }
                p.expr()
            })?;
            self.expect_sign(")")?;
        }
        Ok(Statement::Call(CallProcedure { position, procedure }))
    }

    pub(super) fn create_model(&mut self, position: Position, temporary: bool) -> Result<Statement> {
        self.expect("MODEL")?;
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        let input = if self.eat("INPUT") { self.parenthesised(Self::model_column)? } else { vec![] };
        let output = if self.eat("OUTPUT") { self.parenthesised(Self::model_column)? } else { vec![] };
        let comment = self.comment()?;
        let options = self.with_options()?;
        Ok(Statement::CreateModel(CreateModel {
            position,
            temporary,
            if_not_exists,
            name,
            input,
            output,
            comment,
            options,
        }))
    }

    fn model_column(&mut self) -> Result<ColumnDef> {
        let position = self.position();
        match self.table_element()? {
            Element::Column(column, None) if matches!(column.kind, ColumnKind::Physical { .. }) => {
                Ok(*column)
            }
            _ => Err(ParseError::new("a model has physical columns only: name and type", position)),
        }
    }

    pub(super) fn alter_model(&mut self) -> Result<Statement> {
        self.expect("MODEL")?;
        let if_exists = self.if_exists();
        let name = self.object_name()?;
        let operation = match self.expect_any(&["SET", "RESET", "RENAME"])? {
            "SET" => AlterModelOperation::Set(self.options()?),
            "RESET" => AlterModelOperation::Reset(self.parenthesised(Self::text)?),
            _ => {
                self.expect("TO")?;
                AlterModelOperation::Rename(self.object_name()?)
            }
        };
        Ok(Statement::AlterModel(AlterModel { if_exists, name, operation }))
    }
}
