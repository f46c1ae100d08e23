//! SQL for the sessions of a REST server: plans in the process of the JobManager, and runs on its cluster.
//!
//! What a client of a terminal does (`flott sql`) is done here in the same way, save what belongs to a terminal:
//! commands of the shell are refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_cluster::{ClusterClient, JobClient};
use flott_connector::Registry;
use flott_plan::Schema;
use flott_rest::{Executed, SqlSession, SqlSessions};
use flott_sql::session::{Answer, Outcome, PlannedJob};
use flott_sql_parser::ast::{StopJob, Text};
use flott_sql_parser::split_script;
use flott_types::config::secrets;
use flott_types::{Configuration, Error, Result, TypeKind};

use crate::completion::{self, Names};
use crate::restore::RestorePoint;
use crate::sql::{Environment, explain_restore};

/// Sessions on a cluster, each with this configuration to begin with. Secrets of the cluster are not given to
/// them: `SET` tells what a session has.
pub(crate) fn sessions(
    cluster: ClusterClient,
    connectors: Arc<Registry>,
    settings: &BTreeMap<String, String>,
) -> SqlSessions {
    let told = |(key, value): &(&String, &String)| secrets::shown(key, value) == value.as_str();
    let settings: BTreeMap<String, String> =
        settings.iter().filter(told).map(|(key, value)| (key.clone(), value.clone())).collect();
    Arc::new(move |properties| {
        let mut configuration = Configuration::default();
        for (key, value) in settings.iter().chain(properties) {
            configuration.set_any(key, value)?;
        }
        let mut environment = Environment::on(cluster.clone(), connectors.clone(), configuration)?;
        let functions = completion::functions(&mut environment.session);
        Ok(Box::new(GatewaySession { environment, functions }))
    })
}

struct GatewaySession {
    environment: Environment,
    functions: Arc<[String]>,
}

impl SqlSession for GatewaySession {
    fn execute(&mut self, statement: &str) -> Result<Executed> {
        let parsed = match split_script(statement).as_slice() {
            [one] => one.parse()?,
            [] => return Err(Error::invalid("there is no statement")),
            many => {
                let text = format!("these are {} statements; execute them one by one", many.len());
                return Err(Error::invalid(text));
            }
        };
        match self.environment.session.execute(&parsed)? {
            Outcome::Done => Ok(Executed::Done),
            Outcome::Table(answer) => Ok(table(answer)),
            Outcome::Query(job) => self.query(&job),
            Outcome::Insert(job) => self.insert(&job),
            Outcome::ExplainRestore { path, job } => {
                Ok(table(explain_restore(&RestorePoint::of_path(&job.graph, &path)?)))
            }
            Outcome::CompilePlan(plan) => match self.environment.keep_plan(&plan)? {
                Some(job) => self.insert(&job),
                None => Ok(Executed::Done),
            },
            Outcome::ExecutePlan(path) => self.insert(&self.environment.kept_plan(&path)?),
            Outcome::Materialized(work) => match self.environment.materialize(*work)? {
                Some(job) => Ok(Executed::Job(job)),
                None => Ok(Executed::Done),
            },
            Outcome::ShowJobs => self.jobs(None),
            Outcome::DescribeJob(job) => self.jobs(Some(&job)),
            Outcome::StopJob(stop) => self.stop(&stop),
            Outcome::Shell(_) => {
                Err(Error::invalid("this is a command of the shell, and no statement of SQL"))
            }
        }
    }

    fn properties(&self) -> BTreeMap<String, String> {
        let set = self.environment.session.configuration();
        set.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn complete(&mut self, text: &str, position: usize) -> Vec<String> {
        let names = Names::of(&self.environment.session, &self.functions);
        completion::suggest(&names, text, position).1
    }
}

impl GatewaySession {
    fn query(&self, planned: &PlannedJob) -> Result<Executed> {
        let zone = self.environment.session.configuration().get("table.local-time-zone");
        let zone = zone.and_then(|zone| zone.parse().ok()).unwrap_or_default();
        let job = self.environment.cluster.submit(&planned.graph)?;
        Ok(Executed::Query { job, schema: planned.schema.clone(), zone })
    }

    fn insert(&self, planned: &PlannedJob) -> Result<Executed> {
        let job = self.environment.cluster.submit(&planned.graph)?;
        if self.environment.session.configuration().flag("table.dml-sync", false)? {
            job.wait()?;
        }
        Ok(Executed::Job(job))
    }

    fn jobs(&self, only: Option<&Text>) -> Result<Executed> {
        let only = only.map(|job| self.job(job)).transpose()?.map(|job| job.job_id());
        let jobs = self.environment.cluster.jobs()?.into_iter();
        let rows = jobs
            .filter(|(id, ..)| only.is_none_or(|only| only == *id))
            .map(|(id, name, status)| vec![Some(id.to_string()), Some(name), Some(status.to_string())]);
        let columns = ["job id", "job name", "status"].map(|name| (name, TypeKind::STRING.nullable()));
        Ok(Executed::Table(Schema::new(columns), rows.collect()))
    }

    fn stop(&self, stop: &StopJob) -> Result<Executed> {
        let job = self.job(&stop.job)?;
        if stop.with_savepoint {
            let path = job.stop_with_savepoint(None, stop.with_drain)?;
            return Ok(table(Answer::list("savepoint path", [path])));
        }
        job.cancel();
        Ok(Executed::Done)
    }

    fn job(&self, id: &Text) -> Result<JobClient> {
        let found = match id.value.parse() {
            Ok(id) => self.environment.cluster.client(id)?,
            Err(_) => None,
        };
        found.ok_or_else(|| {
            Error::invalid(format!(
                "there is no job '{}', at {}; SHOW JOBS lists them",
                id.value, id.position
            ))
        })
    }
}

fn table(answer: Answer) -> Executed {
    Executed::Table(Schema::new(answer.columns), answer.rows)
}
