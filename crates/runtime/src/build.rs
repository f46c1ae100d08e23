//! From a deployment to a tree of operators.

use std::sync::Arc;

use flott_batch::arrow_type;
use flott_connector::CommitRetries;
use flott_operator::event_time::SplitWatermarks;
use flott_operator::{Operator, OperatorMetrics, TaskInfo};
use flott_plan::{ChainedNode, Exchange, OperatorSpec};
use flott_types::panics::guard;
use flott_types::{Error, KeyGroupRange, Result, Waker};

use crate::chain::{Link, Outputs};
use crate::connect::SenderContext;
use crate::exchange::ExchangeWriter;
use crate::sink::{Confirm, SinkOperator};
use crate::source::SourceHead;
use crate::{
    CollectOperator, Outside, TaskDeployment, TaskEnvironment, TaskMetrics, TaskReport, constant_rows,
};

/// The chain of one task: with a source at its head the outputs of the source, else outputs whose only link is the head.
pub(crate) struct Chain {
    pub(crate) source: Option<SourceHead>,
    pub(crate) root: Outputs,
    pub(crate) inputs: usize,
}

/// Builds the chain; nothing is opened yet.
pub(crate) fn chain(
    deployment: &TaskDeployment,
    environment: &TaskEnvironment,
    context: &SenderContext,
    waker: &Waker,
) -> Result<Chain> {
    let nodes = &deployment.vertex.operators;
    let Some(head) = nodes.first() else {
        return Err(Error::internal("the plan has a vertex without operators"));
    };
    let builder = Builder { deployment, environment, context, waker, task: &context.metrics };
    let is_source = matches!(head.node.spec, OperatorSpec::Source(_) | OperatorSpec::Values { .. });
    if is_source == deployment.inputs.is_empty() {
        let inputs = head.inputs.len().max(1);
        return if is_source {
            let metrics = builder.metrics(head);
            let source = builder.source(head, metrics.clone())?;
            // The watermarks of a table are in its plan; those of a program's source are its own.
            let program = matches!(&head.node.spec, OperatorSpec::Source(spec) if spec.watermark.is_none());
            let root = builder.outputs(0, metrics)?;
            let root = root.with_only_the_last_watermark(program && deployment.options.batch);
            Ok(Chain { source: Some(source), root, inputs })
        } else {
            let mut root =
                Outputs::new(OperatorMetrics::default(), context.metrics.clone(), context.cancel.clone());
            root.links.push(builder.link(0)?);
            Ok(Chain { source: None, root, inputs })
        };
    }
    let trouble =
        if is_source { "is a source, but has inputs" } else { "has no inputs, but is not a source" };
    Err(Error::internal(format!("'{}' {trouble}", head.node.name)))
}

struct Builder<'a> {
    deployment: &'a TaskDeployment,
    environment: &'a TaskEnvironment,
    context: &'a SenderContext,
    waker: &'a Waker,
    task: &'a Arc<TaskMetrics>,
}

impl Builder<'_> {
    fn link(&self, position: usize) -> Result<Link> {
        let node = &self.deployment.vertex.operators[position];
        let metrics = self.metrics(node);
        let operator = guard(&node.node.name, || self.operator(node))?;
        let outputs = self.outputs(position, metrics)?;
        let link = Link::new(self.info(node), operator, outputs);
        Ok(link.with_waker(self.waker.clone()).with_position(position))
    }

    /// The operators and streams behind an operator.
    fn outputs(&self, position: usize, metrics: OperatorMetrics) -> Result<Outputs> {
        let mut outputs = Outputs::new(metrics, self.task.clone(), self.context.cancel.clone());
        for (child, node) in self.deployment.vertex.operators.iter().enumerate() {
            if node.parent == Some(position) {
                outputs.links.push(self.link(child)?.with_tag(node.tag.clone()));
            }
        }
        let node = &self.deployment.vertex.operators[position].node;
        let buffer_timeout = match node.wishes.buffer_timeout {
            None => self.deployment.options.buffer_timeout,
            Some(own) => (own >= 0).then_some(own),
        };
        for output in self.deployment.outputs.iter().filter(|output| output.plan.from_operator == position) {
            let channels = self.deployment.output_channels(output);
            let senders = channels
                .into_iter()
                .map(|channel| self.environment.exchanges.connect(channel, self.context))
                .collect::<Result<Vec<_>>>()?;
            let schema = node.output(output.plan.tag.as_deref());
            let writer = ExchangeWriter::new(
                output.plan.exchange.clone(),
                arrow_type::schema(schema.iter()),
                senders,
                // Senders begin with different receivers, so that few batches are spread too.
                if output.plan.exchange == Exchange::Rebalance {
                    self.deployment.task.subtask.index()
                } else {
                    0
                },
                self.deployment.options.batch_size,
                output.max_parallelism,
            );
            let writer = writer
                .with_buffer_timeout(buffer_timeout)
                .with_batch_bytes(self.deployment.options.limits.batch_bytes)
                .with_overtaking(self.deployment.options.overtakes)
                .with_tag(output.plan.tag.clone());
            outputs.exchanges.push(writer);
        }
        Ok(outputs)
    }

    fn metrics(&self, node: &ChainedNode) -> OperatorMetrics {
        let metrics = OperatorMetrics::default();
        self.task.add_operator(&node.node.uid, &node.node.name, &metrics);
        metrics
    }

    fn info(&self, node: &ChainedNode) -> TaskInfo {
        let TaskDeployment { job, attempt, task, vertex, .. } = self.deployment;
        TaskInfo {
            job: *job,
            uid: node.node.uid.clone(),
            name: node.node.name.clone(),
            subtask: task.subtask,
            parallelism: vertex.parallelism,
            max_parallelism: vertex.max_parallelism,
            key_groups: KeyGroupRange::of_subtask(task.subtask, vertex.max_parallelism, vertex.parallelism),
            attempt: attempt.0,
            continues: self.deployment.restored.is_some(),
        }
    }

    /// Tells the job master how far a sink has committed.
    fn confirm(&self, node: &ChainedNode) -> Confirm {
        let TaskDeployment { job, attempt, task, .. } = *self.deployment;
        let (reports, operator) = (self.environment.reports.clone(), node.node.uid.clone());
        Box::new(move |checkpoint| {
            let operator = operator.clone();
            reports.report(job, attempt, task, TaskReport::Committed { operator, checkpoint });
        })
    }

    fn source(&self, node: &ChainedNode, metrics: OperatorMetrics) -> Result<SourceHead> {
        let info = self.info(node);
        let TaskEnvironment { operators, registry, .. } = self.environment;
        let options = &self.deployment.options;
        if let OperatorSpec::Values { .. } = &node.node.spec {
            let rows = guard(&info.name, || operators.constant_rows(node, &info, options))?;
            let source = constant_rows::source(info, rows, metrics);
            return Ok(if options.holds_inputs { source.held() } else { source });
        }
        let OperatorSpec::Source(spec) = &node.node.spec else {
            return Err(Error::internal(format!("'{}' is not a source", node.node.name)));
        };
        let context = options.table_context()?;
        let source = guard(&info.name, || registry.source(spec, &context))?;
        let Some(watermark) = &spec.watermark else {
            return Ok(SourceHead::of(info, source, options, metrics, self.task));
        };
        if !source.watermark_per_split() {
            return Err(Error::internal(format!(
                "connector '{}' does not generate watermarks for each split",
                spec.table.connector
            ))
            .in_operator(&info.name));
        }
        let generators =
            guard(&info.name, || operators.watermarks(watermark, &node.node.schema, &info, options))?;
        let watermarks = SplitWatermarks::new(generators, watermark.interval, watermark.idle_timeout)
            .observed_by(self.task.clone());
        let head = SourceHead::new(info, Box::new(move |context| source.reader(context)), metrics);
        Ok(head.with_watermarks(Some(watermarks)))
    }

    fn operator(&self, node: &ChainedNode) -> Result<Box<dyn Operator>> {
        let clock = &self.environment.clock;
        let operator: Box<dyn Operator> = match &node.node.spec {
            OperatorSpec::Sink(spec) => {
                let context = self.deployment.options.table_context()?;
                let sink = self.environment.registry.sink(spec, &context)?;
                let constraint =
                    self.environment.operators.constraint(&spec.table, &self.deployment.options)?;
                let options = &self.deployment.options;
                let retries = CommitRetries { most: options.commit_retries, ..CommitRetries::default() };
                let confirm = sink.commits_globally().then(|| self.confirm(node));
                let schema = (!spec.table.schema.is_empty()).then(|| spec.table.schema.clone());
                let operator =
                    SinkOperator::new(sink, clock.clone(), self.environment.threads.clone(), retries);
                let operator = operator
                    .with_schema(schema)
                    .with_restored(self.deployment.restored, self.deployment.succession)
                    .with_confirm(confirm)
                    .with_drop_update_before(spec.drop_update_before.then(|| spec.table.primary_key.clone()));
                Box::new(operator.with_constraint(constraint))
            }
            OperatorSpec::Collect => {
                let collector = self.environment.results.collector(&self.info(node))?;
                let cancel = self.context.cancel.clone();
                Box::new(CollectOperator::new(collector, cancel, clock.clone(), self.task.clone()))
            }
            OperatorSpec::Source(_) | OperatorSpec::Values { .. } => {
                return Err(Error::internal("a source can only be the head of a task"));
            }
            OperatorSpec::Calc { .. }
            | OperatorSpec::WatermarkAssigner(_)
            | OperatorSpec::GroupAggregate { .. }
            | OperatorSpec::WindowTableFunction { .. }
            | OperatorSpec::WindowAggregate { .. }
            | OperatorSpec::Join { .. }
            | OperatorSpec::TopN { .. }
            | OperatorSpec::LocalTopN { .. }
            | OperatorSpec::LocalWindowExtreme(_)
            | OperatorSpec::OverAggregate { .. }
            | OperatorSpec::TemporalSort { .. }
            | OperatorSpec::MatchRecognize(_)
            | OperatorSpec::TemporalJoin(_)
            | OperatorSpec::LookupJoin(_)
            | OperatorSpec::ChangelogNormalize { .. }
            | OperatorSpec::DropUpdateBefore
            | OperatorSpec::SinkMaterializer { .. }
            | OperatorSpec::Expand { .. }
            | OperatorSpec::Unnest { .. }
            | OperatorSpec::UpdatingOver { .. }
            | OperatorSpec::ToChangelog { .. }
            | OperatorSpec::ProcessTable(_)
            | OperatorSpec::FromChangelog { .. }
            | OperatorSpec::BatchRows
            | OperatorSpec::BatchOver { .. }
            | OperatorSpec::Union
            | OperatorSpec::Function { .. } => {
                let TaskEnvironment { operators, registry, memory, .. } = self.environment;
                let options = &self.deployment.options;
                let (registry, tables) = (registry.clone(), options.table_context()?);
                let outside = Outside { registry, tables, clock: clock.clone(), memory: memory.clone() };
                operators.build(node, &self.info(node), options, &outside)?
            }
        };
        #[cfg(debug_assertions)]
        let operator: Box<dyn Operator> = Box::new(flott_operator::checked::Checked::new(operator, node));
        Ok(operator)
    }
}
