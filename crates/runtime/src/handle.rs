//! Starts a task and returns its handle.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_checkpoint::life::TaskLife;
use flott_types::panics::{guard, panic_text};
use flott_types::{Error, Result, Waker};

use crate::connect::{InputChannel, SenderContext};
use crate::gate::{CancelFlag, Gate};
use crate::overtaking::{self, Overtaking};
use crate::task::{Task, thread_name};
use crate::valve::Valve;
use crate::{
    Failure, TaskCommand, TaskDeployment, TaskEnvironment, TaskMetrics, TaskMetricsReport, TaskReport,
    Thread, build,
};

/// A task that was started.
#[derive(Clone)]
pub struct TaskHandle {
    parts: Parts,
    thread: Thread,
}

/// Shared between the task's thread and its controllers.
#[derive(Clone)]
struct Parts {
    gate: Arc<Gate>,
    cancel: Arc<CancelFlag>,
    metrics: Arc<TaskMetrics>,
    environment: TaskEnvironment,
}

impl TaskHandle {
    /// Starts a task. From here on it speaks through its reports; the last one is `Finished`, `Canceled` or
    /// `Failed`.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn start(deployment: TaskDeployment, environment: TaskEnvironment) -> Result<Self> {
        let channels = deployment.input_channels();
        let gate = Gate::new(channels.len(), deployment.options.limits);
        let gate = Arc::new(gate.with_overtaking(deployment.options.overtakes));
        let ends = channels.iter().map(|(key, _)| {
            let edge = deployment.inputs.iter().find(|input| input.edge == key.edge);
            let records =
                edge.map(|edge| environment.operators.records(&edge.sender, edge.plan.tag.as_deref()));
            Ok(InputChannel { key: *key, records: records.transpose()?.flatten() })
        });
        environment.exchanges.register(&ends.collect::<Result<Vec<_>>>()?, &gate)?;
        let parts = Parts {
            gate,
            cancel: Arc::default(),
            metrics: Arc::new(TaskMetrics::new(&*environment.clock)),
            environment,
        };
        let task = parts.clone();
        let inputs = channels.into_iter().map(|(_, input)| input).collect();
        let (job, attempt, id) = (deployment.job, deployment.attempt, deployment.task);
        let name = thread_name(&deployment);
        match parts.environment.threads.spawn(&name, move || task.run(deployment, inputs)) {
            Ok(thread) => Ok(TaskHandle { parts, thread }),
            Err(error) => {
                parts.environment.exchanges.unregister(job, attempt, id);
                Err(error)
            }
        }
    }

    /// Sends the task a message. Does nothing if it has ended.
    pub fn send(&self, command: TaskCommand) {
        if command == TaskCommand::Cancel {
            self.parts.cancel.set();
            // Nobody waits for room at a task that is ending; and the task itself wakes up.
            self.parts.gate.close();
        } else {
            self.parts.gate.post(command);
        }
    }

    /// The task's metrics.
    pub fn metrics(&self) -> TaskMetricsReport {
        self.parts.metrics.report(&*self.parts.environment.clock)
    }

    /// Whether its thread has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.has_ended()
    }

    /// Which operator of its vertex is running, by position; `None` if none is.
    pub fn operator(&self) -> Option<usize> {
        self.parts.metrics.whereabouts.position()
    }

    /// The task was told to end but does not: nobody waits for its thread any more. If it returns after all,
    /// it ends.
    pub fn abandon(&self) {
        self.thread.abandon();
    }
}

impl Parts {
    fn run(&self, deployment: TaskDeployment, input_of: Vec<usize>) {
        let (job, attempt, task) = (deployment.job, deployment.attempt, deployment.task);
        let reports = self.environment.reports.clone();
        let report = Arc::new(move |what| reports.report(job, attempt, task, what));
        let result = guard("task", || self.work(deployment, input_of, report.clone()));
        self.gate.close();
        self.environment.exchanges.unregister(job, attempt, task);
        let last = match result {
            Ok(()) => TaskReport::Finished,
            Err(_) if self.cancel.is_set() => TaskReport::Canceled,
            Err(error) => TaskReport::Failed(Failure::new(&error, self.environment.clock.now())),
        };
        report(last);
        self.gate.leave();
    }

    fn work(
        &self,
        deployment: TaskDeployment,
        input_of: Vec<usize>,
        report: Arc<dyn Fn(TaskReport) + Send + Sync>,
    ) -> Result<()> {
        let environment = self.environment.clone();
        let context = SenderContext {
            cancel: self.cancel.clone(),
            metrics: self.metrics.clone(),
            clock: environment.clock.clone(),
            overtakes: deployment.options.overtakes,
        };
        let gate = self.gate.clone();
        let waker = Waker::new(move || gate.wake());
        let chain = build::chain(&deployment, &environment, &context, &waker)?;
        if let Some(input) = input_of.iter().find(|input| **input >= chain.inputs) {
            return Err(Error::internal(format!("the plan feeds input {input}, which does not exist")));
        }
        let deployment_overtakes = deployment.options.overtakes;
        let mut task = Task {
            life: TaskLife::new(deployment.options.mode, input_of.clone())
                .with_overtaking(&overtaking::channels(&deployment)),
            valve: Valve::new(input_of.len()),
            deployment,
            environment,
            gate: self.gate.clone(),
            cancel: self.cancel.clone(),
            metrics: self.metrics.clone(),
            report,
            chain,
            input_of,
            uploader: None,
            waker,
            targets: BTreeMap::new(),
            full_next: false,
            overtaking: deployment_overtakes.then(Overtaking::default),
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| task.run()));
        task.chain.root.close();
        match result {
            Ok(result) => result,
            Err(panic) => Err(Error::internal(format!("the task panicked: {}", panic_text(&*panic)))),
        }
    }
}
