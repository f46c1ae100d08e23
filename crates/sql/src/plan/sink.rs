//! Where results go.

use flott_connector::Changelog;
use flott_connector::options::SINK_PARALLELISM;
use flott_plan::{Exchange, OperatorSpec, Schema, SinkSpec};
use flott_types::Result;

use super::{Planner, Stream, describe, schema_of};
use crate::changelog::Asked;
use crate::logical::Rel;

/// The target of a query.
#[derive(Clone, Debug)]
pub enum SinkTarget {
    /// The client that asked.
    Collect,
    /// A client that does not look at the result: EXPLAIN.
    Nobody,
    /// A table.
    Table(Box<SinkSpec>),
}

impl Planner<'_> {
    /// Plans a query into its target. Gives the columns, and whether there are updates.
    pub fn sink(&mut self, rel: &Rel, target: &SinkTarget) -> Result<(Schema, bool)> {
        let stream = self.stream(rel)?;
        let stream = self.settled(stream);
        let schema = schema_of(rel);
        let updates = stream.updates();
        let spec = match target {
            SinkTarget::Collect | SinkTarget::Nobody => {
                let name = describe::collect(&schema);
                let exchange = if stream.parallelism == 1 { Exchange::Forward } else { Exchange::Global };
                let inputs = [(stream, exchange)];
                let client = self.add(name, OperatorSpec::Collect, schema.clone(), 1, &inputs);
                let asked = match target {
                    SinkTarget::Nobody => Asked::After,
                    SinkTarget::Collect | SinkTarget::Table(_) => Asked::Both,
                };
                self.asked.insert(client.id, asked);
                return Ok((schema, updates));
            }
            SinkTarget::Table(spec) => spec,
        };
        let table = &spec.table;
        let changelog = self.connectors.table(table)?.sink_changelog()?;
        if changelog == Changelog::InsertOnly {
            self.insert_only(&stream, &format!("Table sink '{}'", table.name))?;
        }
        self.connectors.sink(spec, &self.table_context)?;
        let asked = asked_by(changelog, &table.primary_key, &stream);
        let parallelism = SINK_PARALLELISM.read_from(&table.options)?.unwrap_or(stream.parallelism);
        let exchange = if parallelism == stream.parallelism {
            Exchange::Forward
        } else if parallelism == 1 {
            Exchange::Global
        } else if updates && changelog == Changelog::Upsert && !table.primary_key.is_empty() {
            // The changes of a key stay in their order.
            Exchange::Hash(table.primary_key.clone())
        } else if updates {
            Exchange::Hash((0..schema.len()).collect())
        } else {
            Exchange::Rebalance
        };
        let name = describe::sink(spec, &schema);
        let operator = OperatorSpec::Sink(SinkSpec::clone(spec));
        let sink = self.add(name, operator, schema.clone(), parallelism, &[(stream, exchange)]);
        self.asked.insert(sink.id, asked);
        Ok((schema, updates))
    }
}

/// What a table wants of updates: one that finds rows by its primary key needs no `-U`, if updates are of rows of that key.
fn asked_by(changelog: Changelog, primary_key: &[usize], stream: &Stream) -> Asked {
    match changelog {
        Changelog::InsertOnly | Changelog::Retract => Asked::Both,
        Changelog::Upsert if primary_key.is_empty() => Asked::After,
        Changelog::Upsert if stream.relation.keys.has(primary_key) => Asked::OnlyAfter,
        Changelog::Upsert => Asked::Unkeyed,
    }
}
