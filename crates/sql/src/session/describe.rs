//! DESCRIBE.

use flott_sql_parser::ast::{Describe, DescribeTarget, Validated};
use flott_sql_parser::parse_expression;
use flott_types::{Error, Result, TypeKind};

use super::{Answer, Session};
use crate::catalog::{CatalogObject, Table, TableColumnKind};
use crate::logical::TimeAttribute;

impl Session {
    pub(super) fn describe(&self, describe: &Describe) -> Result<Answer> {
        let name = match &describe.target {
            DescribeTarget::Table(name) => name,
            DescribeTarget::Catalog(name) => {
                let catalog = self.catalogs.catalog(&name.value)?;
                let kind =
                    catalog.options.get("type").cloned().unwrap_or_else(|| "generic_in_memory".to_owned());
                let mut rows = vec![
                    pair("name", Some(name.value.clone())),
                    pair("type", Some(kind)),
                    pair("comment", catalog.comment.clone()),
                ];
                if describe.extended {
                    rows.extend(
                        (catalog.options.iter().filter(|(k, _)| *k != "type"))
                            .map(|(k, v)| pair(&format!("option:{k}"), Some(v.clone()))),
                    );
                }
                return Ok(info(rows));
            }
            DescribeTarget::Database(name) => {
                let (catalog, database) = self.database_path(name)?;
                let found = self.catalogs.database(&catalog, &database)?;
                let mut rows = vec![pair("name", Some(database)), pair("comment", found.comment)];
                if describe.extended {
                    let options = found.options.iter();
                    rows.extend(options.map(|(k, v)| pair(&format!("option:{k}"), Some(v.clone()))));
                }
                return Ok(info(rows));
            }
            DescribeTarget::Function(name) => {
                let about = self.function_info(name, describe.extended)?;
                return Ok(info(about.into_iter().map(|(name, value)| pair(name, Some(value))).collect()));
            }
            DescribeTarget::Model(name) => return self.describe_model(name),
            DescribeTarget::Job(_) => return Err(Error::internal("the caller knows the jobs")),
        };
        let path = self.path(name)?;
        let rows: Vec<(Vec<Option<String>>, Option<String>)> = match self.catalogs.lookup(&path)? {
            Some(CatalogObject::Table(table)) => table_rows(&table),
            Some(CatalogObject::View(view)) => view
                .columns
                .iter()
                .zip(&view.times)
                .map(|((name, ty), time)| {
                    let suffix = match time {
                        Some(TimeAttribute::Event) => " *ROWTIME*",
                        Some(TimeAttribute::Processing) => " *PROCTIME*",
                        None => "",
                    };
                    (row(name, &format!("{}{suffix}", ty.kind), ty.nullable, None, None, None), None)
                })
                .collect(),
            None => {
                return Err(Error::invalid(format!(
                    "Tables or views with the identifier '{path}' doesn't exist"
                )));
            }
        };
        let text = || TypeKind::STRING.nullable();
        let mut columns: Vec<_> = ["name", "type", "null", "key", "extras", "watermark"]
            .into_iter()
            .map(|c| (c.to_owned(), text()))
            .collect();
        columns[2].1 = TypeKind::Boolean.nullable();
        let commented = rows.iter().any(|(_, comment)| comment.is_some());
        if commented {
            columns.push(("comment".to_owned(), text()));
        }
        let rows = rows.into_iter().map(|(mut row, comment)| {
            if commented {
                row.push(comment);
            }
            row
        });
        Ok(Answer { columns, rows: rows.collect() })
    }
}

fn table_rows(table: &Table) -> Vec<(Vec<Option<String>>, Option<String>)> {
    let key = table.primary_key.as_ref();
    table
        .columns
        .iter()
        .map(|column| {
            let watermark = table.watermark.as_ref().filter(|watermark| watermark.column == column.name);
            let is_proctime = matches!(&column.kind, TableColumnKind::Computed { text } if text.trim().eq_ignore_ascii_case("PROCTIME()"));
            let suffix = if watermark.is_some() {
                " *ROWTIME*"
            } else if is_proctime {
                " *PROCTIME*"
            } else {
                ""
            };
            let in_key = key.filter(|key| key.columns.contains(&column.name));
            let key = in_key.map(|key| format!("PRI({})", key.columns.join(", ")));
            let extras = match &column.kind {
                TableColumnKind::Physical => None,
                TableColumnKind::Computed { text } => Some(format!("AS {}", printed(text))),
                TableColumnKind::Metadata { key, is_virtual } => {
                    let from = key.as_ref().map(|key| format!(" FROM '{key}'")).unwrap_or_default();
                    let suffix = if *is_virtual { " VIRTUAL" } else { "" };
                    Some(format!("METADATA{from}{suffix}"))
                }
            };
            let shown = format!("{}{suffix}", column.ty.kind);
            let watermark = watermark.map(|watermark| printed(&watermark.text));
            (row(&column.name, &shown, column.ty.nullable, key, extras, watermark), column.comment.clone())
        })
        .collect()
}

/// An expression of a table as Flink prints it.
pub(super) fn printed(text: &str) -> String {
    match parse_expression(text) {
        Ok(expr) => Validated(&expr).to_string(),
        Err(_) => text.to_owned(),
    }
}

fn row(
    name: &str,
    ty: &str,
    nullable: bool,
    key: Option<String>,
    extras: Option<String>,
    watermark: Option<String>,
) -> Vec<Option<String>> {
    let null = if nullable { "TRUE" } else { "FALSE" };
    vec![Some(name.to_owned()), Some(ty.to_owned()), Some(null.to_owned()), key, extras, watermark]
}

fn pair(name: &str, value: Option<String>) -> Vec<Option<String>> {
    vec![Some(name.to_owned()), value]
}

fn info(rows: Vec<Vec<Option<String>>>) -> Answer {
    let text = TypeKind::STRING.nullable();
    Answer { columns: vec![("info name".to_owned(), text.clone()), ("info value".to_owned(), text)], rows }
}
