//! Changes to the plan of a case.

use std::collections::BTreeMap;
use std::time::Duration;

use flott::batch::{ChangeBatch, arrow_type};
use flott::cluster::NextRows;
use flott::plan::{
    Exchange, JobGraph, Node, OperatorSpec, Schema, SinkSpec, SourceSpec, StreamGraph, TableSpec,
};
use flott::{Error, Result};

use crate::committed::COMMITTED;
use crate::rows::ROWS;
use crate::stage::Stage;

/// Lets VALUES be read from a source. The rows are computed once: a job that continues with another's state
/// reads the same.
///
/// # Errors
/// If an expression fails.
pub fn values(graph: &mut JobGraph, stage: &Stage) -> Result<()> {
    let configuration = graph.configuration.clone();
    for operator in graph.vertices.iter_mut().flat_map(|vertex| &mut vertex.operators) {
        if !matches!(operator.node.spec, OperatorSpec::Values { .. }) {
            continue;
        }
        let name = operator.node.uid.0.clone();
        if !stage.rows.has(&name) {
            stage.rows.put(&name, computed(&operator.node, configuration.clone(), stage)?);
        }
        let schema = operator.node.schema.clone();
        operator.node.spec = OperatorSpec::Source(SourceSpec {
            projection: (0..schema.len()).collect(),
            table: table(ROWS, name, schema),
            paths: Vec::new(),
            metadata: Schema::default(),
            limit: None,
            watermark: None,
            errors: false,
        });
    }
    Ok(())
}

/// Lets the rows of the query be committed instead of collected.
pub fn commits(graph: &mut JobGraph) {
    for operator in graph.vertices.iter_mut().flat_map(|vertex| &mut vertex.operators) {
        if operator.node.spec == OperatorSpec::Collect {
            let schema = operator.inputs.first().cloned().unwrap_or_default();
            operator.node.spec = OperatorSpec::Sink(SinkSpec {
                table: table(COMMITTED, COMMITTED.to_owned(), schema),
                metadata: Schema::default(),
                overwrite: false,
                static_partition: BTreeMap::new(),
                drop_update_before: false,
            });
        }
    }
}

fn table(connector: &str, name: String, schema: Schema) -> TableSpec {
    TableSpec {
        name,
        connector: connector.to_owned(),
        options: BTreeMap::new(),
        schema,
        partition_keys: Vec::new(),
        primary_key: Vec::new(),
    }
}

/// The rows of VALUES, by a job that does nothing else.
fn computed(values: &Node, configuration: BTreeMap<String, String>, stage: &Stage) -> Result<ChangeBatch> {
    let mut graph = StreamGraph::default();
    let node = |spec| Node { spec, parallelism: 1, ..values.clone() };
    let rows = graph.add(node(values.spec.clone()));
    let mut collect = node(OperatorSpec::Collect);
    collect.uid.0.push_str(" collected");
    let collect = graph.add(collect);
    graph.connect(rows, collect, 0, Exchange::Forward);
    let job = stage.cluster.submit(&graph.into_job_graph("values", configuration, 0, true)?)?;
    let results = job.results().ok_or_else(|| Error::internal("VALUES collects nothing"))?;
    let mut batches = Vec::new();
    loop {
        match results.next_within(Duration::from_secs(30))? {
            NextRows::Rows(rows) => batches.push(rows),
            NextRows::End => break,
            NextRows::NotYet => return Err(Error::internal("VALUES does not end")),
        }
    }
    ChangeBatch::concat(&arrow_type::schema(values.schema.iter()), batches)
}
