//! Where results go.

use flott_connector::Changelog;
use flott_connector::options::SINK_PARALLELISM;
use flott_plan::{Exchange, OperatorSpec, Schema, SinkSpec};
use flott_types::{Error, Result};

use super::{Planner, describe, schema_of};
use crate::logical::Rel;

/// The target of a query.
#[derive(Clone, Debug)]
pub enum SinkTarget {
    /// The client that asked.
    Collect,
    /// A table.
    Table(Box<SinkSpec>),
}

impl Planner<'_> {
    /// Plans a query into its target. Gives the columns, and whether there are updates.
    pub fn sink(&mut self, rel: &Rel, target: &SinkTarget) -> Result<(Schema, bool)> {
        let stream = self.stream(rel)?;
        let stream = self.settled(stream);
        let schema = schema_of(rel);
        let updates = stream.updates;
        match target {
            SinkTarget::Collect => {
                let name = describe::collect(&schema);
                let exchange = if stream.parallelism == 1 { Exchange::Forward } else { Exchange::Global };
                self.add(name, OperatorSpec::Collect, schema.clone(), 1, updates, &[(stream, exchange)]);
            }
            SinkTarget::Table(spec) => {
                let table = &spec.table;
                if updates {
                    match self.connectors.table(table)?.sink_changelog()? {
                        Changelog::Retract => {}
                        Changelog::InsertOnly => {
                            return Err(Error::invalid(format!(
                                "Table sink '{}' doesn't support consuming update and delete changes which is produced by \
                                 node {}",
                                table.name, self.graph.nodes[stream.id.0 as usize].name
                            )));
                        }
                        Changelog::Upsert => {
                            return Err(Error::unsupported(format!(
                                "updates into the upsert sink '{}'",
                                table.name
                            )));
                        }
                    }
                }
                self.connectors.sink(spec, &self.table_context)?;
                let parallelism = SINK_PARALLELISM.read_from(&table.options)?.unwrap_or(stream.parallelism);
                let exchange = if parallelism == stream.parallelism {
                    Exchange::Forward
                } else if parallelism == 1 {
                    Exchange::Global
                } else if updates {
                    Exchange::Hash((0..schema.len()).collect())
                } else {
                    Exchange::Rebalance
                };
                let name = describe::sink(spec, &schema);
                let operator = OperatorSpec::Sink(SinkSpec::clone(spec));
                self.add(name, operator, schema.clone(), parallelism, updates, &[(stream, exchange)]);
            }
        }
        Ok((schema, updates))
    }
}
