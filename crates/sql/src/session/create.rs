//! CREATE TABLE, VIEW, DATABASE, CATALOG.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_expr::bind;
use flott_sql_parser::ast::{
    ColumnDef, ColumnKind, CreateCatalog, CreateDatabase, CreateTable, CreateView, Distribution, Expr, Ident,
    Insert, ObjectName, PrimaryKey, QueryText, Replace, SqlOption, Watermark,
};
use flott_sql_parser::parse_expression;
use flott_types::{Error, Result};

use super::{Outcome, Session, parts};
use crate::bind::table::{check_rowtime, is_source_watermark};
use crate::bind::{Binder, Scope};
use crate::catalog::{
    CatalogDescription, CatalogObject, Database, DistributionKind, NamedCatalog, ObjectPath, PrimaryKeyDef,
    Table, TableColumn, TableColumnKind, TableDistribution, View, WatermarkDef,
};
use crate::logical::{Field, Rel};

impl Session {
    pub(super) fn create_table(&mut self, create: &CreateTable) -> Result<Outcome> {
        let Some(query) = &create.query else {
            return self.create_empty_table(create).map(|()| Outcome::Done);
        };
        if create.temporary {
            return Err(Error::unsupported(format!(
                "CREATE TABLE AS SELECT syntax does not support to create temporary table yet, at {}",
                create.position
            )));
        }
        let path = self.path(&create.name)?;
        self.catalogs.database(&path.catalog, &path.database)?;
        let replaced = self.catalogs.permanent(&path)?;
        match (&replaced, create.replace) {
            (Some(_), Replace::Never) if create.if_not_exists => return Ok(Outcome::Done),
            (Some(_), Replace::Never) => return Err(taken(&path)),
            (Some(object), _) if object.is_view() || object.is_materialized() => {
                return Err(super::materialized::not_replaced(&path, object));
            }
            (None, Replace::MustExist) => {
                return Err(Error::invalid(format!(
                    "The table {path} to be replaced doesn't exist. You can try to use CREATE TABLE AS statement or CREATE OR \
                     REPLACE TABLE AS statement."
                )));
            }
            (Some(_) | None, _) => {}
        }
        // Bound before the table is there: the query may read the table that is replaced.
        let source = self.bound(&query.query)?;
        let table = self.ctas_table(create, self.resolved_table(create)?, &source)?;
        let names = source.fields.iter().map(|field| field.name.clone());
        let columns = names.map(|name| Ident::new(name, query.position)).collect();
        let insert = Insert {
            position: create.position,
            overwrite: false,
            target: create.name.clone(),
            hints: Vec::new(),
            partition: Vec::new(),
            columns,
            source: query.query.clone(),
            on_conflict: None,
        };
        self.catalogs.put(&path, CatalogObject::Table(Arc::new(table)))?;
        // A table that cannot be written to is not created.
        let planned = self.insert_bound(&insert, source);
        if planned.is_err() {
            match replaced {
                Some(object) => self.catalogs.put(&path, object)?,
                None => self.remove(&path, false).map(|_| ())?,
            }
        }
        planned
    }

    fn create_empty_table(&mut self, create: &CreateTable) -> Result<()> {
        let path = self.path(&create.name)?;
        self.catalogs.database(&path.catalog, &path.database)?;
        if self.exists(&path, create.temporary)? {
            return if create.if_not_exists { Ok(()) } else { Err(taken(&path)) };
        }
        let table = self.resolved_table(create)?;
        self.put(path, CatalogObject::Table(Arc::new(table)), create.temporary)
    }

    /// The columns of CREATE TABLE AS: the query's, with those declared.
    pub(super) fn ctas_table(&self, create: &CreateTable, mut table: Table, query: &Rel) -> Result<Table> {
        let mut columns: Vec<TableColumn> = query
            .fields
            .iter()
            .map(|field| TableColumn {
                name: field.name.clone(),
                kind: TableColumnKind::Physical,
                // As Flink does, the table does not promise what the query happens to know.
                ty: field.ty.clone(),
                comment: None,
            })
            .collect();
        if !create.column_order.is_empty() {
            let mut ordered = Vec::with_capacity(columns.len());
            for name in &create.column_order {
                match columns.iter().position(|column| column.name == name.value) {
                    Some(index) => ordered.push(columns.remove(index)),
                    None => return Err(Error::invalid(format!("the query has no column '{}'", name.value))),
                }
            }
            if let Some(left) = columns.first() {
                return Err(Error::invalid(format!(
                    "the column list lacks the query's column '{}'",
                    left.name
                )));
            }
            columns = ordered;
        }
        // Declared columns that the query does not have come first; those that it has are in its order, with the types declared.
        let mut declared = std::mem::take(&mut table.columns);
        for column in &mut columns {
            let Some(at) = declared.iter().position(|known| known.name == column.name) else { continue };
            let known = declared.remove(at);
            if known.kind != TableColumnKind::Physical {
                return Err(Error::invalid(format!(
                    "column '{}' of the query is declared as computed",
                    known.name
                )));
            }
            if !bind::assignable(&column.ty, &known.ty) {
                return Err(Error::invalid(format!(
                    "column '{}' is declared as {} and the query gives {}",
                    known.name, known.ty, column.ty
                )));
            }
            *column = known;
        }
        declared.extend(columns);
        table.columns = declared;
        let key_columns =
            table.primary_key.iter().flat_map(|key| key.columns.iter().map(move |name| (key, name)));
        for (key, name) in key_columns {
            if table.column(name).is_some_and(|column| column.ty.nullable) {
                return Err(nullable_key(&key.name, name));
            }
        }
        self.check_with(&mut table, &Expressions::of(create))?;
        Ok(table)
    }

    /// Whether the name is taken at that level.
    pub(super) fn exists(&self, path: &ObjectPath, temporary: bool) -> Result<bool> {
        if temporary {
            Ok(self.catalogs.temporary.contains_key(path))
        } else {
            Ok(self.catalogs.permanent(path)?.is_some())
        }
    }

    /// Puts an object into the catalog.
    pub(super) fn put(&mut self, path: ObjectPath, object: CatalogObject, temporary: bool) -> Result<()> {
        if !temporary {
            return self.catalogs.put(&path, object);
        }
        self.catalogs.temporary.insert(path, object);
        Ok(())
    }

    pub(super) fn resolved_table(&self, create: &CreateTable) -> Result<Table> {
        let own = Declared {
            columns: create.columns.iter().map(declared_column).collect(),
            watermark: create.watermark.as_ref().map(watermark_def).transpose()?,
            primary_key: create.primary_key.as_ref().map(primary_key_def),
            partition_keys: create.partitioned_by.iter().map(|column| column.value.clone()).collect(),
            options: options_map(&create.options),
            comment: create.comment.as_ref().map(|comment| comment.value.clone()),
            distribution: create.distribution.as_ref().map(table_distribution),
        };
        let mut table = match &create.like {
            Some(like) => self.merged_like(own, like)?,
            None => own.into_table(),
        };
        // The key of a table that is like another makes no column NOT NULL that came from there.
        let own = |name: &str| create.columns.iter().any(|column| column.name.value == name);
        let inherited =
            |name: &&String| !own(name) && table.column(name).is_some_and(|column| column.ty.nullable);
        if let (Some(_), Some(_), Some(key)) = (&create.like, &create.primary_key, &table.primary_key)
            && let Some(name) = key.columns.iter().find(inherited)
        {
            return Err(nullable_key(&key.name, name));
        }
        // Of CREATE TABLE AS, some columns are those of the query.
        if create.query.is_none() {
            self.check_with(&mut table, &Expressions::of(create))?;
        }
        Ok(table)
    }

    /// Checks a table's parts against each other, and derives the types of computed columns and of the
    /// watermark.
    pub(super) fn check(&self, table: &mut Table) -> Result<()> {
        self.check_with(table, &Expressions::default())
    }

    /// The same, with the expressions of the statement, so that errors in them have their position.
    fn check_with(&self, table: &mut Table, written: &Expressions<'_>) -> Result<()> {
        for (index, column) in table.columns.iter().enumerate() {
            if table.columns[..index].iter().any(|other| other.name == column.name) {
                return Err(Error::invalid(format!(
                    "A column named '{}' already exists in the table.",
                    column.name
                )));
            }
        }
        let key_columns: Vec<String> = table.primary_key.iter().flat_map(|key| key.columns.clone()).collect();
        for name in &key_columns {
            match table.columns.iter_mut().find(|column| column.name == *name) {
                Some(column) if column.kind == TableColumnKind::Physical => column.ty.nullable = false,
                Some(_) => {
                    return Err(Error::invalid(format!(
                        "the primary key's column '{name}' is not a physical column"
                    )));
                }
                None => {
                    return Err(Error::invalid(format!("the primary key's column '{name}' does not exist")));
                }
            }
        }
        for (index, name) in key_columns.iter().enumerate() {
            if key_columns[..index].contains(name) {
                return Err(Error::invalid(format!("the primary key names the column '{name}' twice")));
            }
        }
        for name in table.distribution.iter().flat_map(|distribution| &distribution.columns) {
            if !table.column(name).is_some_and(|column| column.kind == TableColumnKind::Physical) {
                return Err(Error::invalid(format!(
                    "Invalid bucket key '{name}'. A bucket key for a distribution must reference a physical column in the \
                     schema."
                )));
            }
        }
        for name in &table.partition_keys {
            if !table.column(name).is_some_and(|column| column.kind == TableColumnKind::Physical) {
                return Err(Error::invalid(format!(
                    "Partition column '{name}' not defined in the table schema."
                )));
            }
        }
        let context = self.plan_context()?;
        let binder = Binder::new(&self.catalogs, &self.connectors, &context);
        let stored: Vec<Field> = table
            .columns
            .iter()
            .filter(|column| !matches!(column.kind, TableColumnKind::Computed { .. }))
            .map(|column| Field::new(column.name.clone(), column.ty.clone()))
            .collect();
        let scope = Scope::of(None, stored, None);
        for column in &mut table.columns {
            if let TableColumnKind::Computed { text } = &column.kind {
                let ast = written.columns.iter().find(|(name, _)| *name == column.name);
                let bound = match ast {
                    Some((_, ast)) => binder.computed_ast(ast, &scope),
                    None => binder.computed(text, &scope),
                };
                let expr = bound.map_err(|error| {
                    error.context(format!("Invalid expression for computed column '{}'", column.name))
                })?;
                column.ty = expr.ty().clone();
            }
        }
        if let Some(watermark) = &mut table.watermark {
            let all: Vec<Field> = table
                .columns
                .iter()
                .map(|column| Field::new(column.name.clone(), column.ty.clone()))
                .collect();
            let Some(rowtime) = all.iter().find(|field| field.name == watermark.column).cloned() else {
                return Err(Error::invalid(format!(
                    "The rowtime attribute field '{}' is not defined in the table schema.",
                    watermark.column
                )));
            };
            let parsed = match written.watermark {
                Some(ast) => is_source_watermark(ast),
                None => is_source_watermark(&parse_expression(&watermark.text)?),
            };
            if parsed {
                check_rowtime(&rowtime.ty, &rowtime.ty, &watermark.column)?;
                watermark.ty = rowtime.ty;
                return Ok(());
            }
            let scope = Scope::of(None, all, None);
            let bound = match written.watermark {
                Some(ast) => binder.computed_ast(ast, &scope),
                None => binder.computed(&watermark.text, &scope),
            };
            let expr = bound.map_err(|error| error.context("Invalid expression for watermark"))?;
            check_rowtime(&rowtime.ty, expr.ty(), &watermark.column)?;
            watermark.ty = expr.ty().clone();
        }
        Ok(())
    }

    pub(super) fn create_view(&mut self, create: &CreateView) -> Result<()> {
        let path = self.path(&create.name)?;
        self.catalogs.database(&path.catalog, &path.database)?;
        if self.exists(&path, create.temporary)? {
            if create.if_not_exists {
                return Ok(());
            }
            return Err(Error::invalid(format!("Table (or view) {path} already exists.")));
        }
        if create.columns.is_empty() {
            self.distinct_names(&create.query.query)?;
        }
        let comment = create.comment.as_ref().map(|comment| comment.value.clone());
        let view = self.resolved_view(&create.query, &create.columns, comment)?;
        self.put(path, CatalogObject::View(Arc::new(view)), create.temporary)
    }

    /// A view of a query, checked by binding it.
    pub(super) fn resolved_view(
        &self,
        query: &QueryText,
        names: &[Ident],
        comment: Option<String>,
    ) -> Result<View> {
        let rel = self.bound(&query.query)?;
        if !names.is_empty() && names.len() != rel.fields.len() {
            return Err(Error::invalid(format!(
                "the view names {} columns, the query has {}, at {}",
                names.len(),
                rel.fields.len(),
                query.position
            )));
        }
        if let Some(twice) =
            names.iter().enumerate().find(|(at, name)| names[..*at].iter().any(|n| n.value == name.value))
        {
            return Err(Error::invalid(format!(
                "the view names the column '{}' twice, at {}",
                twice.1.value, query.position
            )));
        }
        let columns = rel.fields.iter().enumerate().map(|(index, field)| {
            let name = names.get(index).map_or_else(|| field.name.clone(), |name| name.value.clone());
            (name, field.ty.clone())
        });
        Ok(View {
            text: query.text.clone(),
            columns: columns.collect(),
            times: rel.fields.iter().map(|field| field.shown).collect(),
            sources: rel.fields.iter().map(|field| field.name.clone()).collect(),
            comment,
            catalog: self.catalogs.current_catalog.clone(),
            database: self.catalogs.current_database.clone(),
        })
    }

    pub(super) fn create_database(&mut self, create: &CreateDatabase) -> Result<()> {
        let (catalog, name) = self.database_path(&create.name)?;
        let options = options_map(&create.options);
        let comment = create.comment.as_ref().map(|comment| comment.value.clone());
        let found = &mut self.catalogs.catalog_mut(&catalog)?.catalog;
        if found.database(&name)?.is_some() {
            if create.if_not_exists {
                return Ok(());
            }
            return Err(Error::invalid(format!("Database {name} already exists in catalog {catalog}.")));
        }
        found.create_database(&name, Database { comment, options })
    }

    pub(super) fn create_catalog(&mut self, create: &CreateCatalog) -> Result<()> {
        let name = create.name.value.clone();
        if self.catalogs.catalogs.contains_key(&name) {
            if create.if_not_exists {
                return Ok(());
            }
            return Err(Error::invalid(format!("Catalog {name} already exists.")));
        }
        let options = options_map(&create.options);
        let catalog = self.connectors.catalog(&name, &options)?;
        let comment = create.comment.as_ref().map(|comment| comment.value.clone());
        if let Some(store) = &mut self.store {
            store
                .create(&name, &CatalogDescription { options: options.clone(), comment: comment.clone() })?;
        }
        self.catalogs.catalogs.insert(name, NamedCatalog { catalog, comment, options });
        Ok(())
    }
}

fn nullable_key(key: &str, column: &str) -> Error {
    Error::invalid(format!("Invalid primary key '{key}'. Column '{column}' is nullable."))
}

/// Expressions of a statement.
#[derive(Default)]
struct Expressions<'a> {
    columns: Vec<(&'a str, &'a Expr)>,
    watermark: Option<&'a Expr>,
}

impl<'a> Expressions<'a> {
    fn of(create: &'a CreateTable) -> Self {
        let columns = create.columns.iter().filter_map(|column| match &column.kind {
            ColumnKind::Computed { expr, .. } => Some((column.name.value.as_str(), expr.as_ref())),
            _ => None,
        });
        Expressions {
            columns: columns.collect(),
            watermark: create.watermark.as_ref().map(|w| w.expr.as_ref()),
        }
    }
}

/// The parts of a table as a statement declares them.
pub(super) struct Declared {
    pub columns: Vec<TableColumn>,
    pub watermark: Option<WatermarkDef>,
    pub primary_key: Option<PrimaryKeyDef>,
    pub partition_keys: Vec<String>,
    pub options: BTreeMap<String, String>,
    pub comment: Option<String>,
    pub distribution: Option<TableDistribution>,
}

impl Declared {
    pub fn into_table(self) -> Table {
        let Declared { columns, watermark, primary_key, partition_keys, options, comment, distribution } =
            self;
        let rest = Table::default();
        Table { columns, watermark, primary_key, partition_keys, options, comment, distribution, ..rest }
    }
}

/// A column; the type of a computed one is derived later.
pub(super) fn declared_column(column: &ColumnDef) -> TableColumn {
    let (kind, ty) = match &column.kind {
        ColumnKind::Physical { ty } => (TableColumnKind::Physical, ty.clone()),
        ColumnKind::Computed { text, .. } => {
            (TableColumnKind::Computed { text: text.clone() }, flott_types::TypeKind::Null.nullable())
        }
        ColumnKind::Metadata { ty, key, is_virtual } => {
            let key = key.as_ref().map(|key| key.value.clone());
            (TableColumnKind::Metadata { key, is_virtual: *is_virtual }, ty.clone())
        }
    };
    let comment = column.comment.as_ref().map(|comment| comment.value.clone());
    TableColumn { name: column.name.value.clone(), kind, ty, comment }
}

/// WATERMARK FOR; the type is derived later.
pub(super) fn watermark_def(watermark: &Watermark) -> Result<WatermarkDef> {
    let [column] = watermark.column.as_slice() else {
        return Err(Error::unsupported(format!(
            "WATERMARK FOR a nested field is not supported, at {}",
            watermark.position
        )));
    };
    let ty = flott_types::TypeKind::Null.nullable();
    Ok(WatermarkDef { column: column.value.clone(), text: watermark.text.clone(), ty })
}

/// PRIMARY KEY; one without a name gets one as in Flink.
pub(super) fn primary_key_def(key: &PrimaryKey) -> PrimaryKeyDef {
    let columns: Vec<String> = key.columns.iter().map(|column| column.value.clone()).collect();
    let name = match &key.name {
        Some(name) => name.value.clone(),
        None => format!("PK_{}", columns.join("_")),
    };
    PrimaryKeyDef { name, columns }
}

/// DISTRIBUTED
pub(super) fn table_distribution(distribution: &Distribution) -> TableDistribution {
    use flott_sql_parser::ast::DistributionKind as Written;
    let kind = |kind| match kind {
        Written::Hash => DistributionKind::Hash,
        Written::Range => DistributionKind::Range,
    };
    TableDistribution {
        kind: distribution.kind.map(kind),
        columns: distribution.columns.iter().map(|column| column.value.clone()).collect(),
        buckets: distribution.buckets,
    }
}

/// WITH. Of a key that is given twice the last value counts, as in Flink.
pub(super) fn options_map(options: &[SqlOption]) -> BTreeMap<String, String> {
    options.iter().map(|option| (option.key.value.clone(), option.value.value.clone())).collect()
}

/// The last part of a name.
pub(super) fn last_part(name: &ObjectName) -> String {
    parts(name).pop().unwrap_or_default()
}

pub(super) fn taken(path: &ObjectPath) -> Error {
    Error::invalid(format!("Table (or view) {path} already exists."))
}
