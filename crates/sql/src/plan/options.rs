//! The planner's part of the configuration.

use std::collections::BTreeMap;

use flott_connector::TableContext;
use flott_plan::LookupRequests;
use flott_types::Configuration;
use flott_types::config::secrets::is_of_processes;

/// When sinks get one row for each primary key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Materialize {
    /// When rows change by another key.
    Auto,
    /// Never.
    Never,
    /// Always, if there is a primary key.
    Always,
}

/// Options of planning, from the session's configuration.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// `parallelism.default`
    pub parallelism: u32,
    /// `pipeline.max-parallelism`; 0: by Flink's rule.
    pub max_parallelism: u32,
    /// `pipeline.operator-chaining.enabled`
    pub chaining: bool,
    /// `pipeline.auto-watermark-interval`, in milliseconds.
    pub watermark_interval: i64,
    /// `table.exec.source.idle-timeout`, in milliseconds; 0: never.
    pub idle_timeout: i64,
    /// `table.exec.state.ttl`, in milliseconds; 0: never.
    pub state_ttl: i64,
    /// `table.optimizer.agg-phase-strategy` is not ONE_PHASE.
    pub two_phase: bool,
    /// `table.optimizer.reuse-source-enabled`
    pub reuse_sources: bool,
    /// `table.exec.async-lookup.*`
    pub lookups: LookupRequests,
    /// `table.exec.sink.upsert-materialize`
    pub materialize: Materialize,
    /// `table.exec.sink.require-on-conflict`
    pub require_on_conflict: bool,
    /// `table.exec.async-ml-predict.*`
    pub predictions: LookupRequests,
    /// `table.exec.async-scalar.*`
    pub async_scalars: LookupRequests,
    /// `table.exec.async-table.*`
    pub async_tables: LookupRequests,
    /// `execution.runtime-mode` is not batch.
    pub streaming: bool,
    /// `table.local-time-zone`
    pub zone: String,
    /// `pipeline.name`
    pub name: Option<String>,
    /// The whole configuration, which travels with the job.
    pub configuration: Configuration,
}

impl PlanOptions {
    /// What connectors are told.
    pub fn table_context(&self) -> TableContext {
        TableContext {
            batch: !self.streaming,
            zone: self.zone.clone(),
            configuration: self.configuration.clone(),
        }
    }

    /// The configuration as the job graph holds it: without what is a matter of processes, such as their keys.
    pub fn configuration_map(&self) -> BTreeMap<String, String> {
        let of_jobs = self.configuration.iter().filter(|(key, _)| !is_of_processes(key));
        of_jobs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}
