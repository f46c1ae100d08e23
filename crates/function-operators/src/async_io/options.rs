//! How asynchronous requests are made, and made again.

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
    /// Results come in the order of the records: one that is early waits for those before it (`orderedWait` of Flink).
    ///
    /// A request, with all its attempts, may take as long as `timeout`; zero is no limit.
    pub fn ordered(timeout: Duration) -> Self {
        AsyncOptions { ordered: true, timeout, capacity: CAPACITY, runtime: None }
    }

    /// Results come as they are there, but never pass a watermark: event time means the same behind as before
    /// (`unorderedWait` of Flink).
    ///
    /// A request, with all its attempts, may take as long as `timeout`; zero is no limit.
    pub fn unordered(timeout: Duration) -> Self {
        AsyncOptions { ordered: false, ..AsyncOptions::ordered(timeout) }
    }

    /// How many requests of a subtask may be under way, or done and not put out yet; 100 if nothing is said. When there are this many,
    /// the subtask takes no more input.
    #[must_use]
    pub fn capacity(self, capacity: usize) -> Self {
        AsyncOptions { capacity, ..self }
    }

    /// The tokio runtime on which futures run. If nothing is said, it is one that all asynchronous functions of the process
    /// share.
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

/// When, how often and after what pause a request is made again (`AsyncRetryStrategy` of Flink).
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
    /// A request that fails is made again at most this often, each time after the same pause.
    pub fn fixed_delay(retries: u32, delay: Duration) -> Self {
        AsyncRetry::exponential_backoff(retries, delay, delay, 1.0)
    }

    /// A request that fails is made again at most this often; the pause before is `delay` at first and each time longer by a factor, up
    /// to `max_delay`.
    pub fn exponential_backoff(retries: u32, delay: Duration, max_delay: Duration, multiplier: f64) -> Self {
        let (if_error, if_result) = (Arc::new(|_: &Error| true), Arc::new(|_: &[O]| false));
        AsyncRetry { retries, delay, max_delay, multiplier, if_error, if_result }
    }

    /// Only after errors of which this says yes; if nothing is said, after all.
    #[must_use]
    pub fn if_error(self, predicate: impl Fn(&Error) -> bool + Send + Sync + 'static) -> Self {
        AsyncRetry { if_error: Arc::new(predicate), ..self }
    }

    /// Also after results of which this says yes; if nothing is said, after none. The last such result is put out.
    #[must_use]
    pub fn if_result(self, predicate: impl Fn(&[O]) -> bool + Send + Sync + 'static) -> Self {
        AsyncRetry { if_result: Arc::new(predicate), ..self }
    }

    /// The pause in milliseconds before the request is made again, after this many attempts with this outcome at last; `None`
    /// if that is the outcome.
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
