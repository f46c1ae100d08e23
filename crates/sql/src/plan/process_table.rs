//! Process table functions.

use flott_expr::user::{ChangelogContext, ProcessParameter};
use flott_plan::{ChangelogMode, Exchange, OperatorSpec, ProcessTableSpec, Schema};
use flott_types::{Error, Result};

use super::{Planner, Stream, describe, schema_of};
use crate::changelog::{Kinds, needs_before};
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
        let changes: Vec<&Stream> = streams.iter().map(|(stream, _)| stream).collect();
        let emissions = self.emissions(spec, &changes)?;
        let output = emissions.of_upserts;
        let spec = ProcessTableSpec { ttl: self.options.state_ttl, output, ..spec.clone() };
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
        self.emissions.insert(planned.id, emissions);
        Ok(planned)
    }

    /// Asks a function what it gives for the changes of its tables.
    fn emissions(&self, spec: &ProcessTableSpec, streams: &[&Stream]) -> Result<Emissions> {
        let lost = || Error::internal(format!("there is no process table function '{}'", spec.function));
        let function = self.functions.called(&spec.function).ok_or_else(lost)?;
        let process = function.process().ok_or_else(lost)?;
        let names = process.parameters().iter().filter_map(|parameter| match parameter {
            ProcessParameter::Table { name, .. } => Some(name),
            ProcessParameter::Scalar { .. } => None,
        });
        let modes = spec.tables.iter().zip(streams).map(|(table, stream)| {
            let Kinds { updates, deletes } = stream.relation.kinds;
            let update_before = updates && needs_before(table, &stream.relation);
            ChangelogMode { updates, update_before, deletes, key_only_deletes: false }
        });
        let tables: Vec<(String, ChangelogMode)> = names.cloned().zip(modes).collect();
        // Rows that are taken one by one have no key by which an update could be found.
        let keyed = spec.tables.iter().all(|table| table.partition.is_some());
        let ask = |required: ChangelogMode| {
            let required = if keyed { required } else { ChangelogMode::all() };
            process.changelog(&ChangelogContext::new(tables.clone(), required))
        };
        let emissions = Emissions {
            shown: function.shown().to_owned(),
            of_all: ask(ChangelogMode::all()),
            of_upserts: ask(ChangelogMode::upsert(false)),
            of_keys: ask(ChangelogMode::upsert(true)),
        };
        let kinds = |mode: ChangelogMode| (mode.updates, mode.deletes);
        let Emissions { of_all, of_upserts, of_keys, ref shown } = emissions;
        if kinds(of_all) != kinds(of_upserts) || kinds(of_all) != kinds(of_keys) {
            return Err(Error::invalid(format!(
                "the function '{shown}' declares updates or deletions for some of those who take its result and not for others"
            )));
        }
        if [of_all, of_upserts, of_keys].iter().any(|mode| mode.update_before && !mode.updates) {
            return Err(Error::invalid(format!("the function '{shown}' declares -U without +U")));
        }
        let gives_updates = !of_all.is_insert_only();
        let takes_updates = streams.iter().any(|stream| stream.updates());
        if (gives_updates || takes_updates) && spec.tables.iter().any(|table| table.time.is_some()) {
            return Err(Error::invalid(
                "Time operations using the `on_time` argument are currently not supported for PTFs that consume or produce updates.",
            ));
        }
        if !gives_updates {
            return Ok(emissions);
        }
        let of_rows = spec.tables.iter().zip(&tables).find(|(table, _)| table.partition.is_none());
        if let Some((_, (name, _))) = of_rows
            && !of_all.update_before
        {
            return Err(Error::invalid(format!(
                "PTFs that take table arguments with row semantics don't support upsert output. Table argument '{name}' of function \
                 '{shown}' must use set semantics."
            )));
        }
        if spec.tables.iter().any(|table| table.passes_columns) {
            return Err(Error::invalid(
                "Pass-through columns are not supported for PTFs that produce updates.",
            ));
        }
        Ok(emissions)
    }
}

/// What a function gives, by what is needed of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Emissions {
    /// The name that messages call it by.
    shown: String,
    /// If `-U` is needed.
    of_all: ChangelogMode,
    /// If it is not, and deletions must have all columns.
    of_upserts: ChangelogMode,
    /// If they may have the key alone.
    of_keys: ChangelogMode,
}

impl Emissions {
    /// What the function is to give.
    ///
    /// # Errors
    /// If it cannot give what is needed.
    pub fn chosen(&self, before: bool, full_deletes: bool) -> Result<ChangelogMode> {
        let chosen = match (before, full_deletes) {
            (true, _) => self.of_all,
            (false, true) => self.of_upserts,
            (false, false) => self.of_keys,
        };
        let refused = |lacks: &str, instead: &str| {
            Err(Error::invalid(format!(
                "Can't generate a valid execution plan for the given query: the function '{}' gives {lacks}, which those who take its \
                 result need. {instead}",
                self.shown
            )))
        };
        if before && chosen.updates && !chosen.update_before {
            return refused(
                "updates without UPDATE_BEFORE",
                "Insert its result into a table whose primary key is the PARTITION BY of the call, or let the function declare \
                 UPDATE_BEFORE where it is required",
            );
        }
        if (before || full_deletes) && chosen.deletes && chosen.key_only_deletes {
            return refused(
                "deletions by the key alone",
                "Let it give deletions with all columns where `required().key_only_deletes` is false",
            );
        }
        Ok(chosen)
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
