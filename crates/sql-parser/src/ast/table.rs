//! CREATE TABLE, ALTER TABLE, views.

use flott_types::LogicalType;

use super::{Expr, Ident, ObjectName, PartitionValue, QueryText, SqlOption, Text};
use crate::error::Position;

/// What becomes of a table that is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replace {
    /// CREATE: it stays.
    Never,
    /// CREATE OR REPLACE: it is replaced.
    IfExists,
    /// REPLACE: it is replaced, and must exist.
    MustExist,
}

/// CREATE TABLE in all its forms.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateTable {
    /// The position of CREATE.
    pub position: Position,
    /// TEMPORARY
    pub temporary: bool,
    /// IF NOT EXISTS
    pub if_not_exists: bool,
    /// CREATE OR REPLACE, or REPLACE.
    pub replace: Replace,
    /// Its name.
    pub name: ObjectName,
    /// Columns in declared order. Of a CTAS with a column list without types, see
    /// [`CreateTable::column_order`].
    pub columns: Vec<ColumnDef>,
    /// `CREATE TABLE t (a, b) AS ..`: only names, which reorder the query's columns.
    pub column_order: Vec<Ident>,
    /// WATERMARK FOR, at most one.
    pub watermark: Option<Watermark>,
    /// PRIMARY KEY, at most one; a column's own `PRIMARY KEY NOT ENFORCED` lands here too.
    pub primary_key: Option<PrimaryKey>,
    /// COMMENT
    pub comment: Option<Text>,
    /// DISTRIBUTED
    pub distribution: Option<Distribution>,
    /// PARTITIONED BY
    pub partitioned_by: Vec<Ident>,
    /// WITH
    pub options: Vec<SqlOption>,
    /// LIKE
    pub like: Option<LikeTable>,
    /// AS query
    pub query: Option<QueryText>,
}

/// A column of CREATE TABLE or ALTER TABLE.
#[derive(Clone, PartialEq, Debug)]
pub struct ColumnDef {
    /// Its name, which knows its position.
    pub name: Ident,
    /// Where its values come from.
    pub kind: ColumnKind,
    /// COMMENT
    pub comment: Option<Text>,
}

/// Where a column's values come from.
#[derive(Clone, PartialEq, Debug)]
pub enum ColumnKind {
    /// From the row itself.
    Physical {
        /// Its type; NOT NULL is part of it.
        ty: LogicalType,
    },
    /// `c AS expr`
    Computed {
        /// The expression.
        expr: Box<Expr>,
        /// Its source text.
        text: String,
    },
    /// `c type METADATA [FROM 'key'] [VIRTUAL]`
    Metadata {
        /// Its type.
        ty: LogicalType,
        /// The connector's key; without it the column's name is the key.
        key: Option<Text>,
        /// Read only: not part of what a sink takes.
        is_virtual: bool,
    },
}

/// `WATERMARK FOR column AS expr`
#[derive(Clone, PartialEq, Debug)]
pub struct Watermark {
    /// The position of WATERMARK.
    pub position: Position,
    /// The time column; more than one part for a nested field.
    pub column: Vec<Ident>,
    /// The strategy.
    pub expr: Box<Expr>,
    /// The strategy's source text.
    pub text: String,
}

/// `[CONSTRAINT name] PRIMARY KEY (..) NOT ENFORCED`
#[derive(Clone, PartialEq, Debug)]
pub struct PrimaryKey {
    /// Its position.
    pub position: Position,
    /// The constraint's name.
    pub name: Option<Ident>,
    /// Its columns.
    pub columns: Vec<Ident>,
}

/// `DISTRIBUTED [BY [HASH | RANGE] (..)] [INTO n BUCKETS]`
#[derive(Clone, PartialEq, Debug)]
pub struct Distribution {
    /// Its position.
    pub position: Position,
    /// HASH or RANGE, if said.
    pub kind: Option<DistributionKind>,
    /// The bucket key.
    pub columns: Vec<Ident>,
    /// The number of buckets.
    pub buckets: Option<u64>,
}

/// How rows are distributed over buckets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DistributionKind {
    /// HASH
    Hash,
    /// RANGE
    Range,
}

/// `LIKE table (INCLUDING ALL ..)`
#[derive(Clone, PartialEq, Debug)]
pub struct LikeTable {
    /// The table copied from.
    pub source: ObjectName,
    /// What is copied and how; later entries win.
    pub options: Vec<LikeOption>,
}

/// `INCLUDING OPTIONS` and the like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LikeOption {
    /// How it is merged.
    pub strategy: MergeStrategy,
    /// What is merged.
    pub feature: LikeFeature,
    /// Its position.
    pub position: Position,
}

/// How a feature of the source table is merged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MergeStrategy {
    /// INCLUDING: a duplicate is an error.
    Including,
    /// EXCLUDING: not taken over.
    Excluding,
    /// OVERWRITING: the new table wins.
    Overwriting,
}

/// What LIKE can take over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum LikeFeature {
    All,
    Constraints,
    Distribution,
    Generated,
    Metadata,
    Options,
    Partitions,
    Watermarks,
}

/// `DROP [TEMPORARY] {TABLE | VIEW} [IF EXISTS] name`
#[derive(Clone, PartialEq, Debug)]
pub struct DropRelation {
    /// TEMPORARY
    pub temporary: bool,
    /// IF EXISTS
    pub if_exists: bool,
    /// The name.
    pub name: ObjectName,
}

/// `ALTER TABLE [IF EXISTS] name operation`
#[derive(Clone, PartialEq, Debug)]
pub struct AlterTable {
    /// The position of ALTER.
    pub position: Position,
    /// IF EXISTS
    pub if_exists: bool,
    /// The table.
    pub name: ObjectName,
    /// What is changed.
    pub operation: AlterTableOperation,
}

/// What ALTER TABLE changes.
#[derive(Clone, PartialEq, Debug)]
pub enum AlterTableOperation {
    /// RENAME TO name
    RenameTo(ObjectName),
    /// RENAME a TO b
    RenameColumn {
        /// The old name; more than one part for a nested field.
        from: Vec<Ident>,
        /// The new name.
        to: Ident,
    },
    /// SET ('k' = 'v')
    Set(Vec<SqlOption>),
    /// RESET ('k')
    Reset(Vec<Text>),
    /// ADD ..
    Add(SchemaChange),
    /// MODIFY ..
    Modify(SchemaChange),
    /// DROP column, DROP (a, b)
    DropColumns(Vec<Vec<Ident>>),
    /// DROP WATERMARK
    DropWatermark,
    /// DROP PRIMARY KEY
    DropPrimaryKey,
    /// DROP CONSTRAINT name
    DropConstraint(Ident),
    /// DROP DISTRIBUTION
    DropDistribution,
    /// ADD [IF NOT EXISTS] PARTITION (..) [WITH (..)] ..
    AddPartitions {
        /// IF NOT EXISTS
        if_not_exists: bool,
        /// The partitions with their options.
        partitions: Vec<(Vec<PartitionValue>, Vec<SqlOption>)>,
    },
    /// DROP [IF EXISTS] PARTITION (..), ..
    DropPartitions {
        /// IF EXISTS
        if_exists: bool,
        /// The partitions.
        partitions: Vec<Vec<PartitionValue>>,
    },
}

/// What ADD and MODIFY bring.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SchemaChange {
    /// Columns with the place they are put to.
    pub columns: Vec<(ColumnDef, Option<ColumnPlace>)>,
    /// WATERMARK FOR
    pub watermark: Option<Watermark>,
    /// PRIMARY KEY
    pub primary_key: Option<PrimaryKey>,
    /// DISTRIBUTED
    pub distribution: Option<Distribution>,
}

/// Where ALTER TABLE puts a column.
#[derive(Clone, PartialEq, Debug)]
pub enum ColumnPlace {
    /// FIRST
    First,
    /// AFTER column
    After(Ident),
}

/// `CREATE [OR ALTER] [TEMPORARY] VIEW [IF NOT EXISTS] name [(columns)] [COMMENT] AS query`
#[derive(Clone, PartialEq, Debug)]
pub struct CreateView {
    /// The position of CREATE.
    pub position: Position,
    /// TEMPORARY
    pub temporary: bool,
    /// IF NOT EXISTS
    pub if_not_exists: bool,
    /// Its name.
    pub name: ObjectName,
    /// New names of the query's columns; empty: the query's own.
    pub columns: Vec<Ident>,
    /// COMMENT
    pub comment: Option<Text>,
    /// The query.
    pub query: QueryText,
}

/// ALTER VIEW
#[derive(Clone, PartialEq, Debug)]
pub struct AlterView {
    /// The view.
    pub name: ObjectName,
    /// What is changed.
    pub operation: AlterViewOperation,
}

/// What ALTER VIEW changes.
#[derive(Clone, PartialEq, Debug)]
pub enum AlterViewOperation {
    /// RENAME TO name
    RenameTo(ObjectName),
    /// AS query
    As(QueryText),
}
