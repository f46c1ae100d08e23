//! Databases, catalogs, functions, and SHOW.

use super::{Ident, ObjectName, PartitionValue, SqlOption, Text};
use crate::error::Position;

/// `CREATE DATABASE [IF NOT EXISTS] name [COMMENT ..] [WITH (..)]`
#[derive(Clone, PartialEq, Debug)]
pub struct CreateDatabase {
    /// IF NOT EXISTS
    pub if_not_exists: bool,
    /// Its name.
    pub name: ObjectName,
    /// COMMENT
    pub comment: Option<Text>,
    /// WITH
    pub options: Vec<SqlOption>,
}

/// `DROP DATABASE [IF EXISTS] name [RESTRICT | CASCADE]`
#[derive(Clone, PartialEq, Debug)]
pub struct DropDatabase {
    /// IF EXISTS
    pub if_exists: bool,
    /// Its name.
    pub name: ObjectName,
    /// CASCADE: with its tables. RESTRICT, the default, refuses when there are any.
    pub cascade: bool,
}

/// `ALTER DATABASE name SET (..)`
#[derive(Clone, PartialEq, Debug)]
pub struct AlterDatabase {
    /// Its name.
    pub name: ObjectName,
    /// The properties set.
    pub options: Vec<SqlOption>,
}

/// `CREATE CATALOG [IF NOT EXISTS] name [COMMENT ..] [WITH (..)]`
#[derive(Clone, PartialEq, Debug)]
pub struct CreateCatalog {
    /// IF NOT EXISTS
    pub if_not_exists: bool,
    /// Its name.
    pub name: Ident,
    /// COMMENT
    pub comment: Option<Text>,
    /// WITH
    pub options: Vec<SqlOption>,
}

/// `DROP CATALOG [IF EXISTS] name`
#[derive(Clone, PartialEq, Debug)]
pub struct DropCatalog {
    /// IF EXISTS
    pub if_exists: bool,
    /// Its name.
    pub name: Ident,
}

/// ALTER CATALOG
#[derive(Clone, PartialEq, Debug)]
pub struct AlterCatalog {
    /// Its name.
    pub name: Ident,
    /// What is changed.
    pub operation: AlterCatalogOperation,
}

/// What ALTER CATALOG changes.
#[derive(Clone, PartialEq, Debug)]
pub enum AlterCatalogOperation {
    /// SET ('k' = 'v')
    Set(Vec<SqlOption>),
    /// RESET ('k')
    Reset(Vec<Text>),
    /// COMMENT '..'
    Comment(Text),
}

/// `CREATE [TEMPORARY [SYSTEM]] FUNCTION [IF NOT EXISTS] name AS 'class' [LANGUAGE ..] [USING JAR ..]`
#[derive(Clone, PartialEq, Debug)]
pub struct CreateFunction {
    /// The position of CREATE.
    pub position: Position,
    /// TEMPORARY
    pub temporary: bool,
    /// SYSTEM
    pub system: bool,
    /// IF NOT EXISTS
    pub if_not_exists: bool,
    /// Its name.
    pub name: ObjectName,
    /// The class that implements it, or the identifier by which a program defines it.
    pub class: Text,
    /// JAVA, SCALA, SQL, PYTHON or RUST
    pub language: Option<Ident>,
    /// USING JAR and ARTIFACT, in order; whether each is a JAR.
    pub resources: Vec<(bool, Text)>,
}

/// `ALTER [TEMPORARY [SYSTEM]] FUNCTION [IF EXISTS] name AS 'class'`
#[derive(Clone, PartialEq, Debug)]
pub struct AlterFunction {
    /// The position of ALTER.
    pub position: Position,
    /// TEMPORARY
    pub temporary: bool,
    /// SYSTEM
    pub system: bool,
    /// IF EXISTS
    pub if_exists: bool,
    /// Its name.
    pub name: ObjectName,
    /// The class that implements it, or the identifier by which a program defines it.
    pub class: Text,
    /// JAVA, SCALA, SQL, PYTHON or RUST
    pub language: Option<Ident>,
}

/// `DROP [TEMPORARY [SYSTEM]] FUNCTION [IF EXISTS] name`
#[derive(Clone, PartialEq, Debug)]
pub struct DropFunction {
    /// The position of DROP.
    pub position: Position,
    /// TEMPORARY
    pub temporary: bool,
    /// SYSTEM
    pub system: bool,
    /// IF EXISTS
    pub if_exists: bool,
    /// Its name.
    pub name: ObjectName,
}

/// SHOW
#[derive(Clone, PartialEq, Debug)]
pub struct Show {
    /// The position of SHOW.
    pub position: Position,
    /// What is shown.
    pub target: ShowTarget,
    /// FROM or IN: the catalog, database or (of columns and partitions) the table.
    pub scope: Option<ObjectName>,
    /// [NOT] LIKE, ILIKE
    pub filter: Option<ShowFilter>,
}

/// What SHOW shows.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum ShowTarget {
    Catalogs,
    CurrentCatalog,
    Databases,
    CurrentDatabase,
    Tables,
    Views,
    MaterializedTables,
    /// The table is [`Show::scope`].
    Columns,
    /// The table is [`Show::scope`].
    Partitions {
        /// PARTITION (..): only those.
        partition: Vec<PartitionValue>,
    },
    Functions {
        /// USER: without the built-in ones.
        user_only: bool,
    },
    Procedures,
    Models,
    Modules {
        /// FULL: also those loaded but not used.
        full: bool,
    },
    Jars,
    Jobs,
    Connections,
    CreateTable(ObjectName),
    CreateView(ObjectName),
    CreateMaterializedTable(ObjectName),
    CreateModel(ObjectName),
    CreateCatalog(Ident),
}

/// `[NOT] {LIKE | ILIKE} 'pattern'`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShowFilter {
    /// NOT
    pub negated: bool,
    /// ILIKE: without regard to case.
    pub ignore_case: bool,
    /// The pattern: `%` any characters, `_` one character.
    pub pattern: Text,
}
