//! The part of a job's configuration that the JobManager acts on, under Flink's keys.

use std::collections::BTreeMap;

use flott_checkpoint::coordinator::{Config, Retention};
use flott_checkpoint::resources::Config as Liveness;
use flott_checkpoint::restart::Strategy;
use flott_runtime::TaskOptions;
use flott_runtime::options::{Reader, SAVEPOINT_AT_END};
use flott_types::Result;

use crate::scaling::ScalingOptions;

/// The options of the JobManager.
#[derive(Clone, Debug)]
pub(crate) struct JobOptions {
    pub(crate) task: TaskOptions,
    pub(crate) checkpoints: Config,
    /// `execution.checkpointing.checkpoints-after-tasks-finish.enabled`: a checkpoint is taken at the end of the job.
    pub(crate) checkpoint_at_end: bool,
    /// What of the configuration has no effect, and why; as in Flink that is logged.
    pub(crate) warning: Option<String>,
    pub(crate) strategy: Strategy,
    /// `slot.request.timeout`
    pub(crate) slot_request_timeout: i64,
    /// `jobmanager.scheduler`
    pub(crate) scaling: Option<ScalingOptions>,
    /// `execution.state-recovery.path`
    pub(crate) restore_path: Option<String>,
    /// `execution.state-recovery.ignore-unclaimed-state`
    pub(crate) ignore_unclaimed: bool,
    /// `execution.state-recovery.allow-older-checkpoint`
    pub(crate) allow_older: bool,
    /// `execution.checkpointing.savepoint-dir`
    pub(crate) savepoint_dir: Option<String>,
    /// `execution.savepoint-at-end`
    pub(crate) savepoint_at_end: Option<String>,
}

impl JobOptions {
    pub(crate) fn parse(configuration: &BTreeMap<String, String>) -> Result<Self> {
        let read = Reader(configuration);
        let task = TaskOptions::parse(configuration)?;
        let restore_path =
            read.text("execution.state-recovery.path").map(str::trim).filter(|path| !path.is_empty());
        let defaults = Config::default();
        let key = "execution.checkpointing.interval";
        let interval = read.duration(key)?.filter(|interval| *interval > 0);
        let retention_key = "execution.checkpointing.externalized-checkpoint-retention";
        let retention = match read.text(retention_key).map(normal).as_deref() {
            Some("no-externalized-checkpoints") => Retention::NoExternalized,
            Some("delete-on-cancellation") => Retention::DeleteOnCancellation,
            // Unlike Flink: what a person has cancelled can be gone on with.
            None | Some("retain-on-cancellation") => Retention::RetainOnCancellation,
            Some(_) => {
                let expected =
                    "NO_EXTERNALIZED_CHECKPOINTS, DELETE_ON_CANCELLATION or RETAIN_ON_CANCELLATION";
                return Err(read.wrong(retention_key, expected));
            }
        };
        let unaligned = "execution.checkpointing.unaligned.enabled";
        let asked = read.flag(unaligned, false)? || read.flag("execution.checkpointing.unaligned", false)?;
        let warning = (asked && !task.overtakes).then(|| {
            let why = if task.batch { "batch mode" } else { "the checkpointing mode AT_LEAST_ONCE" };
            format!("'{unaligned}' has no effect in {why}: checkpoints are aligned")
        });
        let timeout = "execution.checkpointing.timeout";
        let aligned = read.duration("execution.checkpointing.aligned-checkpoint-timeout")?.unwrap_or(0);
        let checkpoints = Config {
            interval,
            min_pause: read.duration("execution.checkpointing.min-pause")?.unwrap_or(defaults.min_pause),
            timeout: above_zero(&read, timeout)?.unwrap_or(defaults.timeout),
            tolerable_failures: read
                .number("execution.checkpointing.tolerable-failed-checkpoints")?
                .map_or(defaults.tolerable_failures, |number| u32::try_from(number).unwrap_or(u32::MAX)),
            max_concurrent: at_least_one(&read, "execution.checkpointing.max-concurrent-checkpoints")?
                .unwrap_or(defaults.max_concurrent),
            retained: at_least_one(&read, "execution.checkpointing.num-retained")?
                .unwrap_or(defaults.retained),
            mode: task.mode,
            overtakes_after: task.overtakes.then_some(aligned),
            retention,
            first_is_full: restore_path.is_some(),
        };
        let scaling = ScalingOptions::parse(&read)?;
        Ok(JobOptions {
            strategy: strategy(&read, interval.is_some())?,
            slot_request_timeout: match &scaling {
                Some(scaling) => scaling.wait,
                None => read.duration("slot.request.timeout")?.unwrap_or(300_000),
            },
            scaling,
            task,
            checkpoints,
            checkpoint_at_end: read
                .flag("execution.checkpointing.checkpoints-after-tasks-finish.enabled", true)?,
            warning,
            restore_path: restore_path.map(str::to_owned),
            ignore_unclaimed: read.flag("execution.state-recovery.ignore-unclaimed-state", false)?,
            allow_older: read.flag("execution.state-recovery.allow-older-checkpoint", false)?,
            savepoint_dir: read.text("execution.checkpointing.savepoint-dir").map(str::to_owned),
            savepoint_at_end: read
                .text(SAVEPOINT_AT_END)
                .filter(|folder| !folder.is_empty())
                .map(str::to_owned),
        })
    }
}

/// How a job takes checkpoints, from its configuration.
///
/// # Errors
/// If a value cannot work, with its key.
pub fn checkpointing(configuration: &BTreeMap<String, String>) -> Result<Config> {
    Ok(JobOptions::parse(configuration)?.checkpoints)
}

/// When a TaskManager counts as lost, from the configuration of the cluster.
///
/// # Errors
/// If a value cannot work, with its key.
pub fn liveness(configuration: &BTreeMap<String, String>) -> Result<Liveness> {
    let read = Reader(configuration);
    let defaults = Liveness::default();
    let above = |key: &str, default: i64| -> Result<i64> { Ok(above_zero(&read, key)?.unwrap_or(default)) };
    let interval = "heartbeat.interval";
    let timeout = "heartbeat.timeout";
    let heartbeat_interval = above(interval, defaults.heartbeat_interval)?;
    let heartbeat_timeout = above(timeout, defaults.heartbeat_timeout.max(heartbeat_interval))?;
    if heartbeat_timeout < heartbeat_interval {
        let least = format!("at least '{interval}', which is {heartbeat_interval} ms");
        return Err(read.wrong(timeout, &least));
    }
    let start_up = "resourcemanager.standalone.start-up-time";
    let registration_initial = above("cluster.registration.initial-timeout", defaults.registration_initial)?;
    Ok(Liveness {
        heartbeat_interval,
        heartbeat_timeout,
        start_up_time: read.duration(start_up)?.unwrap_or(defaults.start_up_time),
        registration_initial,
        registration_max: above("cluster.registration.max-timeout", defaults.registration_max)?,
    })
}

/// A count that means nothing below 1.
fn at_least_one(read: &Reader<'_>, key: &str) -> Result<Option<usize>> {
    match read.number(key)?.map(usize::try_from) {
        None => Ok(None),
        Some(Ok(number)) if number > 0 => Ok(Some(number)),
        Some(_) => Err(read.wrong(key, "a whole number of 1 or more")),
    }
}

/// A duration that means nothing when it is 0.
fn above_zero(read: &Reader<'_>, key: &str) -> Result<Option<i64>> {
    match read.duration(key)? {
        Some(0) => Err(read.wrong(key, "a duration above 0, such as '10 s'")),
        duration => Ok(duration),
    }
}

fn strategy(read: &Reader<'_>, checkpointing: bool) -> Result<Strategy> {
    let key = "restart-strategy.type";
    let key = if read.text(key).is_none() && read.text("restart-strategy").is_some() {
        "restart-strategy"
    } else {
        key
    };
    let Some(name) = read.text(key).map(normal) else {
        return Ok(Strategy::default_for(checkpointing));
    };
    Ok(match name.as_str() {
        "none" | "off" | "disable" => Strategy::None,
        "fixed-delay" | "fixeddelay" => Strategy::FixedDelay {
            attempts: read.number("restart-strategy.fixed-delay.attempts")?.unwrap_or(1) as u32,
            delay: read.duration("restart-strategy.fixed-delay.delay")?.unwrap_or(1_000),
        },
        "failure-rate" | "failurerate" => Strategy::FailureRate {
            max_per_interval: read
                .number("restart-strategy.failure-rate.max-failures-per-interval")?
                .unwrap_or(1) as u32,
            interval: above_zero(read, "restart-strategy.failure-rate.failure-rate-interval")?
                .unwrap_or(60_000),
            delay: read.duration("restart-strategy.failure-rate.delay")?.unwrap_or(1_000),
        },
        "exponential-delay" | "exponentialdelay" => exponential_delay(read)?,
        _ => return Err(read.wrong(key, "none, fixed-delay, failure-rate or exponential-delay")),
    })
}

fn exponential_delay(read: &Reader<'_>) -> Result<Strategy> {
    let key = |name: &str| format!("restart-strategy.exponential-delay.{name}");
    let (initial, max) = (key("initial-backoff"), key("max-backoff"));
    let (multiplier, jitter) = (key("backoff-multiplier"), key("jitter-factor"));
    let first = above_zero(read, &initial)?.unwrap_or(1_000);
    let longest = above_zero(read, &max)?.unwrap_or(60_000.max(first));
    if longest < first {
        return Err(read.wrong(&max, &format!("at least '{initial}', which is {first} ms")));
    }
    let in_range = |key: &str, default: f64, range: std::ops::RangeInclusive<f64>, expected: &str| match read
        .fraction(key)?
    {
        None => Ok(default),
        Some(number) if range.contains(&number) => Ok(number),
        Some(_) => Err(read.wrong(key, expected)),
    };
    Ok(Strategy::ExponentialDelay {
        initial: first,
        max: longest,
        multiplier: in_range(&multiplier, 1.5, 1.0..=f64::MAX, "a number of 1 or more")?,
        reset_threshold: read.duration(&key("reset-backoff-threshold"))?.unwrap_or(3_600_000),
        jitter: in_range(&jitter, 0.1, 0.0..=1.0, "a number from 0 to 1")?,
        attempts: read.number(&key("attempts-before-reset-backoff"))?.map(|attempts| attempts as u32),
    })
}

fn normal(text: &str) -> String {
    text.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unaligned_checkpoints_that_are_asked_for_in_vain_are_told() {
        let warning = |others: &[(&str, &str)]| {
            let unaligned = [("execution.checkpointing.unaligned.enabled", "true")];
            let all = unaligned.iter().chain(others);
            let all = all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            JobOptions::parse(&all).unwrap().warning.unwrap_or_default()
        };
        assert_eq!(warning(&[]), "");
        let at_least_once = ("execution.checkpointing.mode", "AT_LEAST_ONCE");
        assert!(warning(&[at_least_once]).contains("no effect in the checkpointing mode AT_LEAST_ONCE"));
        assert!(warning(&[("execution.runtime-mode", "BATCH")]).contains("no effect in batch mode"));
    }

    #[test]
    fn values_that_cannot_work_are_refused_with_their_keys() {
        for (key, value, expected) in [
            ("execution.checkpointing.max-concurrent-checkpoints", "0", "a whole number of 1 or more"),
            ("execution.checkpointing.num-retained", "0", "a whole number of 1 or more"),
            ("execution.checkpointing.timeout", "0 ms", "a duration above 0"),
            ("execution.checkpointing.interval", "-5 s", "a duration such as"),
            ("execution.checkpointing.min-pause", "-1", "a duration such as"),
            ("restart-strategy.exponential-delay.backoff-multiplier", "0.5", "a number of 1 or more"),
            ("restart-strategy.exponential-delay.jitter-factor", "2", "a number from 0 to 1"),
            ("restart-strategy.exponential-delay.initial-backoff", "0 s", "a duration above 0"),
            ("restart-strategy.exponential-delay.max-backoff", "1 ms", "which is 1000 ms"),
        ] {
            let strategy = ("restart-strategy.type".to_owned(), "exponential-delay".to_owned());
            let configuration = BTreeMap::from([strategy, (key.to_owned(), value.to_owned())]);
            let error = JobOptions::parse(&configuration).unwrap_err().to_string();
            assert!(error.starts_with(&format!("'{key}' is '{value}'; expected ")), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }
}
