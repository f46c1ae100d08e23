//! Queries, INSERT, statement sets, EXPLAIN.

use std::collections::BTreeMap;

use flott_expr::{PlanContext, bind};
use flott_plan::{Expr, JobGraph, Literal, Schema, StreamGraph};
use flott_sql_parser::ast::{
    CompilePlan, Explain, ExplainDetail, ExprKind, Insert, Literal as AstLiteral, PartitionValue, Query,
    Statement,
};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::{Answer, Outcome, PlanToKeep, PlannedJob, Session, parts, settings};
use crate::bind::Binder;
use crate::bind::errors::{sink_columns, sink_spec};
use crate::catalog::Table;
use crate::changelog::Mode;
use crate::compiled::{CompiledPlan, is_of_the_plan};
use crate::logical::Rel;
use crate::optimize::{optimize, share};
use crate::plan::{PlanOptions, Planner, SinkTarget, explain};

impl Session {
    pub(super) fn query(&self, query: &Query) -> Result<Outcome> {
        let rel = self.bound(query)?;
        if let Some(field) = rel.fields.iter().find(|field| field.ty.kind == TypeKind::Null) {
            return Err(Error::invalid(format!(
                "Illegal use of 'NULL': column '{}' has no type; write CAST(NULL AS type)",
                field.name
            )));
        }
        let options = self.plan_options()?;
        let planned = self.planned(&[(rel, SinkTarget::Collect)], &options)?;
        Ok(Outcome::Query(Box::new(planned.into_job("collect", &options)?)))
    }

    pub(super) fn insert(&self, inserts: &[Insert]) -> Result<Outcome> {
        if inserts.is_empty() {
            return Ok(Outcome::Done);
        }
        self.insert_job(&self.bound_inserts(inserts)?)
    }

    pub(super) fn explain(&self, statement: &Explain) -> Result<Outcome> {
        let roots = match (statement.statement.as_ref(), inserts_of(&statement.statement)) {
            (Statement::Query(query), _) => {
                // What is only shown has no client that needs all changes.
                let target =
                    if statement.restore.is_some() { SinkTarget::Collect } else { SinkTarget::Nobody };
                vec![(self.bound(query)?, target)]
            }
            (_, Some(inserts)) => self.bound_inserts(inserts)?,
            (_, None) => {
                return Err(Error::invalid(format!(
                    "EXPLAIN takes a query, an INSERT or a statement set, at {}",
                    statement.position
                )));
            }
        };
        let options = self.plan_options()?;
        if let Some(path) = &statement.restore {
            let job = Box::new(self.planned(&roots, &options)?.into_job("explain", &options)?);
            return Ok(Outcome::ExplainRestore { path: path.value.clone(), job });
        }
        if statement.details.contains(&ExplainDetail::EstimatedCost) {
            return Err(Error::unsupported(format!(
                "EXPLAIN ESTIMATED_COST is not supported, at {}: plans here are not chosen by cost",
                statement.position
            )));
        }
        let planned = self.planned(&roots, &options)?;
        let logical: Vec<Rel> = roots.into_iter().map(|(rel, _)| rel).collect();
        let text = explain(&logical, &planned.graph, &planned.modes, &statement.details);
        Ok(Outcome::Table(Answer::list("result", [text])))
    }

    /// Binds a query against the session.
    pub(crate) fn bound(&self, query: &Query) -> Result<Rel> {
        let context = self.plan_context()?;
        Binder::new(&self.catalogs, &self.connectors, &context).bind(query)
    }

    /// Refuses a query with two columns of one name.
    pub(super) fn distinct_names(&self, query: &Query) -> Result<()> {
        let context = self.plan_context()?;
        Binder::new(&self.catalogs, &self.connectors, &context).distinct_names(query)
    }

    pub(super) fn planned(&self, roots: &[(Rel, SinkTarget)], options: &PlanOptions) -> Result<Planned> {
        let context = self.plan_context()?;
        let mut planner = Planner::new(&self.connectors, &self.functions, options);
        let mut schema = Schema::default();
        let mut updates = false;
        let mut targets = Vec::new();
        for ((_, target), rel) in roots.iter().zip(&optimized(roots, &context, options)?) {
            (schema, updates) = planner.sink(rel, target)?;
            if let SinkTarget::Table(spec, _) = target {
                targets.push(spec.table.name.clone());
            }
        }
        targets.extend(planner.errors()?);
        let (graph, modes) = planner.finish()?;
        Ok(Planned { graph, modes, schema, updates, targets })
    }

    /// COMPILE PLAN
    pub(super) fn compile(&self, compile: &CompilePlan) -> Result<Outcome> {
        let Some(inserts) = inserts_of(&compile.statement) else {
            return Err(Error::invalid(format!(
                "COMPILE PLAN takes an INSERT or a statement set, at {}",
                compile.position
            )));
        };
        let options = self.plan_options()?;
        let Planned { graph, targets, .. } = self.planned(&self.bound_inserts(inserts)?, &options)?;
        let mut settings = options.configuration_map();
        settings.retain(|key, _| is_of_the_plan(key));
        let plan = CompiledPlan::new(insert_name(&targets), targets, settings, graph);
        Ok(Outcome::CompilePlan(Box::new(PlanToKeep {
            path: compile.path.value.clone(),
            keep_existing: compile.if_not_exists,
            overwrite: self.configuration.flag("table.plan.force-recompile", false)?,
            execute: compile.execute,
            plan,
        })))
    }

    /// The job of a compiled plan, with the settings that the session has beyond the plan.
    ///
    /// # Errors
    /// If the settings are incompatible with the plan.
    pub fn job_of(&self, plan: CompiledPlan) -> Result<PlannedJob> {
        let mut options = self.plan_options()?;
        let mut configuration = options.configuration.clone();
        for key in self.configuration.iter().map(|(key, _)| key).filter(|key| is_of_the_plan(key)) {
            configuration.reset(key);
        }
        for (key, value) in &plan.settings {
            configuration.set_any(key, value)?;
        }
        options.zone = settings::time_zone(&configuration)?.name().to_owned();
        options.configuration = configuration;
        let graph = job_graph(plan.graph, &plan.name, &options)?;
        Ok(PlannedJob { graph, schema: Schema::default(), updates: false, targets: plan.targets })
    }

    fn insert_job(&self, roots: &[(Rel, SinkTarget)]) -> Result<Outcome> {
        let options = self.plan_options()?;
        let planned = self.planned(roots, &options)?;
        let name = insert_name(&planned.targets);
        Ok(Outcome::Insert(Box::new(planned.into_job(&name, &options)?)))
    }

    /// INSERT of a query that is already bound: the meaning of its names may have changed since.
    pub(super) fn insert_bound(&self, insert: &Insert, source: Rel) -> Result<Outcome> {
        self.insert_job(&[self.insertion(insert, source)?])
    }

    pub(super) fn bound_inserts(&self, inserts: &[Insert]) -> Result<Vec<(Rel, SinkTarget)>> {
        inserts.iter().map(|insert| self.insertion(insert, self.bound(&insert.source)?)).collect()
    }

    /// An INSERT: the query, with its columns cast and ordered as those of the table, and the sink.
    fn insertion(&self, insert: &Insert, source: Rel) -> Result<(Rel, SinkTarget)> {
        let context = self.plan_context()?;
        let binder = Binder::new(&self.catalogs, &self.connectors, &context);
        if insert.overwrite && context.streaming {
            return Err(Error::invalid(format!(
                "Streaming mode not support overwrite: INSERT OVERWRITE at {}",
                insert.position
            )));
        }
        let (path, table) = binder.target(&parts(&insert.target), &insert.hints, &insert.target)?;
        let (columns, _) = sink_columns(&table);
        let fixed = static_partition(&insert.partition, &table)?;
        let rel = assign_columns(source, insert, &columns, &fixed, &path.to_string())?;
        let static_partition = fixed
            .iter()
            .map(|(name, value)| (name.clone(), partition_text(value)))
            .collect::<BTreeMap<_, _>>();
        let spec = sink_spec(&path, &table, insert.overwrite, static_partition)?;
        Ok((rel, SinkTarget::Table(Box::new(spec), insert.on_conflict)))
    }
}

/// The result of planning, before it becomes a job.
pub(super) struct Planned {
    pub graph: StreamGraph,
    /// What each node emits.
    modes: Vec<Mode>,
    /// The columns of the last root.
    schema: Schema,
    /// Whether it contains updates.
    updates: bool,
    /// The tables that are written to.
    pub targets: Vec<String>,
}

impl Planned {
    fn into_job(self, name: &str, options: &PlanOptions) -> Result<PlannedJob> {
        let Planned { graph, schema, updates, targets, .. } = self;
        Ok(PlannedJob { graph: job_graph(graph, name, options)?, schema, updates, targets })
    }
}

/// The INSERTs of an INSERT or a statement set.
fn inserts_of(statement: &Statement) -> Option<&[Insert]> {
    match statement {
        Statement::Insert(insert) => Some(std::slice::from_ref(insert.as_ref())),
        Statement::StatementSet(set) => Some(&set.inserts),
        _ => None,
    }
}

/// The constants of `PARTITION (k = v)`.
fn static_partition(partition: &[PartitionValue], table: &Table) -> Result<Vec<(String, Expr)>> {
    let mut fixed = Vec::new();
    for (index, PartitionValue { column, value }) in partition.iter().enumerate() {
        if partition[..index].iter().any(|other| other.column.value == column.value) {
            return Err(Error::invalid(format!("PARTITION names the column '{}' twice", column.value)));
        }
        if !table.partition_keys.contains(&column.value) {
            return Err(Error::invalid(format!("'{}' is not a partition column of the table", column.value)));
        }
        let Some(value) = value else { continue };
        let literal = match &value.kind {
            ExprKind::Literal(AstLiteral::String(text)) => flott_expr::literal_text::string(text.as_str()),
            ExprKind::Literal(AstLiteral::Number(digits)) => flott_expr::literal_text::number(digits)?,
            ExprKind::Literal(AstLiteral::Boolean(truth)) => flott_expr::literal_text::boolean(*truth),
            _ => return Err(Error::invalid(format!("PARTITION ({} = ...) takes a constant", column.value))),
        };
        fixed.push((column.value.clone(), literal));
    }
    Ok(fixed)
}

/// The constants of `PARTITION (k = v)` as text.
pub(super) fn partition_values(partition: &[PartitionValue], table: &Table) -> Result<Vec<(String, String)>> {
    let fixed = static_partition(partition, table)?;
    Ok(fixed.into_iter().map(|(name, value)| (name, partition_text(&value))).collect())
}

fn partition_text(value: &Expr) -> String {
    match value {
        Expr::Literal { value: Literal::String(text), .. } => text.clone(),
        Expr::Literal { value: Literal::Integer(number), .. } => number.to_string(),
        Expr::Literal { value: Literal::Boolean(truth), .. } => truth.to_string(),
        other => format!("{other:?}"),
    }
}

/// The query's columns, with the order and types of the table's.
fn assign_columns(
    source: Rel,
    insert: &Insert,
    columns: &[(String, LogicalType)],
    fixed: &[(String, Expr)],
    table: &str,
) -> Result<Rel> {
    let is_fixed = |name: &str| fixed.iter().any(|(column, _)| column == name);
    let listed: Vec<String> = if insert.columns.is_empty() {
        columns.iter().map(|(name, _)| name.clone()).filter(|name| !is_fixed(name)).collect()
    } else {
        insert.columns.iter().map(|column| column.value.clone()).collect()
    };
    for (index, name) in listed.iter().enumerate() {
        if !columns.iter().any(|(column, _)| column == name) {
            return Err(Error::invalid(format!(
                "INSERT at {}: table {table} has no column '{name}'",
                insert.position
            )));
        }
        if listed[..index].contains(name) {
            return Err(Error::invalid(format!(
                "INSERT at {}: column '{name}' is listed twice",
                insert.position
            )));
        }
    }
    if listed.len() != source.fields.len() {
        let show = |types: &mut dyn Iterator<Item = (String, LogicalType)>| {
            types.map(|(name, ty)| format!("{name}: {ty}")).collect::<Vec<_>>().join(", ")
        };
        let query = show(&mut source.fields.iter().map(|field| (field.name.clone(), field.ty.clone())));
        let sink = show(&mut columns.iter().cloned());
        return Err(Error::invalid(format!(
            "Column types of query result and sink for '{table}' do not match. Cause: Different number of columns.\n\n\
             Query schema: [{query}]\nSink schema:  [{sink}]"
        )));
    }
    let mut exprs = Vec::with_capacity(columns.len());
    for (name, ty) in columns {
        let expr = match (
            listed.iter().position(|column| column == name),
            fixed.iter().find(|(column, _)| column == name),
        ) {
            (Some(index), _) => bind::assign(source.column(index), name, ty)?,
            (None, Some((_, value))) => bind::assign(value.clone(), name, ty)?,
            (None, None) if ty.nullable => Expr::literal(Literal::Null, ty.clone()),
            (None, None) => {
                return Err(Error::invalid(format!(
                    "INSERT at {}: column '{name}' is NOT NULL and is not listed",
                    insert.position
                )));
            }
        };
        exprs.push((expr, name.clone()));
    }
    Ok(source.project(exprs))
}

/// Optimises all queries of a job.
fn optimized(roots: &[(Rel, SinkTarget)], context: &PlanContext, options: &PlanOptions) -> Result<Vec<Rel>> {
    let rels = roots.iter().map(|(rel, _)| optimize(rel.clone(), context)).collect::<Result<Vec<_>>>()?;
    Ok(if options.reuse_sources { share(rels, context) } else { rels })
}

/// The name of a job that writes to tables.
fn insert_name(targets: &[String]) -> String {
    format!("insert-into_{}", targets.join(","))
}

/// The graph with its operators chained and the configuration that travels with it.
fn job_graph(graph: StreamGraph, name: &str, options: &PlanOptions) -> Result<JobGraph> {
    let mut configuration = options.configuration_map();
    configuration.insert("table.local-time-zone".to_owned(), options.zone.clone());
    let name = options.name.as_deref().unwrap_or(name);
    graph.into_job_graph(name, configuration, options.max_parallelism, options.chaining)
}
