//! Options and retries of asynchronous requests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use flott_types::{Error, Result};
use tokio::runtime::Handle;

const CAPACITY: usize = 100;

type Predicate<T> = Arc<dyn Fn(&T) -> bool + Send + Sync>;

/// How requests of an [`AsyncFunction`](flott_function::async_function::AsyncFunction) are made.
#[derive(Clone, Debug)]
pub struct AsyncOptions {
    #[doc(hidden)]
    pub ordered: bool,
    #[doc(hidden)]
    pub timeout: Duration,
    #[doc(hidden)]
    pub capacity: usize,
    #[doc(hidden)]
    pub runtime: Option<Handle>,
}

impl AsyncOptions {
    /// Results come in the order of the records: an early one waits for those before it (`orderedWait` in
    /// Flink).
    ///
    /// A request, with all its attempts, may take as long as `timeout`; zero means no limit.
    pub fn ordered(timeout: Duration) -> Self {
        AsyncOptions { ordered: true, timeout, capacity: CAPACITY, runtime: None }
    }

    /// Results come as they arrive, but never overtake a watermark: event time means the same downstream
    /// (`unorderedWait` in Flink).
    ///
    /// A request, with all its attempts, may take as long as `timeout`; zero means no limit.
    pub fn unordered(timeout: Duration) -> Self {
        AsyncOptions { ordered: false, ..AsyncOptions::ordered(timeout) }
    }

    /// How many requests of a subtask may be in flight, or done but not emitted yet; 100 by default. When
    /// there are this many, the subtask takes no more input.
    #[must_use]
    pub fn capacity(self, capacity: usize) -> Self {
        AsyncOptions { capacity, ..self }
    }

    /// The tokio runtime on which futures run. By default, all asynchronous functions of the process share
    /// one.
    #[must_use]
    pub fn runtime(self, runtime: Handle) -> Self {
        AsyncOptions { runtime: Some(runtime), ..self }
    }

    #[doc(hidden)]
    pub fn check(&self) -> Result<()> {
        match self.capacity {
            0 => Err(Error::invalid("the capacity of an asynchronous function is 0; expected at least 1")),
            _ => Ok(()),
        }
    }
}

/// When, how often and after what pause a request is retried (`AsyncRetryStrategy` in Flink).
///
/// ```
/// # use std::time::Duration;
/// # use flott_datastream::{AsyncRetry, Error};
/// let retry = AsyncRetry::<String>::exponential_backoff(5, Duration::from_millis(100), Duration::from_secs(2), 2.0)
///     .if_error(Error::is_retryable)
///     .if_result(|found| found.is_empty());
/// ```
pub struct AsyncRetry<O> {
    retries: u32,
    delay: Duration,
    max_delay: Duration,
    multiplier: f64,
    if_error: Predicate<Error>,
    if_result: Predicate<[O]>,
}

impl<O> AsyncRetry<O> {
    /// A failed request is retried at most this often, each time after the same pause.
    pub fn fixed_delay(retries: u32, delay: Duration) -> Self {
        AsyncRetry::exponential_backoff(retries, delay, delay, 1.0)
    }

    /// A failed request is retried at most this often; the pause is `delay` at first, and grows by a factor
    /// each time, up to `max_delay`.
    pub fn exponential_backoff(retries: u32, delay: Duration, max_delay: Duration, multiplier: f64) -> Self {
        let (if_error, if_result) = (Arc::new(|_: &Error| true), Arc::new(|_: &[O]| false));
        AsyncRetry { retries, delay, max_delay, multiplier, if_error, if_result }
    }

    /// Retries only after errors that this accepts; by default, after all.
    #[must_use]
    pub fn if_error(self, predicate: impl Fn(&Error) -> bool + Send + Sync + 'static) -> Self {
        AsyncRetry { if_error: Arc::new(predicate), ..self }
    }

    /// Also retries after results that this accepts; by default, after none. The last such result is emitted.
    #[must_use]
    pub fn if_result(self, predicate: impl Fn(&[O]) -> bool + Send + Sync + 'static) -> Self {
        AsyncRetry { if_result: Arc::new(predicate), ..self }
    }

    /// The pause in milliseconds before the next retry, after this many attempts and this last outcome;
    /// `None` if the outcome is final.
    pub fn pause(&self, attempts: u32, outcome: &Result<Vec<O>>) -> Option<i64> {
        let again = match outcome {
            Ok(values) => (self.if_result)(values),
            Err(error) => (self.if_error)(error),
        };
        if !again || attempts > self.retries {
            return None;
        }
        let grown = self.delay.as_secs_f64() * self.multiplier.powi(attempts.saturating_sub(1) as i32);
        Some((grown.min(self.max_delay.as_secs_f64()) * 1_000.0) as i64)
    }
}

impl<O> Clone for AsyncRetry<O> {
    fn clone(&self) -> Self {
        AsyncRetry { if_error: self.if_error.clone(), if_result: self.if_result.clone(), ..*self }
    }
}

impl<O> fmt::Debug for AsyncRetry<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncRetry")
            .field("retries", &self.retries)
            .field("delay", &self.delay)
            .field("max_delay", &self.max_delay)
            .field("multiplier", &self.multiplier)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn pauses_grow_up_to_the_longest_and_end() {
        let retry = AsyncRetry::<u8>::exponential_backoff(5, 100 * MILLI, 500 * MILLI, 2.0);
        let failed = Err(Error::external("down"));
        let pauses: Vec<_> = (1..=6).map(|attempts| retry.pause(attempts, &failed)).collect();
        assert_eq!(pauses, [Some(100), Some(200), Some(400), Some(500), Some(500), None]);
        let retry = AsyncRetry::<u8>::fixed_delay(1, 7 * MILLI);
        assert_eq!([1, 2].map(|attempts| retry.pause(attempts, &failed)), [Some(7), None]);
    }

    #[test]
    fn predicates_decide() {
        let retry = AsyncRetry::<u8>::fixed_delay(1, MILLI);
        assert_eq!(retry.pause(1, &Ok(vec![])), None);
        let retry = retry.if_result(|values| values.is_empty()).if_error(|error| error.is_retryable());
        assert_eq!(retry.pause(1, &Ok(vec![])), Some(1));
        assert_eq!(retry.pause(1, &Ok(vec![1])), None);
        assert_eq!(retry.pause(1, &Err(Error::invalid("wrong"))), None);
    }
}
