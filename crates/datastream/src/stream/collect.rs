//! Values handed to the program itself.

use std::collections::VecDeque;
use std::time::Duration;

use flott_batch::{Batch, Record};
use flott_cluster::{NextRows, ResultStream};
use flott_types::{Error, Result};

use crate::graph::NodeKind;
use crate::{DataStream, JobClient};

/// The values of a stream, as they come. When it is dropped the job is cancelled.
pub struct Collected<T> {
    client: JobClient,
    results: ResultStream,
    ready: VecDeque<T>,
    ended: bool,
}

impl<T: Record> DataStream<T> {
    /// Runs the job and hands the values of this stream to the program.
    ///
    /// With checkpoints a value is given out when the checkpoint that it belongs to has completed, and so never twice.
    ///
    /// # Errors
    /// If the program or its configuration is wrong. What goes wrong later is an item of the iterator.
    pub fn execute_and_collect(&self, name: &str) -> Result<Collected<T>> {
        self.shared.graph.add("Collect", NodeKind::Collect, self.inputs());
        let client = self.environment().execute_async(name)?;
        let results = client.results().ok_or_else(|| Error::internal("the job collects nothing"))?;
        Ok(Collected { client, results, ready: VecDeque::new(), ended: false })
    }
}

impl<T> Collected<T> {
    /// The job.
    pub fn job(&self) -> &JobClient {
        &self.client
    }
}

impl<T: Record> Collected<T> {
    /// The next value, waiting at most so long; `None` if there is none by then, or none any more.
    ///
    /// # Errors
    /// Why the job has failed.
    pub fn next_within(&mut self, timeout: Duration) -> Result<Option<T>> {
        if let Some(value) = self.ready.pop_front() {
            return Ok(Some(value));
        }
        if self.ended {
            return Ok(None);
        }
        match self.results.next_batch_within(timeout)? {
            NextRows::Rows(batch @ Batch::Records(_)) => self.ready.extend(batch.into_records::<T>()?.values),
            NextRows::Rows(Batch::Changes(_)) => {
                return Err(Error::internal("rows came where records were expected"));
            }
            NextRows::NotYet => {}
            NextRows::End => self.ended = true,
        }
        Ok(self.ready.pop_front())
    }
}

impl<T: Record> Iterator for Collected<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        loop {
            match self.next_within(Duration::from_secs(3_600)) {
                Ok(Some(value)) => return Some(Ok(value)),
                Ok(None) if self.ended => return None,
                Ok(None) => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<T> Drop for Collected<T> {
    fn drop(&mut self) {
        self.client.cancel();
    }
}
