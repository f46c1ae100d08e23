//! SHOW.

use flott_sql_parser::ast::{Show, ShowFilter, ShowTarget};
use flott_types::config::secrets::shown;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::describe::printed;
use super::query::partition_values;
use super::{Answer, Session, parts};
use crate::catalog::{
    CatalogObject, DistributionKind, Materialized, MaterializedMode, ObjectPath, Table, TableColumnKind,
    TablePartition, View,
};

impl Session {
    pub(super) fn show(&self, show: &Show) -> Result<Answer> {
        let refuse = |what: &str| {
            Err(Error::unsupported(format!("SHOW {what} is not supported, at {}", show.position)))
        };
        let (column, names) = match &show.target {
            ShowTarget::Catalogs => ("catalog name", self.catalogs.catalogs.keys().cloned().collect()),
            ShowTarget::CurrentCatalog => {
                ("current catalog name", vec![self.catalogs.current_catalog.clone()])
            }
            ShowTarget::CurrentDatabase => {
                ("current database name", vec![self.catalogs.current_database.clone()])
            }
            ShowTarget::Databases => {
                let catalog = match &show.scope {
                    Some(name) => parts(name).join("."),
                    None => self.catalogs.current_catalog.clone(),
                };
                ("database name", self.catalogs.catalog(&catalog)?.catalog.databases()?)
            }
            ShowTarget::Tables => ("table name", self.object_names(show, false)?),
            ShowTarget::Views => ("view name", self.object_names(show, true)?),
            ShowTarget::MaterializedTables => {
                let (catalog, database) = self.scope_of(show)?;
                let mut found = Vec::new();
                for object in self.object_names(show, false)? {
                    let path = ObjectPath { catalog: catalog.clone(), database: database.clone(), object };
                    if self.catalogs.permanent(&path)?.is_some_and(|found| found.is_materialized()) {
                        found.push(path.object);
                    }
                }
                ("materialized table", found)
            }
            ShowTarget::Functions { user_only } => {
                let mut names = self.user_functions(show)?;
                if !user_only {
                    names.append(&mut self.own_functions());
                    names.sort_unstable();
                    names.dedup();
                }
                ("function name", names)
            }
            ShowTarget::Modules { full: false } => {
                let used = self.modules.all().into_iter().filter(|(_, used)| *used);
                ("module name", used.map(|(name, _)| name.to_owned()).collect())
            }
            ShowTarget::Modules { full: true } => {
                let cell = |used: bool| if used { "TRUE" } else { "FALSE" };
                let rows = self.modules.all().into_iter().map(|(name, used)| [name, cell(used)]);
                return Ok(Answer {
                    columns: vec![
                        ("module name".to_owned(), TypeKind::STRING.nullable()),
                        ("used".to_owned(), TypeKind::Boolean.nullable()),
                    ],
                    rows: rows.map(|row| row.map(|cell| Some(cell.to_owned())).to_vec()).collect(),
                });
            }
            ShowTarget::Jars => ("jars", Vec::new()),
            ShowTarget::Procedures => {
                return Err(Error::unsupported(format!(
                    "SHOW PROCEDURES is not supported, at {}: the catalogs here have no procedures",
                    show.position
                )));
            }
            ShowTarget::Models => ("model name", self.model_names(show)?),
            ShowTarget::Connections => return refuse("CONNECTIONS"),
            ShowTarget::Jobs => return refuse("JOBS"),
            ShowTarget::Columns => return self.show_columns(show),
            ShowTarget::Partitions { .. } => return self.show_partitions(show),
            ShowTarget::CreateTable(name) => {
                let path = self.path(name)?;
                return match self.catalogs.lookup(&path)? {
                    Some(CatalogObject::Table(table)) if table.materialized.is_none() => {
                        Ok(Answer::list("result", [create_table(&path, &table, self.is_temporary(&path))]))
                    }
                    Some(CatalogObject::Table(_)) => Err(Error::invalid(format!(
                        "SHOW CREATE TABLE is only supported for tables, but {path} is a materialized table. Please use SHOW \
                         CREATE MATERIALIZED TABLE instead."
                    ))),
                    Some(CatalogObject::View(_)) => Err(Error::invalid(format!(
                        "SHOW CREATE TABLE is only supported for tables, but {path} is a view. Please use SHOW CREATE VIEW instead."
                    ))),
                    None => Err(missing(&path)),
                };
            }
            ShowTarget::CreateView(name) => {
                let path = self.path(name)?;
                return match self.catalogs.lookup(&path)? {
                    Some(CatalogObject::View(view)) => {
                        Ok(Answer::list("result", [create_view(&path, &view, self.is_temporary(&path))]))
                    }
                    Some(CatalogObject::Table(table)) if table.materialized.is_some() => {
                        Err(Error::invalid(format!(
                            "SHOW CREATE VIEW is only supported for views, but {path} is a materialized table. Please use SHOW \
                             CREATE MATERIALIZED TABLE instead."
                        )))
                    }
                    Some(CatalogObject::Table(_)) => Err(Error::invalid(format!(
                        "SHOW CREATE VIEW is only supported for views, but {path} is a table. Please use SHOW CREATE TABLE instead."
                    ))),
                    None => Err(missing(&path)),
                };
            }
            ShowTarget::CreateCatalog(name) => {
                let catalog = self.catalogs.catalog(&name.value)?;
                let mut options = catalog.options.clone();
                options.entry("type".to_owned()).or_insert_with(|| "generic_in_memory".to_owned());
                let options: Vec<String> =
                    options.iter().map(|(k, v)| format!("  '{k}' = '{}'", shown(k, v))).collect();
                let comment =
                    catalog.comment.as_ref().map(|c| format!("COMMENT '{}'\n", c.replace('\'', "''")));
                let text = format!(
                    "CREATE CATALOG {}\n{}WITH (\n{}\n)\n",
                    quoted(&name.value),
                    comment.unwrap_or_default(),
                    options.join(",\n")
                );
                return Ok(Answer::list("result", [text]));
            }
            ShowTarget::CreateMaterializedTable(name) => {
                let path = self.path(name)?;
                return match self.catalogs.permanent(&path)? {
                    Some(CatalogObject::Table(table)) if table.materialized.is_some() => {
                        Ok(Answer::list("result", [create_table(&path, &table, false)]))
                    }
                    Some(_) => Err(Error::invalid(format!(
                        "SHOW CREATE MATERIALIZED TABLE is only supported for materialized tables, and {path} is none."
                    ))),
                    None => Err(missing(&path)),
                };
            }
            ShowTarget::CreateModel(name) => return self.show_create_model(name),
        };
        let names: Vec<String> = names;
        Ok(Answer::list(column, names.into_iter().filter(|name| matches(name, show.filter.as_ref()))))
    }

    fn is_temporary(&self, path: &ObjectPath) -> bool {
        self.catalogs.temporary.contains_key(path)
    }

    /// The database whose contents are listed.
    fn scope_of(&self, show: &Show) -> Result<(String, String)> {
        let (catalog, database) = match &show.scope {
            Some(name) => self.database_path(name)?,
            None => (self.catalogs.current_catalog.clone(), self.catalogs.current_database.clone()),
        };
        self.catalogs.database(&catalog, &database)?;
        Ok((catalog, database))
    }

    /// Tables and views, or views alone, of a database; temporary ones included.
    fn object_names(&self, show: &Show, views_only: bool) -> Result<Vec<String>> {
        let (catalog, database) = self.scope_of(show)?;
        let found = self.catalogs.catalog(&catalog)?.catalog.objects(&database)?;
        let wanted = |is_view: bool| !views_only || is_view;
        let permanent = found.into_iter().filter(|(_, is_view)| wanted(*is_view)).map(|(name, _)| name);
        let temporary = self
            .catalogs
            .temporary
            .iter()
            .filter(|(path, object)| {
                path.catalog == catalog && path.database == database && wanted(object.is_view())
            })
            .map(|(path, _)| path.object.clone());
        let mut names: Vec<String> = permanent.chain(temporary).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn show_columns(&self, show: &Show) -> Result<Answer> {
        let Some(name) = &show.scope else {
            return Err(Error::invalid(format!("SHOW COLUMNS needs FROM table, at {}", show.position)));
        };
        let target = flott_sql_parser::ast::DescribeTarget::Table(name.clone());
        let describe = flott_sql_parser::ast::Describe { position: show.position, target, extended: false };
        let mut answer = self.describe(&describe)?;
        answer.rows.retain(|row| row[0].as_deref().is_some_and(|name| matches(name, show.filter.as_ref())));
        Ok(answer)
    }

    fn show_partitions(&self, show: &Show) -> Result<Answer> {
        let Some(name) = &show.scope else {
            return Err(Error::invalid(format!("SHOW PARTITIONS needs a table, at {}", show.position)));
        };
        let path = self.path(name)?;
        match self.catalogs.lookup(&path)? {
            Some(CatalogObject::Table(table)) if table.partition_keys.is_empty() => {
                Err(Error::invalid(format!(
                    "Table {}.{} in catalog {} is not partitioned.",
                    path.database, path.object, path.catalog
                )))
            }
            Some(CatalogObject::Table(table)) => {
                let ShowTarget::Partitions { partition } = &show.target else { return Err(missing(&path)) };
                let wanted = partition_values(partition, &table)?;
                let of_it = |known: &&TablePartition| wanted.iter().all(|pair| known.values.contains(pair));
                let names = table.partitions.iter().filter(of_it).map(TablePartition::name);
                Ok(Answer::list("partition name", names))
            }
            _ => Err(missing(&path)),
        }
    }
}

fn missing(path: &ObjectPath) -> Error {
    Error::invalid(format!("Could not execute SHOW. Table with identifier {path} does not exist."))
}

/// `[NOT] LIKE 'pattern'`
pub(super) fn matches(name: &str, filter: Option<&ShowFilter>) -> bool {
    let Some(filter) = filter else { return true };
    let (name, pattern) = if filter.ignore_case {
        (name.to_lowercase(), filter.pattern.value.to_lowercase())
    } else {
        (name.to_owned(), filter.pattern.value.clone())
    };
    let name: Vec<char> = name.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    like(&name, &pattern) != filter.negated
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| like(&text[skip..], rest)),
        ['\\', literal, rest @ ..] => text.first() == Some(literal) && like(&text[1..], rest),
        ['_', rest @ ..] => !text.is_empty() && like(&text[1..], rest),
        [literal, rest @ ..] => text.first() == Some(literal) && like(&text[1..], rest),
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn create_table(path: &ObjectPath, table: &Table, temporary: bool) -> String {
    let mut lines: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let name = quoted(&column.name);
            let comment = column
                .comment
                .as_ref()
                .map(|c| format!(" COMMENT '{}'", c.replace('\'', "''")))
                .unwrap_or_default();
            match &column.kind {
                TableColumnKind::Physical => format!("  {name} {}{comment}", sql_type(&column.ty)),
                TableColumnKind::Computed { text } => format!("  {name} AS {}{comment}", printed(text)),
                TableColumnKind::Metadata { key, is_virtual } => {
                    let from = key.as_ref().map(|key| format!(" FROM '{key}'")).unwrap_or_default();
                    let suffix = if *is_virtual { " VIRTUAL" } else { "" };
                    format!("  {name} {} METADATA{from}{suffix}{comment}", sql_type(&column.ty))
                }
            }
        })
        .collect();
    if let Some(watermark) = &table.watermark {
        lines.push(format!("  WATERMARK FOR {} AS {}", quoted(&watermark.column), printed(&watermark.text)));
    }
    if let Some(key) = &table.primary_key {
        let columns: Vec<String> = key.columns.iter().map(|column| quoted(column)).collect();
        lines.push(format!(
            "  CONSTRAINT {} PRIMARY KEY ({}) NOT ENFORCED",
            quoted(&key.name),
            columns.join(", ")
        ));
    }
    let kind = match &table.materialized {
        Some(_) => "MATERIALIZED TABLE",
        None if temporary => "TEMPORARY TABLE",
        None => "TABLE",
    };
    let mut text = format!("CREATE {kind} {path} (\n{}\n)\n", lines.join(",\n"));
    if let Some(comment) = &table.comment {
        text.push_str(&format!("COMMENT '{}'\n", comment.replace('\'', "''")));
    }
    if let Some(distribution) = &table.distribution {
        text.push_str("DISTRIBUTED");
        if !distribution.columns.is_empty() {
            let kind = match distribution.kind {
                Some(DistributionKind::Hash) => "HASH",
                Some(DistributionKind::Range) => "RANGE",
                None => "",
            };
            let columns: Vec<String> = distribution.columns.iter().map(|column| quoted(column)).collect();
            text.push_str(&format!(" BY {kind}({})", columns.join(", ")));
        }
        if let Some(buckets) = distribution.buckets {
            text.push_str(&format!(" INTO {buckets} BUCKETS"));
        }
        text.push('\n');
    }
    if !table.partition_keys.is_empty() {
        let keys: Vec<String> = table.partition_keys.iter().map(|key| quoted(key)).collect();
        text.push_str(&format!("PARTITIONED BY ({})\n", keys.join(", ")));
    }
    let options: Vec<String> = table
        .options
        .iter()
        .map(|(key, value)| {
            format!("  '{}' = '{}'", key.replace('\'', "''"), shown(key, value).replace('\'', "''"))
        })
        .collect();
    if table.materialized.is_none() || !options.is_empty() {
        text.push_str(&format!("WITH (\n{}\n)\n", options.join(",\n")));
    }
    if let Some(Materialized { freshness, mode, query, .. }) = &table.materialized {
        let mode = match mode {
            MaterializedMode::Continuous => "CONTINUOUS",
            MaterializedMode::Full => "FULL",
        };
        text.push_str(&format!(
            "START_MODE = FROM_BEGINNING\nFRESHNESS = {freshness}\nREFRESH_MODE = {mode}\nAS {query}\n"
        ));
    }
    text
}

/// A type as SHOW CREATE TABLE writes it: STRING and BYTES as the types they are short for.
pub(super) fn sql_type(ty: &LogicalType) -> String {
    let max = TypeKind::MAX_LENGTH;
    let text = match &ty.kind {
        TypeKind::Varchar(length) if *length == max => format!("VARCHAR({max})"),
        TypeKind::Varbinary(length) if *length == max => format!("VARBINARY({max})"),
        TypeKind::Array(element) => format!("ARRAY<{}>", sql_type(element)),
        TypeKind::Multiset(element) => format!("MULTISET<{}>", sql_type(element)),
        TypeKind::Map(key, value) => format!("MAP<{}, {}>", sql_type(key), sql_type(value)),
        TypeKind::Row(fields) => {
            let fields = fields.iter().map(|field| {
                let comment = field.comment.as_ref().map(|c| format!(" '{}'", c.replace('\'', "''")));
                format!("{} {}{}", quoted(&field.name), sql_type(&field.ty), comment.unwrap_or_default())
            });
            format!("ROW<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    };
    if ty.nullable { text } else { format!("{text} NOT NULL") }
}

fn create_view(path: &ObjectPath, view: &View, temporary: bool) -> String {
    let kind = if temporary { "TEMPORARY VIEW" } else { "VIEW" };
    let columns: Vec<String> = view.columns.iter().map(|(name, _)| format!("  {}", quoted(name))).collect();
    let comment =
        view.comment.as_ref().map(|c| format!("COMMENT '{}'\n", c.replace('\'', "''"))).unwrap_or_default();
    format!("CREATE {kind} {path} (\n{}\n)\n{comment}AS {}\n", columns.join(",\n"), view.text)
}
