//! Builds an operator from its specification.

use std::sync::Arc;

use chrono_tz::Tz;
use flott_expr::user::ArtifactLimits;
use flott_expr::{Functions, PlanContext};
use flott_operator::Operator;
use flott_plan::{AggregatePhase, ChainedNode, Conflict, OperatorSpec, Schema, WindowKind};
use flott_runtime::{Outside, TaskOptions};
use flott_state::spill::{StateMemory, TableMemory};
use flott_types::{Error, Result, Timestamp};

use crate::aggregate::group::GroupAggregate;
use crate::aggregate::local::LocalGroupAggregate;
use crate::batch::AtEnd;
use crate::join::{Join, JoinParts};
use crate::lookup_join::LookupJoin;
use crate::normalize::ChangelogNormalize;
use crate::over::{CompleteParts, OverAggregate, OverParts, UpdatingOver};
use crate::pattern::MatchRecognize;
use crate::process_table::ProcessTable;
use crate::rank::{self, LocalTopN, TopN};
use crate::sort::TemporalSort;
use crate::stateless::calc::Calc;
use crate::stateless::changelog::{FromChangelog, ToChangelog};
use crate::stateless::drop_update_before::DropUpdateBefore;
use crate::stateless::expand::Expand;
use crate::stateless::union::Union;
use crate::stateless::unnest::{Unnest, UnnestParts};
use crate::stateless::watermark_assigner::watermark_assigner;
use crate::temporal_join::TemporalJoin;
use crate::window::aggregate::{Parts, WindowAggregate};
use crate::window::extreme::LocalWindowExtreme;
use crate::window::local::LocalWindowAggregate;
use crate::window::session_aggregate::SessionAggregate;
use crate::window::session_table_function::SessionTableFunction;
use crate::window::table_function::WindowTableFunction;

/// What operators know of the job they belong to.
#[derive(Clone, PartialEq, Debug)]
pub struct BuildContext {
    /// The functions that expressions may call.
    pub functions: Functions,
    /// `table.local-time-zone`.
    pub time_zone: Tz,
    /// When the statement started, in milliseconds since the epoch.
    pub query_time: Timestamp,
    /// The current catalog, for CURRENT_CATALOG().
    pub catalog: String,
    /// The current database, for CURRENT_DATABASE().
    pub database: String,
    /// Whether this is a stream rather than a batch query.
    pub streaming: bool,
    /// The seed of RAND and UUID; different for each operator and subtask.
    pub seed: u64,
    /// The number of key groups.
    pub max_parallelism: u32,
    /// A pre-aggregation emits its partial results after at most this many keys
    /// (`table.exec.mini-batch.size`).
    pub mini_batch_size: usize,
    /// Operators send batches of about this many bytes at most, unless a single row is larger.
    pub batch_bytes: usize,
    /// How the job's tasks are configured; `None` for an operator without a job.
    pub options: Option<Arc<TaskOptions>>,
    /// The memory for state; `None` for an operator without a task.
    pub memory: Option<Arc<StateMemory>>,
}

impl BuildContext {
    /// A part of the memory for state, for one table.
    pub(crate) fn table_memory(&self) -> TableMemory {
        let options = self.options.as_ref().map(|options| options.state.clone()).unwrap_or_default();
        self.memory.clone().unwrap_or_default().join(options)
    }

    /// The context for expressions.
    pub(crate) fn of_expressions(&self) -> PlanContext {
        PlanContext {
            time_zone: self.time_zone,
            query_time: self.query_time,
            catalog: self.catalog.clone(),
            database: self.database.clone(),
            streaming: self.streaming,
            several_overs: false,
            extended_patterns: false,
            functions: self.functions.clone(),
            // Calls of a plan say what they may use.
            limits: ArtifactLimits::default(),
        }
    }
}

impl Default for BuildContext {
    fn default() -> Self {
        BuildContext {
            functions: Functions::default(),
            time_zone: Tz::UTC,
            query_time: 0,
            catalog: "default_catalog".to_owned(),
            database: "default_database".to_owned(),
            streaming: true,
            seed: 0,
            max_parallelism: flott_types::key_group::DEFAULT_LOWER_BOUND_MAX_PARALLELISM,
            mini_batch_size: 8_192,
            batch_bytes: flott_batch::bytes::BATCH_BYTES,
            options: None,
            memory: None,
        }
    }
}

/// Builds the operator of a node.
///
/// # Errors
/// [`flott_types::ErrorKind::Unsupported`] for what is not built yet, and for sources, sinks, collectors and
/// constant rows, which belong to the runtime.
pub fn build(node: &ChainedNode, context: &BuildContext, outside: &Outside) -> Result<Box<dyn Operator>> {
    // A batch query needs its state until the end.
    let ttl_of = |ttl: &i64| if context.streaming { *ttl } else { 0 };
    let operator: Box<dyn Operator> = match &node.node.spec {
        OperatorSpec::Calc { condition, projection } => {
            Box::new(Calc::new(node, condition.as_ref(), projection, context)?)
        }
        OperatorSpec::Expand { projections } => Box::new(Expand::new(node, projections, context)?),
        OperatorSpec::GroupAggregate {
            keys,
            aggregates,
            phase: AggregatePhase::Local,
            input_updates,
            ..
        } => Box::new(LocalGroupAggregate::new(node, keys, aggregates, *input_updates, context)?),
        OperatorSpec::GroupAggregate { keys, aggregates, phase, input_updates, emit_update_before, ttl } => {
            let (updates, before) = (*input_updates, *emit_update_before);
            Box::new(GroupAggregate::new(
                node,
                keys,
                aggregates,
                *phase,
                updates,
                before,
                ttl_of(ttl),
                context,
            )?)
        }
        OperatorSpec::WindowTableFunction { window, partition } => match window.kind {
            WindowKind::Session { .. } => {
                Box::new(SessionTableFunction::new(node, window, partition, context)?)
            }
            _ => Box::new(WindowTableFunction::new(node, window)?),
        },
        OperatorSpec::WindowAggregate {
            window,
            keys,
            aggregates,
            phase,
            attached,
            window_columns,
            input_updates,
        } => {
            let parts = Parts {
                node,
                window,
                keys,
                calls: aggregates,
                attached: *attached,
                window_columns: *window_columns,
                input_updates: *input_updates,
            };
            let session = matches!(window.kind, WindowKind::Session { .. });
            match (phase, session && attached.is_none()) {
                (AggregatePhase::Single, true) => Box::new(SessionAggregate::new(&parts, context)?),
                (AggregatePhase::Local, false) => Box::new(LocalWindowAggregate::new(&parts, context)?),
                (_, false) => Box::new(WindowAggregate::new(&parts, *phase, context)?),
                _ => {
                    return Err(
                        Error::unsupported("SESSION windows in two phases").in_operator(&node.node.name)
                    );
                }
            }
        }
        OperatorSpec::TopN {
            partition,
            order,
            from,
            to,
            output_rank,
            input_updates,
            ttl,
            window_end,
            emit_update_before,
        } => {
            let parts = rank::Parts {
                partition,
                order,
                from: *from,
                to: *to,
                output_rank: *output_rank,
                input_updates: *input_updates,
                ttl: ttl_of(ttl),
                window_end: *window_end,
                emit_update_before: *emit_update_before,
                latest_first: false,
                conflicts_fail: false,
            };
            rank::operator(node, &parts, context)?
        }
        OperatorSpec::ChangelogNormalize { keys, ttl, emit_update_before } => {
            Box::new(ChangelogNormalize::new(node, keys, ttl_of(ttl), *emit_update_before, context)?)
        }
        OperatorSpec::Union => Box::new(Union),
        OperatorSpec::LocalTopN { partition, order, to, expires } => {
            Box::new(LocalTopN::new(node, partition, order, *to, *expires)?)
        }
        OperatorSpec::LocalWindowExtreme(spec) => Box::new(LocalWindowExtreme::new(node, spec)?),
        OperatorSpec::SinkMaterializer { keys, conflict, ttl } => {
            let parts = rank::Parts {
                partition: keys,
                order: &[],
                from: 1,
                to: Some(1),
                output_rank: false,
                input_updates: true,
                ttl: ttl_of(ttl),
                window_end: None,
                emit_update_before: false,
                latest_first: *conflict == Conflict::Last,
                conflicts_fail: *conflict == Conflict::Error,
            };
            Box::new(TopN::new(node, &parts, context)?)
        }
        OperatorSpec::DropUpdateBefore => Box::new(DropUpdateBefore),
        OperatorSpec::WatermarkAssigner(spec) => Box::new(watermark_assigner(node, spec, context)?),
        OperatorSpec::Join {
            kind,
            left_keys,
            right_keys,
            null_safe,
            condition,
            ttl,
            right_ttl,
            bound,
            rows,
            emit_update_before,
            first_by,
        } => {
            let parts = JoinParts {
                kind: *kind,
                left_keys,
                right_keys,
                null_safe,
                condition: condition.as_ref(),
                ttl: [ttl_of(ttl), ttl_of(right_ttl.as_ref().unwrap_or(ttl))],
                bound: bound.as_ref(),
                rows,
                emit_update_before: *emit_update_before,
                first_by,
            };
            Box::new(Join::new(node, &parts, context)?)
        }
        OperatorSpec::OverAggregate { partition, time_column, preceding, rows, aggregates, ttl } => {
            let (time_column, preceding, rows) = (*time_column, *preceding, *rows);
            let ttl = ttl_of(ttl);
            let parts = OverParts { partition, time_column, preceding, rows, aggregates, ttl };
            Box::new(OverAggregate::new(node, &parts, context)?)
        }
        OperatorSpec::Unnest { collection, ordinality, keep_empty, condition } => {
            let parts = UnnestParts {
                collection,
                ordinality: *ordinality,
                keep_empty: *keep_empty,
                condition: condition.as_ref(),
            };
            Box::new(Unnest::new(node, &parts, context)?)
        }
        OperatorSpec::UpdatingOver { partition, order, rows, aggregates, ttl, emit_update_before } => {
            let (rows, preceding, following) = (*rows, None, Some(0));
            let parts = CompleteParts { partition, order, rows, preceding, following, aggregates };
            Box::new(UpdatingOver::new(node, &parts, ttl_of(ttl), *emit_update_before, context)?)
        }
        OperatorSpec::ToChangelog { codes } => Box::new(ToChangelog::new(node, codes)),
        OperatorSpec::FromChangelog { column, codes } => Box::new(FromChangelog::new(node, *column, codes)),
        OperatorSpec::BatchRows => Box::new(AtEnd::new(node, context)?),
        OperatorSpec::BatchOver { partition, order, rows, preceding, following, aggregates } => {
            let (rows, preceding, following) = (*rows, *preceding, *following);
            let parts = CompleteParts { partition, order, rows, preceding, following, aggregates };
            Box::new(AtEnd::over(node, &parts, context)?)
        }
        OperatorSpec::TemporalSort { order, partition } => {
            Box::new(TemporalSort::new(node, order, partition, context)?)
        }
        OperatorSpec::ProcessTable(spec) => Box::new(ProcessTable::new(node, spec, context)?),
        OperatorSpec::TemporalJoin(spec) => Box::new(TemporalJoin::new(node, spec, context)?),
        OperatorSpec::LookupJoin(spec) => Box::new(LookupJoin::new(node, spec, context, outside)?),
        OperatorSpec::MatchRecognize(spec) => Box::new(MatchRecognize::new(node, spec, context)?),
        other => {
            return Err(Error::unsupported(format!("operator {}", name(other))).in_operator(&node.node.name));
        }
    };
    Ok(operator)
}

/// The schema of an input.
pub(crate) fn input(node: &ChainedNode, index: usize) -> Result<&Schema> {
    node.inputs
        .get(index)
        .ok_or_else(|| Error::internal(format!("operator '{}' has no input {index}", node.node.name)))
}

fn name(spec: &OperatorSpec) -> &'static str {
    match spec {
        OperatorSpec::Source(_) => "Source (the runtime's own)",
        OperatorSpec::Values { .. } => "Values (the runtime's own)",
        OperatorSpec::Sink(_) => "Sink (the runtime's own)",
        OperatorSpec::Collect => "Collect (the runtime's own)",
        OperatorSpec::Calc { .. } => "Calc",
        OperatorSpec::WatermarkAssigner(_) => "WatermarkAssigner",
        OperatorSpec::GroupAggregate { .. } => "GroupAggregate",
        OperatorSpec::WindowTableFunction { .. } => "WindowTableFunction",
        OperatorSpec::WindowAggregate { .. } => "WindowAggregate",
        OperatorSpec::Join { .. } => "Join",
        OperatorSpec::TopN { .. } => "TopN",
        OperatorSpec::LocalTopN { .. } => "LocalTopN",
        OperatorSpec::LocalWindowExtreme(_) => "LocalWindowExtreme",
        OperatorSpec::OverAggregate { .. } => "OverAggregate",
        OperatorSpec::TemporalSort { .. } => "TemporalSort",
        OperatorSpec::MatchRecognize(_) => "MatchRecognize",
        OperatorSpec::TemporalJoin(_) => "TemporalJoin",
        OperatorSpec::LookupJoin(_) => "LookupJoin",
        OperatorSpec::ChangelogNormalize { .. } => "ChangelogNormalize",
        OperatorSpec::SinkMaterializer { .. } => "SinkMaterializer",
        OperatorSpec::DropUpdateBefore => "DropUpdateBefore",
        OperatorSpec::Expand { .. } => "Expand",
        OperatorSpec::BatchRows => "BatchRows",
        OperatorSpec::UpdatingOver { .. } => "UpdatingOver",
        OperatorSpec::BatchOver { .. } => "BatchOver",
        OperatorSpec::Union => "Union",
        OperatorSpec::ToChangelog { .. } => "ToChangelog",
        OperatorSpec::FromChangelog { .. } => "FromChangelog",
        OperatorSpec::Unnest { .. } => "Unnest",
        OperatorSpec::ProcessTable(_) => "ProcessTable",
        OperatorSpec::Function { .. } => "Function (a program's own)",
    }
}
