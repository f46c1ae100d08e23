//! The part of a job's configuration that the JobManager acts on, under Flink's keys.

use std::collections::BTreeMap;

use flott_checkpoint::coordinator::{Config, Retention};
use flott_checkpoint::restart::Strategy;
use flott_runtime::TaskOptions;
use flott_runtime::options::Reader;
use flott_types::Result;

/// What the JobManager acts on.
#[derive(Clone, Debug)]
pub(crate) struct JobOptions {
    pub(crate) task: TaskOptions,
    pub(crate) checkpoints: Config,
    pub(crate) strategy: Strategy,
    /// `execution.state-recovery.path`
    pub(crate) restore_path: Option<String>,
    /// `execution.state-recovery.ignore-unclaimed-state`
    pub(crate) ignore_unclaimed: bool,
    /// `execution.state-recovery.allow-older-checkpoint`
    pub(crate) allow_older: bool,
    /// `execution.checkpointing.savepoint-dir`
    pub(crate) savepoint_dir: Option<String>,
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
        let number =
            |key: &str, default: u64| Ok::<u64, flott_types::Error>(read.number(key)?.unwrap_or(default));
        let checkpoints = Config {
            interval,
            min_pause: read.duration("execution.checkpointing.min-pause")?.unwrap_or(defaults.min_pause),
            timeout: read.duration("execution.checkpointing.timeout")?.unwrap_or(defaults.timeout),
            tolerable_failures: number(
                "execution.checkpointing.tolerable-failed-checkpoints",
                defaults.tolerable_failures.into(),
            )? as u32,
            max_concurrent: number(
                "execution.checkpointing.max-concurrent-checkpoints",
                defaults.max_concurrent as u64,
            )? as usize,
            retained: number("execution.checkpointing.num-retained", defaults.retained as u64)? as usize,
            mode: task.mode,
            retention,
            first_is_full: restore_path.is_some(),
        };
        Ok(JobOptions {
            strategy: strategy(&read, interval.is_some())?,
            task,
            checkpoints,
            restore_path: restore_path.map(str::to_owned),
            ignore_unclaimed: read.flag("execution.state-recovery.ignore-unclaimed-state", false)?,
            allow_older: read.flag("execution.state-recovery.allow-older-checkpoint", false)?,
            savepoint_dir: read.text("execution.checkpointing.savepoint-dir").map(str::to_owned),
        })
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
            interval: read.duration("restart-strategy.failure-rate.failure-rate-interval")?.unwrap_or(60_000),
            delay: read.duration("restart-strategy.failure-rate.delay")?.unwrap_or(1_000),
        },
        "exponential-delay" | "exponentialdelay" => {
            let of = |name: &str| read.duration(&format!("restart-strategy.exponential-delay.{name}"));
            Strategy::ExponentialDelay {
                initial: of("initial-backoff")?.unwrap_or(1_000),
                max: of("max-backoff")?.unwrap_or(60_000),
                multiplier: read
                    .fraction("restart-strategy.exponential-delay.backoff-multiplier")?
                    .unwrap_or(1.5),
                reset_threshold: of("reset-backoff-threshold")?.unwrap_or(3_600_000),
                jitter: read.fraction("restart-strategy.exponential-delay.jitter-factor")?.unwrap_or(0.1),
                attempts: read
                    .number("restart-strategy.exponential-delay.attempts-before-reset-backoff")?
                    .map(|attempts| attempts as u32),
            }
        }
        _ => return Err(read.wrong(key, "none, fixed-delay, failure-rate or exponential-delay")),
    })
}

fn normal(text: &str) -> String {
    text.to_ascii_lowercase().replace('_', "-")
}
