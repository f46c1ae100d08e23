//! Process table functions.

use flott_plan::{Exchange, OperatorSpec, ProcessTableSpec, Schema};
use flott_types::{Error, Result};

use super::{Planner, Stream, describe, schema_of};
use crate::logical::Rel;

impl Planner<'_> {
    pub(super) fn process_table(
        &mut self,
        inputs: &[Rel],
        spec: &ProcessTableSpec,
        rel: &Rel,
    ) -> Result<Stream> {
        let name = describe(spec, inputs, rel);
        let mut streams: Vec<(Stream, Exchange)> = Vec::with_capacity(inputs.len());
        for (input, table) in inputs.iter().zip(&spec.tables) {
            let stream = self.stream(input)?;
            if !table.takes_updates {
                self.insert_only(&stream, "StreamPhysicalProcessTableFunction")?;
            }
            let Some(partition) = &table.partition else {
                streams.push((stream, Exchange::Forward));
                continue;
            };
            if table.order.is_empty() {
                streams.push((stream, self.distribution(partition).1));
                continue;
            }
            self.insert_only(&stream, "ORDER BY of a table argument")?;
            let sort =
                OperatorSpec::TemporalSort { order: table.order.clone(), partition: partition.clone() };
            let (sorted, schema) = (describe::sort(&table.order, &stream.schema), stream.schema.clone());
            // Those of a partition are together already.
            streams.push((self.keyed(sorted, sort, schema, stream, partition), Exchange::Forward));
        }
        let parallelism = match spec.tables.iter().find_map(|table| table.partition.as_ref()) {
            Some(partition) => self.distribution(partition).0,
            None => streams.iter().map(|(stream, _)| stream.parallelism).max().unwrap_or(1),
        };
        let spec = ProcessTableSpec { ttl: self.options.state_ttl, ..spec.clone() };
        let (uid, keeps_state) =
            (spec.uid.clone(), spec.tables.iter().any(|table| table.partition.is_some()));
        let ports: Vec<(usize, &Stream, &Exchange)> =
            streams.iter().enumerate().map(|(port, (stream, exchange))| (port, stream, exchange)).collect();
        let before = self.graph.nodes.len();
        let planned =
            self.add_ports(name, OperatorSpec::ProcessTable(spec), schema_of(rel), parallelism, &ports);
        let named = &self.graph.nodes[planned.id.0 as usize].uid;
        let taken = self.graph.nodes[..before].iter().any(|node| node.uid == *named);
        if keeps_state && taken && planned.id.0 as usize >= before {
            return Err(Error::invalid(format!(
                "Duplicate unique identifier '{uid}' detected among process table functions. Make sure that all PTF calls have an \
                 identifier defined that is globally unique. Please provide a custom identifier using the implicit `uid` \
                 argument. For example: myFunction(..., uid => 'my-id')"
            )));
        }
        Ok(planned)
    }
}

/// The call, as Flink's EXPLAIN writes it.
pub(super) fn describe(spec: &ProcessTableSpec, inputs: &[Rel], rel: &Rel) -> String {
    let column = |column: &usize| format!("${column}");
    let mut arguments: Vec<String> = Vec::new();
    for (at, (table, input)) in
        spec.tables.iter().zip(inputs).enumerate().filter(|(_, (table, _))| !table.nothing)
    {
        let mut text = format!("TABLE(#{at})");
        if let Some(partition) = table.partition.as_ref().filter(|partition| !partition.is_empty()) {
            let columns: Vec<String> = partition.iter().map(column).collect();
            text.push_str(&format!(" PARTITION BY({})", columns.join(", ")));
        }
        if !table.order.is_empty() {
            text.push_str(&format!(" ORDER BY({})", describe::sort_keys(&table.order, &schema_of(input))));
        }
        arguments.push(text);
    }
    arguments.extend(spec.arguments.iter().map(|argument| describe::expr(argument, &Schema::default())));
    let times = spec.tables.iter().zip(inputs);
    let mut times: Vec<&str> =
        times.filter_map(|(table, input)| Some(input.fields[table.time?].name.as_str())).collect();
    times.dedup();
    arguments.push(match times.as_slice() {
        [] => "DEFAULT()".to_owned(),
        times => format!("DESCRIPTOR({})", times.join(", ")),
    });
    arguments.push(format!("'{}'", spec.uid));
    let columns: Vec<&str> = rel.fields.iter().map(|field| field.name.as_str()).collect();
    format!(
        "ProcessTableFunction(invocation=[{}({})], uid=[{}], select=[{}])",
        spec.function,
        arguments.join(", "),
        spec.uid,
        columns.join(",")
    )
}
