//! SET, RESET, and the planner's settings from the configuration.

use chrono_tz::Tz;
use flott_expr::user::ArtifactLimits;
use flott_plan::{LookupRequests, LookupRetry};
use flott_sql_parser::ast::SqlOption;
use flott_types::config::parse_memory_size;
use flott_types::config::secrets::shown;
use flott_types::{Configuration, Error, Result, TypeKind};

use super::{Answer, Outcome, Session};
use crate::plan::{Materialize, PlanOptions};

impl Session {
    pub(super) fn set(&mut self, option: Option<&SqlOption>) -> Result<Outcome> {
        let Some(SqlOption { key, value }) = option else {
            let rows = self
                .configuration
                .iter()
                .map(|(key, value)| vec![Some(key.to_owned()), Some(shown(key, value).into_owned())]);
            let text = TypeKind::STRING.nullable();
            let columns = vec![("key".to_owned(), text.clone()), ("value".to_owned(), text)];
            return Ok(Outcome::Table(Answer { columns, rows: rows.collect() }));
        };
        let mut changed = self.configuration.clone();
        changed
            .set_any(&key.value, &value.value)
            .map_err(|error| error.context(format!("SET at {}", key.position)))?;
        time_zone(&changed)?;
        self.configuration = changed;
        Ok(Outcome::Done)
    }

    pub(super) fn reset(&mut self, key: Option<&str>) {
        match key {
            None => self.configuration = self.initial.clone(),
            Some(key) => {
                self.configuration.reset(key);
                if let Some(value) = self.initial.get(key) {
                    // The value was checked when the session started.
                    let _ = self.configuration.set(key, value);
                }
            }
        }
    }

    pub(super) fn plan_options(&self) -> Result<PlanOptions> {
        let set = &self.configuration;
        let sql_parallelism = set.number("table.exec.resource.default-parallelism", -1)?;
        let parallelism = match sql_parallelism {
            above if above > 0 => above,
            _ => set.number("parallelism.default", i64::from(self.cores))?,
        };
        Ok(PlanOptions {
            parallelism: in_range("parallelism.default", parallelism, 1)?,
            max_parallelism: in_range(
                "pipeline.max-parallelism",
                set.number("pipeline.max-parallelism", 0)?,
                0,
            )?,
            chaining: set.flag("pipeline.operator-chaining.enabled", true)?,
            watermark_interval: set.duration("pipeline.auto-watermark-interval", 200)?,
            idle_timeout: set.duration("table.exec.source.idle-timeout", 0)?,
            state_ttl: set.duration("table.exec.state.ttl", 0)?,
            two_phase: !set
                .get("table.optimizer.agg-phase-strategy")
                .is_some_and(|s| s.eq_ignore_ascii_case("ONE_PHASE")),
            reuse_sources: set.flag("table.optimizer.reuse-source-enabled", true)?,
            lookups: lookups(set)?,
            materialize: materialize(set),
            require_on_conflict: set.flag("table.exec.sink.require-on-conflict", true)?,
            predictions: predictions(set)?,
            async_scalars: async_calls(set, "table.exec.async-scalar", "max-attempts")?,
            async_tables: async_calls(set, "table.exec.async-table", "max-retries")?,
            streaming: streaming(set),
            zone: time_zone(set)?.name().to_owned(),
            name: set.get("pipeline.name").map(str::to_owned),
            configuration: set.clone(),
        })
    }
}

fn materialize(set: &Configuration) -> Materialize {
    match set.get("table.exec.sink.upsert-materialize") {
        Some(when) if when.eq_ignore_ascii_case("NONE") => Materialize::Never,
        Some(when) if when.eq_ignore_ascii_case("FORCE") => Materialize::Always,
        _ => Materialize::Auto,
    }
}

fn in_range(what: &str, value: i64, least: i64) -> Result<u32> {
    u32::try_from(value).ok().filter(|_| (least..=32_768).contains(&value)).ok_or_else(|| {
        Error::invalid(format!("option '{what}' is {value}; expected a number from {least} to 32768"))
    })
}

/// How lookup requests to asynchronous tables are made.
fn lookups(set: &Configuration) -> Result<LookupRequests> {
    requests(set, "table.exec.async-lookup", "buffer-capacity", 100)
}

/// How models are asked: for each row by itself.
fn predictions(set: &Configuration) -> Result<LookupRequests> {
    let set = requests(set, "table.exec.async-ml-predict", "max-concurrent-operations", 10)?;
    Ok(LookupRequests { rows: Some(1), ..set })
}

/// How functions that answer later are asked: for each row by itself, in order, again after errors.
fn async_calls(set: &Configuration, prefix: &str, attempts: &str) -> Result<LookupRequests> {
    let key = |name: &str| format!("{prefix}.{name}");
    let again = match set.get(&key("retry-strategy")) {
        None => true,
        Some(strategy) if strategy.eq_ignore_ascii_case("FIXED_DELAY") => true,
        Some(strategy) if strategy.eq_ignore_ascii_case("NO_RETRY") => false,
        Some(strategy) => {
            return Err(Error::invalid(format!(
                "option '{}' is '{strategy}'; it is FIXED_DELAY or NO_RETRY",
                key("retry-strategy")
            )));
        }
    };
    let retry = LookupRetry {
        delay: set.duration(&key("retry-delay"), 100)?,
        attempts: in_range(&key(attempts), set.number(&key(attempts), 3)?, 0)?,
    };
    // The key of earlier versions of Flink, which only scalar functions have.
    let capacity = match set.get(&key("buffer-capacity")) {
        Some(_) if set.get(&key("max-concurrent-operations")).is_none() => key("buffer-capacity"),
        _ => key("max-concurrent-operations"),
    };
    Ok(LookupRequests {
        ordered: true,
        capacity: in_range(&capacity, set.number(&capacity, 10)?, 1)? as usize,
        timeout: set.duration(&key("timeout"), 180_000)?,
        retry: again.then_some(retry),
        rows: Some(1),
    })
}

fn requests(set: &Configuration, prefix: &str, capacity: &str, default: i64) -> Result<LookupRequests> {
    let mode = format!("{prefix}.output-mode");
    let ordered = match set.get(&mode) {
        None => true,
        Some(mode) if mode.eq_ignore_ascii_case("ORDERED") => true,
        Some(mode) if mode.eq_ignore_ascii_case("ALLOW_UNORDERED") => false,
        Some(value) => {
            return Err(Error::invalid(format!(
                "option '{mode}' is '{value}'; it is ORDERED or ALLOW_UNORDERED"
            )));
        }
    };
    let capacity = format!("{prefix}.{capacity}");
    Ok(LookupRequests {
        ordered,
        capacity: in_range(&capacity, set.number(&capacity, default)?, 1)? as usize,
        timeout: set.duration(&format!("{prefix}.timeout"), 180_000)?,
        retry: None,
        rows: None,
    })
}

/// `table.local-time-zone`; UTC by default.
pub(super) fn time_zone(configuration: &Configuration) -> Result<Tz> {
    match configuration.get("table.local-time-zone") {
        None | Some("default") => Ok(Tz::UTC),
        Some(name) => name.parse().map_err(|_| {
            Error::invalid(format!(
                "option 'table.local-time-zone' is '{name}', which is not a known time zone; write a name such as Europe/Berlin"
            ))
        }),
    }
}

/// Whether queries are planned as streams.
pub(super) fn streaming(configuration: &Configuration) -> bool {
    !configuration.get("execution.runtime-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("BATCH"))
}

/// What functions of files may use.
pub(crate) fn artifact_limits(configuration: &Configuration) -> Result<ArtifactLimits> {
    let ArtifactLimits { fuel, memory } = ArtifactLimits::default();
    let positive = |key: &str, number: Option<u64>| {
        number.filter(|number| *number > 0).ok_or_else(|| Error::invalid(format!("{key} is more than 0")))
    };
    let fuel = configuration.number(FUEL, fuel as i64)?;
    let memory = configuration.get(MEMORY).map_or(Some(memory), parse_memory_size);
    Ok(ArtifactLimits { fuel: positive(FUEL, u64::try_from(fuel).ok())?, memory: positive(MEMORY, memory)? })
}

/// How many instructions a call of a function of a file may take.
const FUEL: &str = "table.exec.wasm.fuel";
/// How much memory its instance may have.
const MEMORY: &str = "table.exec.wasm.memory";
