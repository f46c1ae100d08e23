//! Tables and views by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_connector::Changelog;
use flott_connector::options::PROVIDER;
use flott_expr::bind;
use flott_plan::{Expr, Schema, TableSpec};
use flott_sql_parser::ast::{Expr as Ast, ExprKind, Hint, HintArg};
use flott_sql_parser::{parse_expression, parse_query};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::expr::ExprBinder;
use super::{Binder, Place, Scope, at, unsupported, wrong};
use crate::catalog::{CatalogObject, ObjectPath, Table, TableColumnKind, View};
use crate::logical::{Field, Rel, RelNode, Scan, TimeAttribute, is_time_attribute_type};

impl Binder<'_> {
    /// The relation that a name stands for, and the name by which its columns can be qualified.
    pub(crate) fn named_relation(
        &self,
        parts: &[String],
        hints: &[Hint],
        node: &impl Place,
    ) -> Result<(String, Rel)> {
        if let [name] = parts {
            let ctes = self.ctes.borrow();
            if let Some((_, rel)) = ctes.iter().rev().find(|(cte, _)| cte == name) {
                if !hints.is_empty() {
                    return Err(wrong(
                        "OPTIONS hints belong to tables, not to common table expressions",
                        node,
                    ));
                }
                at(self.expand(rel), node)?;
                return Ok((name.clone(), rel.clone()));
            }
        }
        let path = at(self.qualify(parts), node)?;
        let name = path.object.clone();
        let rel = match self.catalogs.lookup(&path)? {
            None => return Err(wrong(format!("Object '{}' not found", parts.join(".")), node)),
            Some(CatalogObject::View(view)) => {
                if !hints.is_empty() {
                    return Err(wrong(format!("View '{path}' cannot be enriched with new options"), node));
                }
                let rel =
                    self.view(&path, &view).map_err(|error| error.context(format!("in view {path}")))?;
                at(self.expand(&rel), node)?;
                rel
            }
            Some(CatalogObject::Table(table)) => {
                let table = self.with_hints(&table, hints)?;
                at(self.scan(path, table), node)?
            }
        };
        Ok((name, rel))
    }

    /// The full path of a name as resolved here (inside a view: as resolved where the view was created).
    pub(crate) fn qualify(&self, parts: &[String]) -> Result<ObjectPath> {
        let namespace = self.namespace.borrow();
        match (namespace.as_ref(), parts) {
            (Some((catalog, database)), [object]) => Ok(ObjectPath {
                catalog: catalog.clone(),
                database: database.clone(),
                object: object.clone(),
            }),
            (Some((catalog, _)), [database, object]) => Ok(ObjectPath {
                catalog: catalog.clone(),
                database: database.clone(),
                object: object.clone(),
            }),
            _ => self.catalogs.qualify(parts),
        }
    }

    fn view(&self, path: &ObjectPath, view: &View) -> Result<Rel> {
        if self.views.borrow().iter().any(|open| *open == path.plain()) {
            return Err(Error::invalid("the view refers to itself"));
        }
        let query = parse_query(&view.text)?;
        self.views.borrow_mut().push(path.plain());
        let ctes = self.ctes.take();
        let namespace = self.namespace.replace(Some((view.catalog.clone(), view.database.clone())));
        let bound = self.query(&query, None);
        self.namespace.replace(namespace);
        self.ctes.replace(ctes);
        self.views.borrow_mut().pop();
        let rel = bound?;
        let mut columns = Vec::with_capacity(view.columns.len());
        for ((name, ty), source) in view.columns.iter().zip(&view.sources) {
            let found = rel.fields.iter().position(|field| field.name == *source && field.ty.kind == ty.kind);
            let Some(index) = found else {
                return Err(Error::invalid(format!(
                    "the tables below it have changed since it was made: its column '{name}' of type {ty} is gone; create it \
                     again"
                )));
            };
            columns.push((index, name));
        }
        let unchanged = columns.len() == rel.fields.len()
            && columns
                .iter()
                .enumerate()
                .all(|(at, (index, name))| at == *index && rel.fields[at].name == **name);
        if unchanged {
            return Ok(rel);
        }
        let columns = columns.into_iter().map(|(index, name)| (rel.column(index), name.clone())).collect();
        Ok(rel.project(columns))
    }

    fn with_hints(&self, table: &Arc<Table>, hints: &[Hint]) -> Result<Arc<Table>> {
        if hints.is_empty() {
            return Ok(Arc::clone(table));
        }
        let mut changed = Table::clone(table);
        for hint in hints {
            if hint.name != "OPTIONS" {
                return Err(unsupported(format!("the hint {} behind a table", hint.name), hint));
            }
            if let Some(HintArg::Item(item)) = hint.args.iter().find(|arg| matches!(arg, HintArg::Item(_))) {
                return Err(wrong(format!("the hint OPTIONS takes 'key' = 'value', not '{item}'"), hint));
            }
            changed.options.extend(hint.options().map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        Ok(Arc::new(changed))
    }

    /// Reads a table: its physical and metadata columns, then computed columns, then the watermark.
    pub(crate) fn scan(&self, path: ObjectPath, table: Arc<Table>) -> Result<Rel> {
        let physical: Vec<_> = table.columns.iter().filter(|c| c.kind == TableColumnKind::Physical).collect();
        let mut fields: Vec<Field> =
            physical.iter().map(|c| Field::new(c.name.clone(), c.ty.clone())).collect();
        let spec = table_spec(&path, &table)?;
        let (readable, projects_fields) = match self.connectors.table(&spec) {
            // A stream of upserts is completed by its key, which requires whole rows.
            Ok(table) => (
                table.readable_metadata(),
                table.projects_fields() && table.source_changelog()? != Changelog::Upsert,
            ),
            Err(error) => return Err(error.context(format!("table {path}"))),
        };
        let mut metadata = Vec::new();
        let mut casts: Vec<(usize, LogicalType)> = Vec::new();
        for column in &table.columns {
            let TableColumnKind::Metadata { key, .. } = &column.kind else { continue };
            let key = key.as_deref().unwrap_or(&column.name);
            let Some((_, ty)) = readable.iter().find(|(known, _)| known == key) else {
                let known: Vec<&str> = readable.iter().map(|(key, _)| key.as_str()).collect();
                return Err(Error::invalid(format!(
                    "Invalid metadata key '{key}' in column '{}' of table {path}; the connector has: {}",
                    column.name,
                    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
                )));
            };
            casts.push((fields.len(), column.ty.clone()));
            metadata.push((key.to_owned(), ty.clone()));
            fields.push(Field::new(column.name.clone(), ty.clone()));
        }
        let projection = (0..physical.len()).collect();
        let paths = Vec::new();
        let table_read = Arc::clone(&table);
        let scan = Scan {
            path,
            table: table_read,
            projection,
            paths,
            projects_fields,
            metadata,
            limit: None,
            errors: None,
            model: false,
        };
        let rel = Rel::new(RelNode::Scan(scan), fields);
        let rel = self.declared_columns(rel, &table, &casts)?;
        if let Some(watermark) = &table.watermark
            && is_source_watermark(&parse_expression(&watermark.text)?)
        {
            return self.source_watermark(rel, &watermark.column, &spec);
        }
        self.watermark(rel, &table)
    }

    /// WATERMARK FOR column AS SOURCE_WATERMARK(): what the source sends holds for the column.
    fn source_watermark(&self, mut rel: Rel, column: &str, table: &TableSpec) -> Result<Rel> {
        if !self.connectors.table(table)?.sends_watermarks() {
            return Err(Error::invalid(format!(
                "the table '{}' has the watermark SOURCE_WATERMARK(), and its source sends no watermarks of its own; write an \
                 expression such as {column} - INTERVAL '5' SECOND",
                table.name
            )));
        }
        let Some(at) = rel.fields.iter().position(|field| field.name == column) else {
            return Err(Error::invalid(format!("the watermark's column '{column}' does not exist")));
        };
        check_rowtime(&rel.fields[at].ty, &rel.fields[at].ty, column)?;
        is_event_time(&mut rel, at);
        Ok(rel)
    }

    /// The columns in declared order, computed ones included.
    fn declared_columns(&self, rel: Rel, table: &Table, casts: &[(usize, LogicalType)]) -> Result<Rel> {
        if table.columns.iter().all(|column| column.kind == TableColumnKind::Physical) {
            return Ok(rel);
        }
        let scope = Scope::of(None, rel.fields.clone(), None);
        let mut columns = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            let expr = match &column.kind {
                TableColumnKind::Computed { text } => self
                    .computed(text, &scope)
                    .map_err(|error| error.context(format!("computed column '{}'", column.name)))?,
                _ => {
                    let index = rel.fields.iter().position(|field| field.name == column.name).unwrap_or(0);
                    let expr = rel.column(index);
                    match casts.iter().find(|(cast, _)| *cast == index) {
                        Some((_, ty)) => bind::cast(expr, ty.clone(), false)?,
                        None => expr,
                    }
                }
            };
            columns.push((expr, column.name.clone()));
        }
        Ok(rel.project(columns))
    }

    /// The expression of a computed column or watermark over a table's columns, from its text.
    pub(crate) fn computed(&self, text: &str, scope: &Scope<'_>) -> Result<Expr> {
        self.computed_ast(&parse_expression(text)?, scope)
    }

    /// The same from its syntax tree, which knows its position in the script.
    pub(crate) fn computed_ast(&self, ast: &Ast, scope: &Scope<'_>) -> Result<Expr> {
        ExprBinder::scalar(self, scope).bind(ast)
    }

    fn watermark(&self, rel: Rel, table: &Table) -> Result<Rel> {
        let Some(watermark) = &table.watermark else { return Ok(rel) };
        let Some(column) = rel.fields.iter().position(|field| field.name == watermark.column) else {
            return Err(Error::invalid(format!(
                "the watermark's column '{}' does not exist",
                watermark.column
            )));
        };
        let scope = Scope::of(None, rel.fields.clone(), None);
        let expr = self.computed(&watermark.text, &scope).map_err(|error| error.context("WATERMARK"))?;
        check_rowtime(&rel.fields[column].ty, expr.ty(), &watermark.column)?;
        let mut fields = rel.fields.clone();
        fields[column].time = Some(TimeAttribute::Event);
        fields[column].shown = Some(TimeAttribute::Event);
        if !self.context.streaming {
            return Ok(Rel { fields, ..rel });
        }
        Ok(Rel::new(RelNode::Watermark { input: Box::new(rel), column, expr }, fields))
    }

    /// What an INSERT writes to: the table and its path.
    pub(crate) fn target(
        &self,
        parts: &[String],
        hints: &[Hint],
        node: &impl Place,
    ) -> Result<(ObjectPath, Arc<Table>)> {
        let path = at(self.qualify(parts), node)?;
        match self.catalogs.lookup(&path)? {
            Some(CatalogObject::Table(table)) => Ok((path, self.with_hints(&table, hints)?)),
            Some(CatalogObject::View(_)) => Err(unsupported(format!("INSERT into the view {path}"), node)),
            None => Err(wrong(format!("Object '{}' not found", parts.join(".")), node)),
        }
    }
}

/// A column is event time as it comes from the source, or from where it is computed.
fn is_event_time(rel: &mut Rel, column: usize) {
    rel.fields[column].time = Some(TimeAttribute::Event);
    rel.fields[column].shown = Some(TimeAttribute::Event);
    if let RelNode::Project { input, exprs } = &mut rel.node
        && let Expr::Column { index, .. } = &exprs[column]
    {
        is_event_time(input, *index);
    }
}

/// Whether a watermark is that of the source: SOURCE_WATERMARK().
pub(crate) fn is_source_watermark(ast: &Ast) -> bool {
    let ExprKind::Call(call) = &ast.kind else { return false };
    let name = call.name.parts();
    call.args.is_empty() && name.len() == 1 && name[0].eq_ignore_ascii_case("SOURCE_WATERMARK")
}

/// Checks the types of WATERMARK FOR.
pub(crate) fn check_rowtime(column: &LogicalType, expr: &LogicalType, name: &str) -> Result<()> {
    if !is_time_attribute_type(column) {
        return Err(Error::invalid(format!(
            "Invalid data type of time field for watermark definition: '{name}' is {}; it must be TIMESTAMP(p) or \
             TIMESTAMP_LTZ(p) with p from 0 to 3",
            column.kind
        )));
    }
    let fits = match expr.kind {
        TypeKind::Timestamp(_) => matches!(column.kind, TypeKind::Timestamp(_)),
        TypeKind::TimestampLtz(_) => matches!(column.kind, TypeKind::TimestampLtz(_)),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Invalid data type of expression for watermark definition: it is {}; it must be of the type of '{name}', {}",
        expr.kind, column.kind
    )))
}

/// The table as the plan and the connector see it.
pub(crate) fn table_spec(path: &ObjectPath, table: &Table) -> Result<TableSpec> {
    let Some(connector) = table.options.get("connector") else {
        return Err(Error::invalid(format!(
            "table {path} has no option 'connector'; it cannot be read or written: WITH ('connector' = '...')"
        )));
    };
    Ok(connected(path, table, connector))
}

/// The plan's form of a model that is looked up as a table.
pub(crate) fn model_spec(path: &ObjectPath, table: &Table) -> TableSpec {
    connected(path, table, table.options.get(PROVIDER.key()).map_or("", String::as_str))
}

fn connected(path: &ObjectPath, table: &Table, connector: &str) -> TableSpec {
    let physical: Vec<_> = table.columns.iter().filter(|c| c.kind == TableColumnKind::Physical).collect();
    let schema = Schema::new(physical.iter().map(|column| (column.name.clone(), column.ty.clone())));
    let key = table.primary_key.iter().flat_map(|key| &key.columns);
    let primary_key = key.filter_map(|column| schema.index_of(column)).collect();
    let options: BTreeMap<String, String> = table.options.clone();
    TableSpec {
        name: path.plain(),
        connector: connector.to_owned(),
        options,
        schema,
        partition_keys: table.partition_keys.clone(),
        primary_key,
    }
}
