//! Aggregations: grouped and windowed.

use flott_plan::{
    AggregateCall, AggregatePhase, Column, Exchange, Expr, OperatorSpec, Schema, WindowKind, WindowSpec,
};
use flott_types::{Error, Result, TypeKind};

use super::{Planner, Stream, describe, schema_of};
use crate::logical::{Call, Rel, state_ttl};

/// The parts of a window aggregation.
pub(super) struct WindowParts<'r> {
    pub window: &'r WindowSpec,
    pub attached: Option<(usize, usize)>,
    pub keys: &'r [usize],
    pub calls: &'r [Call],
    pub bounds: [bool; 3],
}

impl Planner<'_> {
    pub(super) fn window_tvf(
        &mut self,
        input: &Rel,
        window: &WindowSpec,
        partition: &[usize],
        rel: &Rel,
    ) -> Result<Stream> {
        let input = self.stream(input)?;
        self.insert_only(&input, "WindowTableFunction")?;
        let name = describe::window_tvf(window, partition, &input.schema);
        let session = matches!(window.kind, WindowKind::Session { .. });
        let spec =
            OperatorSpec::WindowTableFunction { window: window.clone(), partition: partition.to_vec() };
        let schema = schema_of(rel);
        if session {
            return Ok(self.keyed(name, spec, schema, input, partition));
        }
        let parallelism = input.parallelism;
        Ok(self.add(name, spec, schema, parallelism, &[(input, Exchange::Forward)]))
    }

    pub(super) fn group_aggregate(
        &mut self,
        input: &Rel,
        keys: &[usize],
        calls: &[AggregateCall],
        rel: &Rel,
    ) -> Result<Stream> {
        let hint = state_ttl(&input.fields);
        let input = self.stream(input)?;
        let schema = schema_of(rel);
        let updates = input.updates();
        self.check_users(calls, updates.then_some(UPDATES), None)?;
        let spec = |keys: Vec<usize>, phase| OperatorSpec::GroupAggregate {
            keys,
            aggregates: calls.to_vec(),
            phase,
            input_updates: updates,
            emit_update_before: true,
            ttl: hint.unwrap_or(self.options.state_ttl),
        };
        let name = describe::group_aggregate("GroupAggregate", keys, calls, &input.schema);
        if !self.options.two_phase || updates || input.parallelism == 1 {
            let spec = spec(keys.to_vec(), AggregatePhase::Single);
            return Ok(self.keyed(name, spec, schema, input, keys));
        }
        let Some(local_schema) = local_schema(keys, calls, &input.schema) else {
            let spec = spec(keys.to_vec(), AggregatePhase::Single);
            return Ok(self.keyed(name, spec, schema, input, keys));
        };
        let local_name = describe::group_aggregate("LocalGroupAggregate", keys, calls, &input.schema);
        let global_name = describe::group_aggregate("GlobalGroupAggregate", keys, calls, &input.schema);
        let local_spec = spec(keys.to_vec(), AggregatePhase::Local);
        let global_keys: Vec<usize> = (0..keys.len()).collect();
        let global_spec = spec(global_keys.clone(), AggregatePhase::Global);
        let parallelism = input.parallelism;
        let inputs = [(input.clone(), Exchange::Forward)];
        let local = self.add(local_name, local_spec, local_schema, parallelism, &inputs);
        let single = spec(keys.to_vec(), AggregatePhase::Single);
        Ok(self.second_phase(
            (&name, single, &input),
            (global_name, global_spec, schema),
            &local,
            &global_keys,
        ))
    }

    pub(super) fn window_aggregate(
        &mut self,
        input: &Rel,
        parts: &WindowParts<'_>,
        rel: &Rel,
    ) -> Result<Stream> {
        let WindowParts { window, attached, keys, calls, bounds } = parts;
        let input = self.stream(input)?;
        if input.updates() && attached.is_some() {
            return Err(Error::unsupported(
                "an aggregation over windows of a stream with updates is not supported",
            ));
        }
        if input.updates() && matches!(window.kind, WindowKind::Session { .. }) {
            return Err(Error::unsupported("a SESSION window over a stream with updates is not supported"));
        }
        let merged = match &window.kind {
            WindowKind::Session { .. } => Some("a session window"),
            WindowKind::Hop { .. } => Some("a hopping window"),
            WindowKind::Cumulate { .. } => Some("a cumulating window"),
            WindowKind::Tumble { .. } => None,
        };
        self.check_users(calls, input.updates().then_some(UPDATES), merged)?;
        let spec = |keys: Vec<usize>, phase, input_updates| OperatorSpec::WindowAggregate {
            window: (*window).clone(),
            keys,
            aggregates: calls.to_vec(),
            phase,
            attached: *attached,
            window_columns: *bounds,
            input_updates,
        };
        let schema = schema_of(rel);
        let sliced = window.event_time && !matches!(window.kind, WindowKind::Session { .. });
        let split = self.options.two_phase && sliced && !input.updates() && input.parallelism > 1;
        let local = if split { local_schema(keys, calls, &input.schema) } else { None };
        let name = describe::window_aggregate("WindowAggregate", window, keys, calls, &input.schema);
        let Some(mut local) = local else {
            let single = spec(keys.to_vec(), AggregatePhase::Single, input.updates());
            return Ok(self.keyed(name, single, schema, input, keys));
        };
        local.columns.push(Column { name: "$slice_end".to_owned(), ty: TypeKind::BigInt.not_null() });
        let local_name =
            describe::window_aggregate("LocalWindowAggregate", window, keys, calls, &input.schema);
        let global_name =
            describe::window_aggregate("GlobalWindowAggregate", window, keys, calls, &input.schema);
        let local_spec = spec(keys.to_vec(), AggregatePhase::Local, false);
        let global_keys: Vec<usize> = (0..keys.len()).collect();
        let global_spec = spec(global_keys.clone(), AggregatePhase::Global, false);
        let parallelism = input.parallelism;
        let inputs = [(input.clone(), Exchange::Forward)];
        let local = self.add(local_name, local_spec, local, parallelism, &inputs);
        let single = spec(keys.to_vec(), AggregatePhase::Single, false);
        Ok(self.second_phase(
            (&name, single, &input),
            (global_name, global_spec, schema),
            &local,
            &global_keys,
        ))
    }
}

const UPDATES: &str = "an input with updates";

impl Planner<'_> {
    /// Refuses aggregate functions of users that lack what they need here, and why they need it.
    pub(super) fn check_users(
        &self,
        calls: &[AggregateCall],
        must_retract: Option<&str>,
        must_merge: Option<&str>,
    ) -> Result<()> {
        let users = calls.iter().filter_map(|call| self.functions.called(&call.function));
        users.into_iter().try_for_each(|function| function.check_aggregate(must_retract, must_merge))
    }
}

/// The output of a local aggregation: keys, then accumulators; `None` when an aggregate cannot be split.
fn local_schema(keys: &[usize], calls: &[AggregateCall], input: &Schema) -> Option<Schema> {
    let mut columns: Vec<_> = keys.iter().map(|key| input.columns[*key].clone()).collect();
    for (index, call) in calls.iter().enumerate() {
        for (name, ty) in call.accumulators().ok()? {
            columns.push(Column { name: format!("{index}${name}"), ty });
        }
    }
    Some(Schema { columns })
}

/// All columns as they are.
pub(super) fn identity(schema: &Schema) -> Vec<Expr> {
    schema.columns.iter().enumerate().map(|(index, column)| Expr::column(index, column.ty.clone())).collect()
}
