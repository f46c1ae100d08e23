//! From columns to messages.

use std::sync::Arc;

use flott_batch::ChangeBatch;
use flott_connector::format::MessageEncoder;
use flott_plan::Schema as TableSchema;
use flott_types::{Error, Result};

use super::{MAGIC, record_of};
use crate::avro::encode::{BoundRecord, put_long, put_sized};
use crate::avro::schema::{Record, Schema};
use crate::encode::each_row;
use crate::registry::Registry;

pub(super) struct RegistryEncoder {
    registry: Arc<Registry>,
    subject: String,
    table: TableSchema,
    text: String,
    /// Known when the first row was written.
    id: Option<u32>,
    body: Body,
    message: Vec<u8>,
}

enum Body {
    Row(Arc<Record>),
    /// Debezium's envelope.
    Change(Vec<Part>),
}

/// A field of the envelope.
enum Part {
    /// The row, if it is added or if it is removed; else null. With the number of null's branch.
    Row { record: Arc<Record>, added: bool, null: i64, value: i64 },
    /// What happened, with the number of the text's branch.
    Op(Option<i64>),
}

impl RegistryEncoder {
    pub(super) fn new(
        registry: Arc<Registry>,
        subject: String,
        has_changes: bool,
        table: &TableSchema,
        record: Arc<Record>,
        text: String,
    ) -> Result<Self> {
        let body = if has_changes { Body::Change(envelope(&record)?) } else { Body::Row(record) };
        let table = table.clone();
        let encoder = RegistryEncoder { registry, subject, table, text, id: None, body, message: Vec::new() };
        // What does not fit is said when the statement is planned.
        let types: Vec<_> = encoder.table.iter().map(|(_, ty)| ty.clone()).collect();
        let none = flott_batch::pretty::parse("", &types)?;
        encoder.bind(&none)?;
        Ok(encoder)
    }

    /// The records of the body, bound to columns.
    fn bind<'a>(&'a self, batch: &'a ChangeBatch) -> Result<Vec<BoundRecord<'a>>> {
        let bound = |record: &'a Arc<Record>| {
            BoundRecord::new(record, self.table.iter(), batch.columns().columns()).map_err(|what| {
                Error::invalid(format!("the schema of the subject '{}': {what}", self.subject))
            })
        };
        match &self.body {
            Body::Row(record) => Ok(vec![bound(record)?]),
            Body::Change(parts) => {
                let records = parts.iter().filter_map(|part| match part {
                    Part::Row { record, .. } => Some(record),
                    Part::Op(_) => None,
                });
                records.map(bound).collect()
            }
        }
    }
}

fn envelope(record: &Record) -> Result<Vec<Part>> {
    let branch = |schema: &Schema, of: fn(&Schema) -> bool| match schema {
        Schema::Union(branches) => branches.iter().position(of).map(|at| at as i64),
        _ => None,
    };
    let part = |(name, schema): &(String, Schema)| {
        Some(match name.as_str() {
            "before" | "after" => Part::Row {
                record: record_of(schema)?.clone(),
                added: name == "after",
                null: branch(schema, |schema| *schema == Schema::Null)?,
                value: branch(schema, |schema| matches!(schema, Schema::Record(_)))?,
            },
            "op" => Part::Op(branch(schema, |schema| *schema == Schema::Text)),
            _ => return None,
        })
    };
    let parts: Option<Vec<Part>> = record.fields.iter().map(part).collect();
    parts.filter(|parts| parts.len() == 3).ok_or_else(|| {
        Error::invalid(
            "the schema of a sink of Debezium's has the fields 'before' and 'after', which are null or a record, and 'op'",
        )
    })
}

impl MessageEncoder for RegistryEncoder {
    fn encode(
        &mut self,
        batch: &ChangeBatch,
        message: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let id = match self.id {
            Some(id) => id,
            None => *self.id.insert(self.registry.register(&self.subject, &self.text)?),
        };
        let mut out = std::mem::take(&mut self.message);
        let bound = self.bind(batch)?;
        each_row(batch, |row| {
            out.clear();
            out.push(MAGIC);
            out.extend_from_slice(&id.to_be_bytes());
            match &self.body {
                Body::Row(_) => bound.iter().try_for_each(|record| record.write(row, &mut out))?,
                Body::Change(parts) => {
                    let is_added = batch.kind(row).is_addition();
                    let mut records = bound.iter();
                    for part in parts {
                        match part {
                            Part::Row { added, null, value, .. } => match records.next() {
                                Some(record) if *added == is_added => {
                                    put_long(&mut out, *value);
                                    record.write(row, &mut out)?;
                                }
                                Some(_) | None => put_long(&mut out, *null),
                            },
                            Part::Op(branch) => {
                                branch.iter().for_each(|branch| put_long(&mut out, *branch));
                                put_sized(&mut out, if is_added { b"c" } else { b"d" });
                            }
                        }
                    }
                }
            }
            message(row, &out)
        })?;
        self.message = out;
        Ok(())
    }
}
