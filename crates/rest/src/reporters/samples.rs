//! All metrics at one moment.

use std::sync::Arc;

use flott_checkpoint::TaskId;
use flott_cluster::client_messages::{ClientAnswer, ClientRequest, DispatcherGateway};
use flott_cluster::inspection::{ProcessAnswer, ProcessQuestion, Processes};
use flott_cluster::{JobInfo, JobMetrics};
use flott_types::{Clock, Error, Result};

use crate::cluster::vertex_id;
use crate::metrics::{Metrics, of_job, of_operator, own_of_task};
use crate::processes::of_process;
use crate::tasks::task_manager_id;

/// What a metric is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    JobManager,
    TaskManager,
    Job,
    Task,
    Operator,
}

/// One number.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub scope: Scope,
    /// Flink's variables of the scope, by their names.
    pub variables: Arc<[(&'static str, String)]>,
    pub name: String,
    pub value: f64,
}

/// Where they come from.
#[derive(Clone)]
pub(super) struct Source {
    gateway: Arc<dyn DispatcherGateway>,
    clock: Arc<dyn Clock>,
    host: String,
}

impl Source {
    pub fn new(gateway: Arc<dyn DispatcherGateway>, clock: Arc<dyn Clock>) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let host = host.map(|host| host.trim().to_owned()).filter(|host| !host.is_empty());
        Source { gateway, clock, host: host.unwrap_or_else(|| "localhost".to_owned()) }
    }

    /// All of them.
    pub fn samples(&self) -> Result<Vec<Sample>> {
        let mut all = Vec::new();
        let jobs = match self.gateway.call(ClientRequest::Jobs)? {
            ClientAnswer::Jobs(jobs) => jobs,
            _ => return Err(strange()),
        };
        let members = match self.gateway.call(ClientRequest::TaskManagers)? {
            ClientAnswer::TaskManagers(members) => members,
            _ => return Err(strange()),
        };
        let running: Vec<_> = jobs.into_iter().filter(|(_, _, status)| !status.is_terminal()).collect();
        let host = ("host", self.host.clone());
        let own: Arc<[_]> = [host.clone()].into();
        let slots = |of: fn(&flott_checkpoint::resources::TaskManagerInfo) -> u32| {
            members.iter().map(|member| f64::from(of(member))).sum::<f64>()
        };
        for (name, value) in [
            ("numRunningJobs", running.len() as f64),
            ("numRegisteredTaskManagers", members.len() as f64),
            ("taskSlotsTotal", slots(|member| member.slots)),
            ("taskSlotsAvailable", slots(|member| member.free)),
        ] {
            let variables = own.clone();
            all.push(Sample { scope: Scope::JobManager, variables, name: name.to_owned(), value });
        }
        for (of, scope) in
            [(Processes::JobManager, Scope::JobManager), (Processes::TaskManagers, Scope::TaskManager)]
        {
            self.of_processes(&mut all, of, scope)?;
        }
        for (job, name, _) in running {
            // One that is forgotten in between has none.
            let Ok(ClientAnswer::Info(_, info)) =
                self.gateway.call(ClientRequest::Info { job, seen: 0, timeout_millis: 0 })
            else {
                continue;
            };
            let Ok(ClientAnswer::Metrics(metrics)) = self.gateway.call(ClientRequest::Metrics { job }) else {
                continue;
            };
            let of = [host.clone(), ("job_id", job.to_string()), ("job_name", name)];
            add(&mut all, Scope::Job, &of, of_job(&info, self.clock.now()));
            of_tasks(&mut all, &of, &info, &metrics);
        }
        Ok(all)
    }

    /// Those of processes that answer soon.
    fn of_processes(&self, all: &mut Vec<Sample>, of: Processes, scope: Scope) -> Result<()> {
        let request = ClientRequest::Inspect { of, question: ProcessQuestion::Usage };
        let ClientAnswer::Inspected(answers) = self.gateway.call(request)? else { return Err(strange()) };
        for (id, answer) in answers {
            let ProcessAnswer::Usage(usage) = answer else { return Err(strange()) };
            let host = ("host", self.host.clone());
            let variables: Vec<_> =
                [host].into_iter().chain(id.map(|id| ("tm_id", task_manager_id(id)))).collect();
            add(all, scope, &variables, of_process(&usage));
        }
        Ok(())
    }
}

fn strange() -> Error {
    Error::internal("the JobManager sent the wrong kind of answer")
}

fn of_tasks(all: &mut Vec<Sample>, job: &[(&'static str, String)], info: &JobInfo, metrics: &JobMetrics) {
    for vertex in &metrics.vertices {
        for (subtask, report) in &vertex.tasks {
            let execution = info.executions.get(&TaskId { vertex: vertex.id, subtask: *subtask });
            let home = execution.map(|execution| task_manager_id(execution.task_manager)).unwrap_or_default();
            let mut of = job.to_vec();
            of.extend([
                ("tm_id", home),
                ("task_id", vertex_id(vertex.id)),
                ("task_name", vertex.name.clone()),
                ("task_attempt_num", u64::from(info.attempt.0).saturating_sub(1).to_string()),
                ("subtask_index", subtask.0.to_string()),
            ]);
            add(all, Scope::Task, &of, own_of_task(report));
            for operator in &report.operators {
                let named =
                    [("operator_id", operator.uid.0.clone()), ("operator_name", operator.name.clone())];
                let of: Vec<_> = of.iter().cloned().chain(named).collect();
                add(all, Scope::Operator, &of, of_operator(operator));
            }
        }
    }
}

fn add(all: &mut Vec<Sample>, scope: Scope, variables: &[(&'static str, String)], metrics: Metrics) {
    let variables: Arc<[_]> = variables.into();
    all.extend(metrics.into_iter().filter_map(|(name, text)| {
        let value = match text.as_str() {
            "true" => 1.0,
            "false" => 0.0,
            // What is no number (a path) is for people.
            number => number.parse().ok()?,
        };
        Some(Sample { scope, variables: variables.clone(), name, value })
    }));
}
