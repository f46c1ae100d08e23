//! `FROM t ERRORS INTO bad`: records that cannot be read become rows of another table.
//!
//! The table takes what it has columns for, by their names (`flott_plan::errors_schema`). It is written as a
//! target of INSERT is: columns are cast, NOT NULL and the primary key hold.

use std::collections::BTreeMap;

use flott_expr::bind;
use flott_plan::{Expr, Schema, SinkSpec, errors_schema};
use flott_sql_parser::ast::NamedTable;
use flott_types::{Error, LogicalType, Result};

use super::table::table_spec;
use super::{Binder, at, wrong};
use crate::catalog::{CatalogObject, ObjectPath, Table, TableColumnKind};
use crate::logical::{ErrorsInto, Rel, RelNode, Scan};

/// Columns or metadata keys with their types.
pub(crate) type NamedTypes = Vec<(String, LogicalType)>;

impl Binder<'_> {
    /// The relation of a table in FROM, with what its ERRORS INTO says.
    pub(super) fn with_errors(&self, mut rel: Rel, named: &NamedTable) -> Result<Rel> {
        let Some(errors) = &named.errors else { return Ok(rel) };
        let scan = if self.is_table(named)? { scan_of(&mut rel) } else { None };
        let Some(scan) = scan else {
            let message = format!(
                "ERRORS INTO comes after a table, and '{}' is a query: write it where the query reads its tables",
                named.name.parts().join(".")
            );
            return Err(wrong(message, &errors.table));
        };
        let (path, table) = self.target(&errors.table.parts(), &errors.hints, &errors.table)?;
        scan.errors = Some(Box::new(at(errors_into(&path, &table), &errors.table)?));
        Ok(rel)
    }

    /// Whether a name is that of a table, and not of a view or a common table expression.
    fn is_table(&self, named: &NamedTable) -> Result<bool> {
        let parts = named.name.parts();
        if let [name] = parts.as_slice()
            && self.ctes.borrow().iter().any(|(cte, _)| cte == name)
        {
            return Ok(false);
        }
        let path = self.qualify(&parts)?;
        Ok(matches!(self.catalogs.lookup(&path)?, Some(CatalogObject::Table(_))))
    }
}

/// The scan of a table under its computed columns and its watermark.
fn scan_of(rel: &mut Rel) -> Option<&mut Scan> {
    match &mut rel.node {
        RelNode::Scan(scan) => Some(scan),
        RelNode::Project { input, .. } | RelNode::Watermark { input, .. } => scan_of(input),
        _ => None,
    }
}

fn errors_into(path: &ObjectPath, table: &Table) -> Result<ErrorsInto> {
    let known = errors_schema();
    let (columns, _) = sink_columns(table);
    let column = |(name, ty): &(String, LogicalType)| {
        let Some(index) = known.index_of(name) else {
            let names: Vec<String> = known.iter().map(|(name, ty)| format!("`{name}` {ty}")).collect();
            return Err(Error::invalid(format!(
                "ERRORS INTO: table {path} has a column '{name}', which a record that cannot be read does not have; it has: {}",
                names.join(", ")
            )));
        };
        let expr = Expr::column(index, known.columns[index].ty.clone());
        Ok((bind::assign(expr, name, ty)?, name.clone()))
    };
    let columns = columns.iter().map(column).collect::<Result<_>>()?;
    Ok(ErrorsInto { sink: sink_spec(path, table, false, BTreeMap::new())?, columns })
}

/// The sink of a table that a statement writes to.
///
/// # Errors
/// If the table cannot be written to in this way.
pub(crate) fn sink_spec(
    path: &ObjectPath,
    table: &Table,
    overwrite: bool,
    static_partition: BTreeMap<String, String>,
) -> Result<SinkSpec> {
    if table.distribution.is_some() {
        return Err(Error::invalid(format!(
            "Table {path} is distributed into buckets, but its connector doesn't support bucketing."
        )));
    }
    let (_, metadata) = sink_columns(table);
    Ok(SinkSpec {
        table: table_spec(path, table)?,
        metadata: Schema::new(metadata),
        overwrite,
        static_partition,
        drop_update_before: false,
    })
}

/// The columns that a sink takes, physical ones first; and the metadata keys among them.
pub(crate) fn sink_columns(table: &Table) -> (NamedTypes, NamedTypes) {
    let mut columns = Vec::new();
    let mut metadata = Vec::new();
    let mut behind = Vec::new();
    for column in &table.columns {
        match &column.kind {
            TableColumnKind::Physical => columns.push((column.name.clone(), column.ty.clone())),
            TableColumnKind::Metadata { key, is_virtual: false } => {
                behind.push((column.name.clone(), column.ty.clone()));
                metadata.push((key.clone().unwrap_or_else(|| column.name.clone()), column.ty.clone()));
            }
            // These are not written.
            TableColumnKind::Metadata { is_virtual: true, .. } | TableColumnKind::Computed { .. } => {}
        }
    }
    columns.extend(behind);
    (columns, metadata)
}
