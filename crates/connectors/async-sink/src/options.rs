//! How values are batched and sent again.

use std::time::Duration;

use flott_types::{Error, Result};

/// How an [`AsyncSink`](crate::AsyncSink) sends.
#[derive(Clone, PartialEq, Debug)]
pub struct AsyncSinkOptions {
    pub(crate) max_batch_size: usize,
    pub(crate) max_in_flight: usize,
    pub(crate) max_buffered: usize,
    pub(crate) max_time_in_buffer: Duration,
    pub(crate) initial_backoff: Duration,
    pub(crate) max_backoff: Duration,
    pub(crate) max_attempts: Option<u32>,
}

impl Default for AsyncSinkOptions {
    fn default() -> Self {
        AsyncSinkOptions {
            max_batch_size: 500,
            max_in_flight: 50,
            max_buffered: 10_000,
            max_time_in_buffer: Duration::from_secs(5),
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(10),
            max_attempts: None,
        }
    }
}

impl AsyncSinkOptions {
    /// A request has at most this many values; by default 500.
    #[must_use]
    pub fn max_batch_size(mut self, values: usize) -> Self {
        self.max_batch_size = values;
        self
    }

    /// At most this many requests are under way at a time; by default 50.
    #[must_use]
    pub fn max_in_flight_requests(mut self, requests: usize) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// With this many values that wait for a request, the sink takes no more; by default 10,000.
    #[must_use]
    pub fn max_buffered_values(mut self, values: usize) -> Self {
        self.max_buffered = values;
        self
    }

    /// A value waits at most this long for its batch to fill; by default five seconds.
    #[must_use]
    pub fn max_time_in_buffer(mut self, time: Duration) -> Self {
        self.max_time_in_buffer = time;
        self
    }

    /// How long it takes until values are sent again: `initial`, then twice as long each time, up to `max`; by
    /// default from 100 ms to 10 s.
    #[must_use]
    pub fn backoff(mut self, initial: Duration, max: Duration) -> Self {
        (self.initial_backoff, self.max_backoff) = (initial, max);
        self
    }

    /// The job fails when values were sent this often in vain; by default never.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        let zero = |what: &str| Error::invalid(format!("{what} of an asynchronous sink must be at least 1"));
        match self {
            AsyncSinkOptions { max_batch_size: 0, .. } => Err(zero("the batch size")),
            AsyncSinkOptions { max_in_flight: 0, .. } => Err(zero("the number of requests")),
            AsyncSinkOptions { max_attempts: Some(0), .. } => Err(zero("the number of attempts")),
            AsyncSinkOptions { max_buffered, max_batch_size, .. } if max_buffered < max_batch_size => {
                Err(Error::invalid(
                    "an asynchronous sink must be able to buffer at least the values of one batch",
                ))
            }
            _ => Ok(()),
        }
    }

    /// How long to wait before the next attempt, after this many.
    pub(crate) fn delay(&self, attempts: u32) -> Duration {
        let factor = 1u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        self.initial_backoff.saturating_mul(factor).min(self.max_backoff)
    }
}
