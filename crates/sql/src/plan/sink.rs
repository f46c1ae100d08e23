//! Where results go.

use flott_connector::Changelog;
use flott_connector::options::SINK_PARALLELISM;
use flott_plan::{Conflict, Exchange, OperatorSpec, Schema, SinkSpec};
use flott_sql_parser::ast::OnConflict;
use flott_types::{Error, Result};

use super::{Materialize, Planner, Stream, describe, schema_of};
use crate::changelog::Asked;
use crate::logical::{Rel, RelNode};

/// The target of a query.
#[derive(Clone, Debug)]
pub enum SinkTarget {
    /// The client that asked.
    Collect,
    /// A client that does not look at the result: EXPLAIN.
    Nobody,
    /// A table, and what ON CONFLICT says.
    Table(Box<SinkSpec>, Option<OnConflict>),
}

impl Planner<'_> {
    /// Plans a query into its target. Gives the columns, and whether there are updates.
    pub fn sink(&mut self, rel: &Rel, target: &SinkTarget) -> Result<(Schema, bool)> {
        let stream = self.stream(rel)?;
        let stream = self.settled(stream);
        self.write_to(stream, schema_of(rel), Some(rel), target)
    }

    /// Plans a stream into its target; `rel` is the query that it comes of, if it comes of one.
    pub(super) fn write_to(
        &mut self,
        stream: Stream,
        schema: Schema,
        rel: Option<&Rel>,
        target: &SinkTarget,
    ) -> Result<(Schema, bool)> {
        let updates = stream.updates();
        let (spec, conflict) = match target {
            SinkTarget::Collect | SinkTarget::Nobody => {
                let name = describe::collect(&schema);
                let exchange = if stream.parallelism == 1 { Exchange::Forward } else { Exchange::Global };
                let inputs = [(stream, exchange)];
                let client = self.add(name, OperatorSpec::Collect, schema.clone(), 1, &inputs);
                let asked = match target {
                    SinkTarget::Nobody => Asked::After,
                    SinkTarget::Collect | SinkTarget::Table(..) => Asked::Both,
                };
                self.asked.insert(client.id, asked);
                return Ok((schema, updates));
            }
            SinkTarget::Table(spec, conflict) => (spec, *conflict),
        };
        let table = &spec.table;
        let changelog = self.connectors.table(table)?.sink_changelog()?;
        if changelog == Changelog::InsertOnly {
            self.insert_only(&stream, &format!("Table sink '{}'", table.name))?;
        }
        self.connectors.sink(spec, &self.table_context)?;
        if let (Some(conflict), Some(rel)) = (conflict, rel) {
            allows_conflict(rel, &stream, (changelog, spec), conflict)?;
        }
        let materialize = self.materializes(&stream, (changelog, spec), conflict)?;
        let stream = if materialize { self.materialized(stream, spec, conflict) } else { stream };
        let asked = asked_by(changelog, &table.primary_key, &stream, materialize);
        let parallelism = SINK_PARALLELISM.read_from(&table.options)?.unwrap_or(stream.parallelism);
        let exchange = if parallelism == stream.parallelism {
            Exchange::Forward
        } else if parallelism == 1 {
            Exchange::Global
        } else if updates && (materialize || changelog == Changelog::Upsert) && !table.primary_key.is_empty()
        {
            // The changes of a key stay in their order.
            Exchange::Hash(table.primary_key.clone())
        } else if updates {
            Exchange::Hash((0..schema.len()).collect())
        } else {
            Exchange::Rebalance
        };
        let name = describe::sink(spec, materialize, conflict, &schema);
        let operator = OperatorSpec::Sink(SinkSpec::clone(spec));
        let sink = self.add(name, operator, schema.clone(), parallelism, &[(stream, exchange)]);
        self.asked.insert(sink.id, asked);
        Ok((schema, updates))
    }

    /// Whether a table gets one row for each primary key.
    fn materializes(
        &self,
        stream: &Stream,
        (changelog, spec): (Changelog, &SinkSpec),
        conflict: Option<OnConflict>,
    ) -> Result<bool> {
        let key = &spec.table.primary_key;
        if !self.options.streaming || key.is_empty() {
            return Ok(false);
        }
        match self.options.materialize {
            Materialize::Never => Ok(false),
            Materialize::Always => Ok(true),
            Materialize::Auto => {
                let keys = &stream.relation.keys;
                let differs =
                    stream.updates() && changelog != Changelog::InsertOnly && !keys.identified_by(key);
                if differs && conflict.is_none() && self.options.require_on_conflict {
                    let names = |columns: &mut dyn Iterator<Item = &usize>| {
                        let names: Vec<&str> =
                            columns.map(|at| spec.table.schema.columns[*at].name.as_str()).collect();
                        format!("[{}]", names.join(", "))
                    };
                    let known: Vec<String> = keys.iter().map(|key| names(&mut key.iter())).collect();
                    return Err(Error::invalid(format!(
                        "The query has an upsert key that differs from the primary key of the sink table '{}'. Primary key: \
                         {}, upsert key: {}. This can lead to non-deterministic results when multiple records with \
                         different upsert keys map to the same primary key. Please specify an ON CONFLICT clause to define \
                         how conflicts should be handled: ON CONFLICT DO DEDUPLICATE (update to the latest record, state \
                         intensive, since we need to keep the entire history), or ON CONFLICT DO ERROR (fail on conflict), \
                         or ON CONFLICT DO NOTHING (keep first record).",
                        spec.table.name,
                        names(&mut key.iter()),
                        known.join(", ")
                    )));
                }
                Ok(differs)
            }
        }
    }

    /// One row for each primary key.
    fn materialized(&mut self, stream: Stream, spec: &SinkSpec, conflict: Option<OnConflict>) -> Stream {
        let keys = &spec.table.primary_key;
        let operator = OperatorSpec::SinkMaterializer {
            keys: keys.clone(),
            conflict: match conflict {
                None | Some(OnConflict::Deduplicate) => Conflict::Last,
                Some(OnConflict::Nothing) => Conflict::First,
                Some(OnConflict::Error) => Conflict::Error,
            },
            ttl: self.options.state_ttl,
        };
        let (name, schema) = (describe::materializer(keys, &stream.schema), stream.schema.clone());
        self.keyed(name, operator, schema, stream, keys)
    }
}

/// Refuses ON CONFLICT where it means nothing, or would wait forever.
fn allows_conflict(
    rel: &Rel,
    stream: &Stream,
    (changelog, spec): (Changelog, &SinkSpec),
    conflict: OnConflict,
) -> Result<()> {
    if changelog == Changelog::InsertOnly || (changelog == Changelog::Retract && !stream.updates()) {
        return Err(Error::invalid(format!(
            "ON CONFLICT clause is only allowed for upsert sinks. The sink '{}' is not an upsert sink because it only accepts \
             INSERT (append-only) changes.",
            spec.table.name
        )));
    }
    if conflict == OnConflict::Deduplicate {
        return Ok(());
    }
    let mut missing = Vec::new();
    without_watermark(rel, &mut missing);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "ON CONFLICT DO {} requires all source tables to define watermarks, but the following source(s) do not: {}. Please add a \
         WATERMARK declaration to these tables.",
        describe::strategy(conflict),
        missing.join(", ")
    )))
}

/// The tables that are read and have no watermark.
fn without_watermark(rel: &Rel, missing: &mut Vec<String>) {
    if let RelNode::Scan(scan) = &rel.node
        && scan.table.watermark.is_none()
    {
        missing.push(scan.path.plain());
    }
    rel.inputs().into_iter().for_each(|input| without_watermark(input, missing));
}

/// What a table wants of updates: one that finds rows by its primary key needs no `-U`, if updates are of rows of that key.
fn asked_by(changelog: Changelog, primary_key: &[usize], stream: &Stream, materialized: bool) -> Asked {
    match changelog {
        Changelog::InsertOnly | Changelog::Retract | Changelog::Upsert if materialized => Asked::OnlyAfter,
        Changelog::InsertOnly | Changelog::Retract => Asked::Both,
        Changelog::Upsert if primary_key.is_empty() => Asked::After,
        Changelog::Upsert if stream.relation.keys.has(primary_key) => Asked::OnlyAfter,
        Changelog::Upsert => Asked::Unkeyed,
    }
}
