//! Functions of a program that answer later: looked up as tables are, with their arguments as keys.

use std::collections::BTreeMap;

use flott_plan::{
    Chaining, Exchange, Expr, JoinKind, LookupJoinSpec, LookupKey, LookupSpec, OperatorSpec, Schema,
    TableSpec,
};
use flott_types::{Error, Result};

use super::{Planner, Stream, describe, schema_of};
use crate::logical::{Rel, RelNode};

impl Planner<'_> {
    pub(super) fn async_call(&mut self, rel: &Rel) -> Result<Stream> {
        let RelNode::AsyncCall { input, function, args, table, kind } = &rel.node else {
            return Err(Error::internal("this is no asynchronous call"));
        };
        let width = input.fields.len();
        let name = self.functions.called(function).map_or(function.as_str(), |function| function.shown());
        let stream = self.stream(input)?;
        let invocation = {
            let args: Vec<String> = args.iter().map(|arg| describe::expr(arg, &stream.schema)).collect();
            format!("{name}({})", args.join(", "))
        };
        let (columns, constants): (Vec<_>, Vec<_>) = args.iter().cloned().partition(reads);
        let (stream, places) = self.with_keys(stream, columns);
        let (mut places, mut constants) = (places.into_iter(), constants.into_iter());
        let keys = args.iter().filter_map(|arg| match reads(arg) {
            true => places.next().map(LookupKey::Column),
            false => constants.next().map(LookupKey::Constant),
        });
        let keys: Vec<LookupKey> = keys.collect();
        let returned = schema_of(rel).columns.split_off(width);
        let mut schema =
            Schema::new(args.iter().enumerate().map(|(at, arg)| (format!("arg{at}"), arg.ty().clone())));
        let projection = args.len()..args.len() + returned.len();
        // What the function returns may be NULL for a row that has none at all, which the operator knows.
        schema.columns.extend(returned.iter().cloned());
        let requests = if *table { &self.options.async_tables } else { &self.options.async_scalars };
        let spec = LookupJoinSpec {
            kind: *kind,
            lookup: LookupSpec {
                table: TableSpec {
                    name: name.to_owned(),
                    connector: String::new(),
                    options: BTreeMap::new(),
                    schema,
                    partition_keys: Vec::new(),
                    primary_key: Vec::new(),
                },
                keys: (0..args.len()).collect(),
                projection: projection.collect(),
                model: false,
                function: Some(function.clone()),
            },
            keys,
            projection: Vec::new(),
            left_condition: None,
            condition: None,
            requests: requests.clone(),
        };
        let mut output = stream.schema.clone();
        let wide = output.len();
        output.columns.extend(returned);
        let names: Vec<&str> = output.columns.iter().map(|column| column.name.as_str()).collect();
        let shown = match table {
            false => {
                let (last, before) =
                    names.split_last().map_or(("", names.as_slice()), |(last, all)| (*last, all));
                let mut select: Vec<String> = before.iter().map(|name| (*name).to_owned()).collect();
                select.push(format!("{invocation} AS {last}"));
                format!("AsyncCalc(select=[{}])", select.join(", "))
            }
            true => format!(
                "AsyncCorrelate(invocation=[{invocation}], select=[{}], joinType=[{}])",
                names.join(","),
                if *kind == JoinKind::Left { "LEFT" } else { "INNER" }
            ),
        };
        let parallelism = stream.parallelism;
        let operator = OperatorSpec::LookupJoin(spec);
        let asked = self.add(shown, operator, output, parallelism, &[(stream, Exchange::Forward)]);
        // While there is no room, nobody before it in its task may go on.
        self.graph.nodes[asked.id.0 as usize].wishes.chaining = Chaining::Head;
        if wide == width {
            return Ok(asked);
        }
        let target = schema_of(rel);
        let exprs = target.columns.iter().enumerate().map(|(index, column)| {
            let place = if index < width { index } else { index + wide - width };
            Expr::column(place, column.ty.clone())
        });
        Ok(self.project_stream(asked, exprs.collect(), None, target))
    }
}

fn reads(expr: &Expr) -> bool {
    let mut columns = Vec::new();
    expr.collect_columns(&mut columns);
    !columns.is_empty()
}
