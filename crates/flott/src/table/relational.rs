//! The Table API: queries made of method calls.
//!
//! Each call makes a query over the table before, and resolves its names at once, so a mistake is told where it is
//! made. The planner sees one query in the end.

use flott_datastream::JobClient;
use flott_sql_parser::Position;
use flott_sql_parser::ast::{
    Expr, ExprKind, GroupItem, NamedTable, ObjectName, Query, QueryBody, Relation, RelationKind, Select,
    SelectItem, TableAlias, TableWithJoins, Values,
};
use flott_types::{Error, Result};
use std::sync::Arc;

use super::expression::ident;
use super::over::OverWindow;
use super::window::{GroupWindow, WindowedTable};
use super::{Expression, SortKey, StreamTableEnvironment, Table, TableResult};

/// So many characters of a query are shown when it is wrong.
const SHOWN: usize = 500;

/// A query of this body alone.
pub(super) fn query(body: QueryBody) -> Query {
    Query { position: Position::START, with: None, body, order_by: Vec::new(), limit: None, offset: None }
}

/// `SELECT items FROM relation`
pub(super) fn select(items: Vec<SelectItem>, relation: Relation) -> Select {
    Select {
        position: Position::START,
        hints: Vec::new(),
        distinct: false,
        items,
        from: vec![TableWithJoins { relation, joins: Vec::new() }],
        condition: None,
        group_by: Vec::new(),
        group_distinct: false,
        having: None,
        windows: Vec::new(),
        qualify: None,
    }
}

pub(super) fn all_columns() -> Vec<SelectItem> {
    vec![SelectItem::Wildcard(Position::START)]
}

pub(super) fn checked(fields: Vec<Expression>, within: &str) -> Result<Vec<Expression>> {
    if fields.is_empty() {
        return Err(Error::invalid(format!("{within}: no expressions")));
    }
    fields.iter().try_for_each(|field| field.checked(within).map(drop))?;
    Ok(fields)
}

/// The select list.
pub(super) fn items(fields: Vec<Expression>, within: &str) -> Result<Vec<SelectItem>> {
    let item = |field: Expression| {
        if field.as_column() == Some("*") {
            return Ok(SelectItem::Wildcard(Position::START));
        }
        match &field.names[..] {
            [] => Ok(SelectItem::Expr { expr: field.expr, alias: None }),
            [name] => Ok(SelectItem::Expr { alias: Some(ident(name)), expr: field.expr }),
            _ => Err(Error::invalid(format!("{within}: {field} has several names, and is one column"))),
        }
    };
    checked(fields, within)?.into_iter().map(item).collect()
}

/// The keys of GROUP BY.
pub(super) fn group_items<'a>(keys: impl IntoIterator<Item = &'a Expression>) -> Result<Vec<GroupItem>> {
    keys.into_iter().map(|key| Ok(GroupItem::Expr(key.unnamed("group_by")?))).collect()
}

pub(super) fn collected<E: Into<Expression>>(fields: impl IntoIterator<Item = E>) -> Vec<Expression> {
    fields.into_iter().map(Into::into).collect()
}

impl StreamTableEnvironment {
    /// Rows of constants. The columns are named `f0`, `f1` and so on.
    ///
    /// ```
    /// # use flott::prelude::*;
    /// # use flott::table::{StreamTableEnvironment, lit, row};
    /// # let env = StreamExecutionEnvironment::new();
    /// # env.set_parallelism(1);
    /// # let tables = StreamTableEnvironment::new(&env)?;
    /// let table = tables.from_values([row([lit(1), lit("tea")]), row([lit(2), lit("cake")])])?;
    /// let rows = table.to_data_stream::<(i32, String)>()?.execute_and_collect("values")?;
    /// assert_eq!(rows.collect::<Result<Vec<_>>>()?.len(), 2);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are none, or they have different columns.
    pub fn from_values<E: Into<Expression>>(&self, rows: impl IntoIterator<Item = E>) -> Result<Table> {
        let rows = checked(collected(rows), "from_values")?;
        let fields = |row: Expression| match row.expr.kind {
            ExprKind::Row(fields) => fields,
            _ => vec![row.expr],
        };
        let rows: Vec<Vec<Expr>> = rows.into_iter().map(fields).collect();
        let names = (0..rows.first().map_or(0, Vec::len)).map(|at| ident(&format!("f{at}"))).collect();
        let values = query(QueryBody::Values(Values { position: Position::START, rows }));
        let derived = RelationKind::Derived { lateral: false, query: Box::new(values) };
        let mut relation = Relation::new(Position::START, derived);
        relation.alias = Some(TableAlias { name: ident("T"), columns: names });
        self.bind(query(QueryBody::Select(Box::new(select(all_columns(), relation)))), "from_values")
    }

    /// A query as a table.
    pub(super) fn bind(&self, query: Query, within: &str) -> Result<Table> {
        let text = query.to_string();
        self.sql_query(&text).map_err(|error| {
            let shown = text.char_indices().nth(SHOWN).map_or(&text[..], |(end, _)| &text[..end]);
            let more = if shown.len() < text.len() { " ..." } else { "" };
            error.context(format_args!("{within}: in {shown}{more}"))
        })
    }
}

impl Table {
    /// A name by which a query can read it.
    pub(super) fn view_name(&self) -> Result<ObjectName> {
        let path = self.tables.named(self)?;
        Ok(ObjectName([&path.catalog, &path.database, &path.object].map(|part| ident(part)).to_vec()))
    }

    pub(super) fn relation(&self) -> Result<Relation> {
        let name = self.view_name()?;
        let table = NamedTable { name, hints: Vec::new(), errors: None, as_of: None };
        Ok(Relation::new(Position::START, RelationKind::Table(Box::new(table))))
    }

    pub(super) fn bind(&self, select: Select, within: &str) -> Result<Table> {
        self.tables.bind(query(QueryBody::Select(Box::new(select))), within)
    }

    /// The names of its columns.
    pub(super) fn names(&self) -> Vec<String> {
        self.schema().columns.into_iter().map(|column| column.name).collect()
    }

    /// Computes columns, or aggregates of all rows. `col("*")` is all columns.
    ///
    /// ```
    /// # use flott::prelude::*;
    /// # use flott::table::{StreamTableEnvironment, col};
    /// # let env = StreamExecutionEnvironment::new();
    /// # env.set_parallelism(1);
    /// # let tables = StreamTableEnvironment::new(&env)?;
    /// let numbers = tables.from_data_stream(&env.from_sequence(1, 3))?;
    /// let squares = numbers.select([(col("f0") * col("f0")).alias("square")])?;
    /// let squares = squares.to_data_stream::<i64>()?.execute_and_collect("squares")?;
    /// assert_eq!(squares.collect::<Result<Vec<_>>>()?, [1, 4, 9]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If a name is unknown or types do not fit.
    pub fn select<E: Into<Expression>>(&self, fields: impl IntoIterator<Item = E>) -> Result<Table> {
        self.bind(select(items(collected(fields), "select")?, self.relation()?), "select")
    }

    /// Keeps the rows for which the condition is true.
    ///
    /// # Errors
    /// As [`Table::select`].
    pub fn filter(&self, condition: impl Into<Expression>) -> Result<Table> {
        let condition = Some(condition.into().unnamed("filter")?);
        self.bind(Select { condition, ..select(all_columns(), self.relation()?) }, "filter")
    }

    /// The same (`where`).
    ///
    /// # Errors
    /// As [`Table::select`].
    pub fn where_(&self, condition: impl Into<Expression>) -> Result<Table> {
        self.filter(condition)
    }

    /// Rows that are equal once.
    ///
    /// # Errors
    /// If rows of these types cannot be compared.
    pub fn distinct(&self) -> Result<Table> {
        self.bind(Select { distinct: true, ..select(all_columns(), self.relation()?) }, "distinct")
    }

    /// Groups rows by keys.
    ///
    /// ```
    /// # use flott::prelude::*;
    /// # use flott::table::{StreamTableEnvironment, col};
    /// # let env = StreamExecutionEnvironment::new();
    /// # env.set_parallelism(1);
    /// # let tables = StreamTableEnvironment::new(&env)?;
    /// let orders: DataStream<(String, i32)> = env.from_collection([("tea", 3), ("tea", 4)]);
    /// let orders = tables.from_data_stream(&orders)?.alias(["product", "amount"])?;
    /// let sums = orders.group_by([col("product")]).select([col("product"), col("amount").sum()])?;
    /// let changes = sums.execute_and_collect::<(String, i32)>("sums")?.collect::<Result<Vec<_>>>()?;
    /// assert_eq!(changes.last().map(|(_, row)| row), Some(&("tea".to_owned(), 7)));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn group_by<E: Into<Expression>>(&self, keys: impl IntoIterator<Item = E>) -> GroupedTable {
        GroupedTable { table: self.clone(), keys: collected(keys) }
    }

    /// Puts rows into windows of time, which [`WindowedTable::group_by`] groups by.
    pub fn window(&self, window: impl Into<GroupWindow>) -> WindowedTable {
        WindowedTable::new(self.clone(), window.into())
    }

    /// Defines windows of rows around each row, for [`Expression::over`].
    ///
    /// ```
    /// # use flott::prelude::*;
    /// # use flott::table::{Over, Schema, StreamTableEnvironment, col};
    /// # let env = StreamExecutionEnvironment::new();
    /// # env.set_parallelism(1);
    /// # let tables = StreamTableEnvironment::new(&env)?;
    /// let schema = Schema::new().column_by_expression("now", "PROCTIME()");
    /// let orders: DataStream<(String, i32)> = env.from_collection([("tea", 3), ("tea", 4)]);
    /// let orders = tables.from_data_stream_with(&orders, &schema)?;
    /// let last = Over::partition_by([col("f0")]).order_by(col("now")).preceding_rows(1).alias("w");
    /// let sums = orders.over_window([last]).select([col("f0"), col("f1").sum().over("w")])?;
    /// let sums = sums.to_data_stream::<(String, i32)>()?.execute_and_collect("sums")?;
    /// assert_eq!(sums.collect::<Result<Vec<_>>>()?, [("tea".to_owned(), 3), ("tea".to_owned(), 7)]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn over_window(&self, windows: impl IntoIterator<Item = OverWindow>) -> OverWindowedTable {
        OverWindowedTable { table: self.clone(), windows: windows.into_iter().collect() }
    }

    /// Sorts rows: a stream by its time first, unless [`Table::fetch`] takes the first ones.
    ///
    /// # Errors
    /// If they cannot be sorted by that.
    pub fn order_by<K: Into<SortKey>>(&self, keys: impl IntoIterator<Item = K>) -> Result<Table> {
        let mut sorted = query(QueryBody::Select(Box::new(select(all_columns(), self.relation()?))));
        for key in keys {
            sorted.order_by.push(key.into().item("order_by")?);
        }
        if sorted.order_by.is_empty() {
            return Err(Error::invalid("order_by: no keys"));
        }
        let table = self.tables.bind(sorted.clone(), "order_by")?;
        Ok(Table { sorted: Some(Arc::new(sorted)), ..table })
    }

    /// Takes so many rows; [`Table::order_by`] before it says which.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn fetch(&self, rows: u64) -> Result<Table> {
        self.limit(0, rows)
    }

    /// Takes so many rows behind the first ones; [`Table::order_by`] before it says which.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn limit(&self, offset: u64, rows: u64) -> Result<Table> {
        let mut taken = match self.sorted.as_deref() {
            Some(sorted) => sorted.clone(),
            None => query(QueryBody::Select(Box::new(select(all_columns(), self.relation()?)))),
        };
        taken.offset = (offset > 0).then_some(offset);
        taken.limit = Some(rows);
        self.tables.bind(taken, "limit")
    }

    /// Writes its rows into the table of this name, with a job of its own.
    ///
    /// # Errors
    /// If there is no such table, or it cannot take the rows.
    pub fn execute_insert(&self, target: &str) -> Result<JobClient> {
        let mut set = self.tables.create_statement_set();
        set.add_insert(target, self)?;
        set.execute()
    }

    /// How it is computed.
    ///
    /// # Errors
    /// If it cannot be planned.
    pub fn explain(&self) -> Result<String> {
        match self.tables.execute_sql(&format!("EXPLAIN {}", self.bound.text()))? {
            TableResult::Answer(answer) => {
                Ok(answer.rows.into_iter().flatten().flatten().collect::<Vec<_>>().join("\n"))
            }
            _ => Err(Error::internal("EXPLAIN has no answer")),
        }
    }
}

/// Rows in groups.
#[derive(Clone, Debug)]
pub struct GroupedTable {
    table: Table,
    keys: Vec<Expression>,
}

impl GroupedTable {
    /// Computes columns of keys and aggregates, a row for each group.
    ///
    /// # Errors
    /// As [`Table::select`].
    pub fn select<E: Into<Expression>>(&self, fields: impl IntoIterator<Item = E>) -> Result<Table> {
        let group_by = group_items(&self.keys)?;
        if group_by.is_empty() {
            return self.table.select(fields);
        }
        let items = items(collected(fields), "select")?;
        self.table.bind(Select { group_by, ..select(items, self.table.relation()?) }, "group_by")
    }
}

/// Rows with windows around each.
#[derive(Clone, Debug)]
pub struct OverWindowedTable {
    table: Table,
    windows: Vec<OverWindow>,
}

impl OverWindowedTable {
    /// Computes columns for each row.
    ///
    /// # Errors
    /// As [`Table::select`].
    pub fn select<E: Into<Expression>>(&self, fields: impl IntoIterator<Item = E>) -> Result<Table> {
        let windows = self.windows.iter().map(OverWindow::definition).collect::<Result<Vec<_>>>()?;
        let items = items(collected(fields), "select")?;
        self.table.bind(Select { windows, ..select(items, self.table.relation()?) }, "over_window")
    }
}
