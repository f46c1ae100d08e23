//! What happens when a job fails, with types.

use std::time::Duration;

use super::program::StreamExecutionEnvironment;

/// How often and how soon a job is restarted that has failed (`restart-strategy.*`).
#[derive(Clone, PartialEq, Debug)]
pub enum RestartStrategy {
    /// Never: a failure ends the job.
    None,
    /// This many times.
    FixedDelay {
        /// How often.
        attempts: u32,
        /// How long after the failure.
        delay: Duration,
    },
    /// Until there are too many failures in a time.
    FailureRate {
        /// More failures than this end the job,
        max_failures: u32,
        /// in this time.
        interval: Duration,
        /// How long after the failure.
        delay: Duration,
    },
    /// For ever, with growing delays.
    ExponentialDelay {
        /// The first delay.
        initial: Duration,
        /// The longest delay.
        max: Duration,
        /// By what each is longer than the one before.
        multiplier: f64,
        /// After this long without a failure, the first delay again.
        reset_after: Duration,
    },
}

impl StreamExecutionEnvironment {
    /// `restart-strategy.*`: what happens when a job fails. By default a job with checkpoints is restarted for
    /// ever with growing delays, and one without ends.
    pub fn set_restart_strategy(&self, strategy: RestartStrategy) -> &Self {
        let millis = |duration: Duration| format!("{} ms", duration.as_millis());
        match strategy {
            RestartStrategy::None => self.set("restart-strategy.type", "none"),
            RestartStrategy::FixedDelay { attempts, delay } => self
                .set("restart-strategy.type", "fixed-delay")
                .set("restart-strategy.fixed-delay.attempts", attempts)
                .set("restart-strategy.fixed-delay.delay", millis(delay)),
            RestartStrategy::FailureRate { max_failures, interval, delay } => self
                .set("restart-strategy.type", "failure-rate")
                .set("restart-strategy.failure-rate.max-failures-per-interval", max_failures)
                .set("restart-strategy.failure-rate.failure-rate-interval", millis(interval))
                .set("restart-strategy.failure-rate.delay", millis(delay)),
            RestartStrategy::ExponentialDelay { initial, max, multiplier, reset_after } => self
                .set("restart-strategy.type", "exponential-delay")
                .set("restart-strategy.exponential-delay.initial-backoff", millis(initial))
                .set("restart-strategy.exponential-delay.max-backoff", millis(max))
                .set("restart-strategy.exponential-delay.backoff-multiplier", multiplier)
                .set("restart-strategy.exponential-delay.reset-backoff-threshold", millis(reset_after)),
        }
    }
}
