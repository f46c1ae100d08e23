//! SHOW.

use crate::ast::{Show, ShowFilter, ShowTarget, Statement};
use crate::error::Result;
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn show(&mut self) -> Result<Statement> {
        let position = self.position();
        self.expect("SHOW")?;
        if self.eat("CREATE") {
            let target = self.show_create()?;
            return Ok(Statement::Show(Show { position, target, scope: None, filter: None }));
        }
        if self.eat("PARTITIONS") {
            let scope = Some(self.object_name()?);
            let partition = if self.is_word("PARTITION") { self.partition()? } else { vec![] };
            let target = ShowTarget::Partitions { partition };
            return Ok(Statement::Show(Show { position, target, scope, filter: None }));
        }
        let target = self.show_target()?;
        // The contents of a catalog or database can be listed for others than the current one.
        let scoped = matches!(
            target,
            ShowTarget::Databases
                | ShowTarget::Tables
                | ShowTarget::Views
                | ShowTarget::MaterializedTables
                | ShowTarget::Columns
                | ShowTarget::Functions { .. }
                | ShowTarget::Procedures
                | ShowTarget::Models
                | ShowTarget::Connections
        );
        let scope = match scoped && self.eat_any(&["FROM", "IN"]).is_some() {
            true => Some(self.object_name()?),
            false if target == ShowTarget::Columns => return Err(self.unexpected("FROM or IN")),
            false => None,
        };
        let filter = if scoped || target == ShowTarget::Catalogs { self.show_filter()? } else { None };
        Ok(Statement::Show(Show { position, target, scope, filter }))
    }

    fn show_create(&mut self) -> Result<ShowTarget> {
        if self.eat_all(&["MATERIALIZED", "TABLE"]) {
            return self.object_name().map(ShowTarget::CreateMaterializedTable);
        }
        Ok(match self.expect_any(&["TABLE", "VIEW", "CATALOG", "MODEL"])? {
            "TABLE" => ShowTarget::CreateTable(self.object_name()?),
            "VIEW" => ShowTarget::CreateView(self.object_name()?),
            "MODEL" => ShowTarget::CreateModel(self.object_name()?),
            _ => ShowTarget::CreateCatalog(self.ident()?),
        })
    }

    fn show_target(&mut self) -> Result<ShowTarget> {
        if self.eat("CURRENT") {
            return Ok(match self.expect_any(&["CATALOG", "DATABASE"])? {
                "CATALOG" => ShowTarget::CurrentCatalog,
                _ => ShowTarget::CurrentDatabase,
            });
        }
        if self.eat_all(&["MATERIALIZED", "TABLES"]) {
            return Ok(ShowTarget::MaterializedTables);
        }
        if self.eat_all(&["USER", "FUNCTIONS"]) {
            return Ok(ShowTarget::Functions { user_only: true });
        }
        if self.eat_all(&["FULL", "MODULES"]) {
            return Ok(ShowTarget::Modules { full: true });
        }
        const PLURALS: [&str; 12] = [
            "CATALOGS",
            "DATABASES",
            "TABLES",
            "VIEWS",
            "COLUMNS",
            "FUNCTIONS",
            "PROCEDURES",
            "MODELS",
            "MODULES",
            "JARS",
            "JOBS",
            "CONNECTIONS",
        ];
        let word = self.eat_any(&PLURALS).ok_or_else(|| {
            self.unexpected(&format!("{}, PARTITIONS, CURRENT .. or CREATE ..", PLURALS.join(", ")))
        })?;
        Ok(match word {
            "CATALOGS" => ShowTarget::Catalogs,
            "DATABASES" => ShowTarget::Databases,
            "TABLES" => ShowTarget::Tables,
            "VIEWS" => ShowTarget::Views,
            "COLUMNS" => ShowTarget::Columns,
            "FUNCTIONS" => ShowTarget::Functions { user_only: false },
            "PROCEDURES" => ShowTarget::Procedures,
            "MODELS" => ShowTarget::Models,
            "MODULES" => ShowTarget::Modules { full: false },
            "JARS" => ShowTarget::Jars,
            "JOBS" => ShowTarget::Jobs,
            _ => ShowTarget::Connections,
        })
    }

    /// `[NOT] {LIKE | ILIKE} 'pattern'`, if it comes next.
    fn show_filter(&mut self) -> Result<Option<ShowFilter>> {
        let negated = self.eat("NOT");
        let Some(word) = self.eat_any(&["LIKE", "ILIKE"]) else {
            return if negated { Err(self.unexpected("LIKE or ILIKE")) } else { Ok(None) };
        };
        Ok(Some(ShowFilter { negated, ignore_case: word == "ILIKE", pattern: self.text()? }))
    }
}
