//! Restart strategies: whether and when a failed job is started again. Flink's four, with its defaults.
//!
//! A failure is one failed attempt, however many of its tasks failed. Delays are milliseconds.

use std::collections::VecDeque;

use flott_types::Timestamp;

/// `restart-strategy.type` and its options.
#[derive(Clone, PartialEq, Debug)]
pub enum Strategy {
    /// `none`, `off`, `disable`: the first failure is final.
    None,
    /// `fixed-delay`.
    FixedDelay {
        /// This many restarts over the life of the job.
        attempts: u32,
        /// Before each.
        delay: i64,
    },
    /// `failure-rate`.
    FailureRate {
        /// This many restarts within `interval`.
        max_per_interval: u32,
        /// The time that failures are counted in.
        interval: i64,
        /// Before each restart.
        delay: i64,
    },
    /// `exponential-delay`.
    ExponentialDelay {
        /// Before the first restart.
        initial: i64,
        /// Never longer.
        max: i64,
        /// From one restart to the next.
        multiplier: f64,
        /// After running for this long the delay is the initial one again, and attempts are counted from
        /// zero.
        reset_threshold: i64,
        /// The delay varies by this part of itself, so that many jobs do not come back at once.
        jitter: f64,
        /// This many restarts without a reset in between; `None` for any number.
        attempts: Option<u32>,
    },
}

impl Strategy {
    /// The default: none without checkpoints, else exponential delay.
    pub fn default_for(checkpointing: bool) -> Self {
        if checkpointing { Self::exponential_delay() } else { Strategy::None }
    }

    /// `fixed-delay` with Flink's defaults: one attempt after a second.
    pub fn fixed_delay() -> Self {
        Strategy::FixedDelay { attempts: 1, delay: 1_000 }
    }

    /// `failure-rate` with Flink's defaults: one in a minute, after a second.
    pub fn failure_rate() -> Self {
        Strategy::FailureRate { max_per_interval: 1, interval: 60_000, delay: 1_000 }
    }

    /// `exponential-delay` with Flink's defaults: from one second to one minute, by 1.5; reset after an hour.
    pub fn exponential_delay() -> Self {
        Strategy::ExponentialDelay {
            initial: 1_000,
            max: 60_000,
            multiplier: 1.5,
            reset_threshold: 3_600_000,
            jitter: 0.1,
            attempts: None,
        }
    }
}

/// What to do after a failure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Start again, not before then.
    Restart {
        /// When.
        at: Timestamp,
    },
    /// The failure is final.
    GiveUp {
        /// Why it is, for people.
        reason: String,
    },
}

/// A strategy and what it remembers of one job.
#[derive(Clone, Debug)]
pub struct Restart {
    strategy: Strategy,
    /// Restarts granted since the beginning, or since the last reset.
    granted: u32,
    /// Of the failures that may still count, oldest first (failure rate).
    recent: VecDeque<Timestamp>,
    /// Without jitter (exponential delay).
    next_delay: f64,
    /// Since when all tasks have been running.
    running_since: Option<Timestamp>,
}

impl Restart {
    /// Nothing has failed yet.
    pub fn new(strategy: Strategy) -> Self {
        let next_delay = match strategy {
            Strategy::ExponentialDelay { initial, .. } => initial as f64,
            Strategy::None | Strategy::FixedDelay { .. } | Strategy::FailureRate { .. } => 0.0,
        };
        Restart { strategy, granted: 0, recent: VecDeque::new(), next_delay, running_since: None }
    }

    /// All tasks are running.
    pub fn running(&mut self, now: Timestamp) {
        self.running_since = Some(now);
    }

    /// The attempt has failed. `jitter` is a random number in -1..=1 from outside.
    pub fn failed(&mut self, now: Timestamp, jitter: f64) -> Decision {
        let ran = self.running_since.take().map_or(0, |since| now.saturating_sub(since));
        match self.strategy {
            Strategy::None => {
                give_up("there is no restart strategy ('restart-strategy.type: none')".to_owned())
            }
            Strategy::FixedDelay { attempts, .. } if self.granted >= attempts => give_up(format!(
                "it has been restarted {attempts} times, as often as 'restart-strategy.fixed-delay.attempts' allows"
            )),
            Strategy::FixedDelay { delay, .. } => self.grant(now, delay),
            Strategy::FailureRate { max_per_interval, interval, delay } => {
                self.recent.push_back(now);
                while self.recent.front().is_some_and(|at| now.saturating_sub(*at) > interval) {
                    self.recent.pop_front();
                }
                if self.recent.len() > max_per_interval as usize {
                    return give_up(format!(
                        "it has failed {} times within {interval} ms; \
                         'restart-strategy.failure-rate.max-failures-per-interval' is {max_per_interval}",
                        self.recent.len()
                    ));
                }
                self.grant(now, delay)
            }
            Strategy::ExponentialDelay {
                initial,
                max,
                multiplier,
                reset_threshold,
                jitter: part,
                attempts,
            } => {
                if ran >= reset_threshold {
                    self.granted = 0;
                    self.next_delay = initial as f64;
                }
                if let Some(attempts) = attempts.filter(|attempts| self.granted >= *attempts) {
                    return give_up(format!(
                        "it has been restarted {attempts} times without running for {reset_threshold} ms; \
                         'restart-strategy.exponential-delay.attempts-before-reset-backoff' allows no more"
                    ));
                }
                let delay = self.next_delay * (1.0 + part * jitter.clamp(-1.0, 1.0));
                self.next_delay = (self.next_delay * multiplier).min(max as f64);
                self.grant(now, (delay as i64).clamp(0, max))
            }
        }
    }

    fn grant(&mut self, now: Timestamp, delay: i64) -> Decision {
        self.granted = self.granted.saturating_add(1);
        Decision::Restart { at: now.saturating_add(delay) }
    }
}

fn give_up(reason: String) -> Decision {
    Decision::GiveUp { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The delays granted for failures at these times; `None` where it gives up.
    fn delays(strategy: Strategy, failures: &[(Timestamp, Option<Timestamp>)]) -> Vec<Option<i64>> {
        let mut restart = Restart::new(strategy);
        let mut decide = |&(at, running): &(Timestamp, Option<Timestamp>)| {
            if let Some(since) = running {
                restart.running(since);
            }
            match restart.failed(at, 0.0) {
                Decision::Restart { at: next } => Some(next - at),
                Decision::GiveUp { reason } => {
                    assert!(!reason.is_empty());
                    None
                }
            }
        };
        failures.iter().map(&mut decide).collect()
    }

    #[test]
    fn without_a_strategy_the_first_failure_is_final() {
        assert_eq!(delays(Strategy::None, &[(5, None)]), [None]);
        assert_eq!(Strategy::default_for(false), Strategy::None);
    }

    #[test]
    fn fixed_delay_counts_over_the_life_of_the_job() {
        let strategy = Strategy::FixedDelay { attempts: 2, delay: 10 };
        assert_eq!(
            delays(strategy, &[(0, None), (1_000_000, Some(20)), (9_000_000, None)]),
            [Some(10), Some(10), None]
        );
    }

    #[test]
    fn failure_rate_forgets_what_is_longer_ago_than_the_interval() {
        let strategy = Strategy::FailureRate { max_per_interval: 2, interval: 100, delay: 7 };
        let at = |t| (t, None);
        assert_eq!(delays(strategy.clone(), &[at(0), at(50), at(100)]), [Some(7), Some(7), None]);
        assert_eq!(
            delays(strategy, &[at(0), at(50), at(101), at(160)]),
            [Some(7), Some(7), Some(7), Some(7)]
        );
    }

    #[test]
    fn exponential_delay_grows_to_its_maximum_and_is_reset_by_a_calm_time() {
        let strategy = Strategy::ExponentialDelay {
            initial: 10,
            max: 50,
            multiplier: 2.0,
            reset_threshold: 1_000,
            jitter: 0.1,
            attempts: Some(4),
        };
        let failures =
            [(0, None), (20, Some(15)), (60, None), (120, None), (2_000, Some(999)), (2_100, None)];
        assert_eq!(
            delays(strategy.clone(), &failures),
            [Some(10), Some(20), Some(40), Some(50), Some(10), Some(20)]
        );
        let unlucky = [(0, None), (1, None), (2, None), (3, None), (4, None)];
        assert_eq!(delays(strategy, &unlucky).last(), Some(&None));
    }

    #[test]
    fn jitter_moves_the_delay_by_its_part_and_not_beyond_the_maximum() {
        let at = |jitter| match Restart::new(Strategy::exponential_delay()).failed(0, jitter) {
            Decision::Restart { at } => at,
            Decision::GiveUp { .. } => -1,
        };
        assert_eq!([at(-1.0), at(0.0), at(1.0)], [900, 1_000, 1_100]);
        let mut restart = Restart::new(Strategy::exponential_delay());
        let last = (0..50).map(|_| restart.failed(0, 1.0)).last();
        assert_eq!(last, Some(Decision::Restart { at: 60_000 }));
    }
}
