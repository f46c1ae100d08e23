//! Sources and watermarks.

use flott_connector::Changelog;
use flott_plan::{Exchange, Expr, OperatorSpec, Schema, SourceSpec, WatermarkSpec};
use flott_types::{Error, Result};

use super::{Planner, Stream, describe, schema_of};
use crate::bind::table::table_spec;
use crate::logical::{Rel, RelNode, Scan};

impl Planner<'_> {
    pub(super) fn scan(&mut self, rel: &Rel, scan: &Scan) -> Result<Stream> {
        self.read(rel, scan, None)
    }

    /// `watermark`: what the source is to generate watermarks by, if it does so for each split.
    fn read(&mut self, rel: &Rel, scan: &Scan, watermark: Option<WatermarkSpec>) -> Result<Stream> {
        let table = table_spec(&scan.path, &scan.table)?;
        let changelog = self.changelog(&table)?;
        if !self.options.streaming && changelog != Changelog::InsertOnly {
            return Err(Error::invalid(format!(
                "Querying a table in batch mode is currently only possible for INSERT-only table sources. But the source for \
                 table '{}' produces other changelog messages than just INSERT.",
                table.name
            )));
        }
        let parallelism = self.parallelism_option(&table.options, "scan.parallelism")?;
        let mut projection = scan.projection.clone();
        let mut schema = schema_of(rel);
        // An upsert stream needs its whole rows and its key, to make the changelog complete.
        let normalize = changelog == Changelog::Upsert;
        if normalize {
            if table.primary_key.is_empty() {
                return Err(Error::invalid(format!(
                    "table {} is read as an upsert stream and needs a PRIMARY KEY",
                    table.name
                )));
            }
            for key in &table.primary_key {
                if !projection.contains(key) {
                    let column = &table.schema.columns[*key];
                    let at = projection.len();
                    projection.push(*key);
                    schema.columns.insert(at, column.clone());
                }
            }
        }
        let metadata = Schema::new(scan.metadata.iter().cloned());
        let spec = SourceSpec { table, projection, metadata, limit: scan.limit, watermark };
        // A wrong option is said now, with the statement, and not when the job starts.
        self.connectors.source(&spec, &self.table_context)?;
        let updates = changelog != Changelog::InsertOnly;
        let mut name = describe::source(&spec, &schema);
        if let Some(watermark) = &spec.watermark {
            let expression = describe::expr(&watermark.expression, &schema);
            name = name.replacen("]], fields", &format!(", watermark=[{expression}]]], fields"), 1);
        }
        let keys: Vec<usize> = spec
            .table
            .primary_key
            .iter()
            .filter_map(|key| spec.projection.iter().position(|column| column == key))
            .collect();
        let width = rel.fields.len();
        let stream = self.add(name, OperatorSpec::Source(spec), schema.clone(), parallelism, updates, &[]);
        if !normalize {
            return Ok(stream);
        }
        let name = describe::normalize(&keys, &schema);
        let spec = OperatorSpec::ChangelogNormalize { keys: keys.clone() };
        let normalized = self.keyed(name, spec, schema.clone(), true, stream, &keys);
        if schema.len() == width {
            return Ok(normalized);
        }
        // The columns asked for are all but the keys that were added.
        let wanted = schema_of(rel);
        let exprs = wanted.columns.iter().map(|column| {
            let index = schema.index_of(&column.name).unwrap_or(0);
            Expr::column(index, column.ty.clone())
        });
        Ok(self.project_stream(normalized, exprs.collect(), None, wanted))
    }

    pub(super) fn watermark(&mut self, input: &Rel, column: usize, expr: &Expr, rel: &Rel) -> Result<Stream> {
        let spec = WatermarkSpec {
            time_column: column,
            expression: expr.clone(),
            interval: self.options.watermark_interval,
            idle_timeout: self.options.idle_timeout,
        };
        if let RelNode::Scan(scan) = &input.node
            && self.watermark_per_split(scan)?
        {
            return self.read(rel, scan, Some(spec));
        }
        let input = self.stream(input)?;
        let name = describe::watermark(&spec, &input.schema);
        let (parallelism, updates) = (input.parallelism, input.updates);
        let operator = OperatorSpec::WatermarkAssigner(spec);
        Ok(self.add(name, operator, schema_of(rel), parallelism, updates, &[(input, Exchange::Forward)]))
    }

    /// Whether the source of a table can generate watermarks for each split. One of a stream of upserts cannot: its rows
    /// come from the operator that completes them.
    fn watermark_per_split(&self, scan: &Scan) -> Result<bool> {
        let table = table_spec(&scan.path, &scan.table)?;
        if self.changelog(&table)? == Changelog::Upsert {
            return Ok(false);
        }
        let metadata = Schema::new(scan.metadata.iter().cloned());
        let projection = scan.projection.clone();
        let spec = SourceSpec { table, projection, metadata, limit: scan.limit, watermark: None };
        Ok(self.connectors.source(&spec, &self.table_context)?.watermark_per_split())
    }

    /// A table's own parallelism, or the default.
    pub(super) fn parallelism_option(
        &self,
        options: &std::collections::BTreeMap<String, String>,
        key: &str,
    ) -> Result<u32> {
        match options.get(key) {
            None => Ok(self.options.parallelism),
            Some(text) => match text.trim().parse() {
                Ok(parallelism) if parallelism > 0 => Ok(parallelism),
                _ => Err(Error::invalid(format!("option '{key}' is '{text}'; expected a number above 0"))),
            },
        }
    }
}
