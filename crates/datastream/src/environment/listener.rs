//! Who wants to know of a program's jobs.

use std::sync::Arc;

use flott_types::{Error, Result};
use parking_lot::Mutex;

use super::program::StreamExecutionEnvironment;
use crate::job::{JobClient, JobExecutionResult};

/// Is told when a program submits a job and when a job has ended that the program waits for; see
/// [`StreamExecutionEnvironment::register_job_listener`].
pub trait JobListener: Send + Sync + 'static {
    /// A job was submitted, or could not be.
    fn on_job_submitted(&self, job: std::result::Result<&JobClient, &Error>) {
        let _ = job;
    }

    /// A job has ended that [`StreamExecutionEnvironment::execute`] waited for. It is not called for a job
    /// that could not be submitted.
    fn on_job_executed(&self, result: std::result::Result<&JobExecutionResult, &Error>) {
        let _ = result;
    }
}

/// The listeners of an environment.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<Vec<Arc<dyn JobListener>>>>);

impl Listeners {
    /// The listeners, without the lock: one may use the environment.
    fn all(&self) -> Vec<Arc<dyn JobListener>> {
        self.0.lock().clone()
    }

    pub(super) fn submitted(&self, job: &Result<JobClient>) {
        self.all().iter().for_each(|listener| listener.on_job_submitted(job.as_ref()));
    }

    pub(super) fn executed(&self, result: &Result<JobExecutionResult>) {
        self.all().iter().for_each(|listener| listener.on_job_executed(result.as_ref()));
    }
}

impl StreamExecutionEnvironment {
    /// Lets a listener know of all jobs that are executed from now on.
    pub fn register_job_listener(&self, listener: impl JobListener) -> &Self {
        self.shared.listeners.0.lock().push(Arc::new(listener));
        self
    }

    /// Forgets all listeners.
    pub fn clear_job_listeners(&self) -> &Self {
        self.shared.listeners.0.lock().clear();
        self
    }
}
