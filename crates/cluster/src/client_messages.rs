//! Messages between clients and the JobManager: plain data, as between JobManager and TaskManagers
//! ([`crate::messages`]).
//!
//! A call waits at most as long as it says, so that a connection is never held forever: to wait longer, the
//! client calls again. Long operations (a savepoint) are started by one call and polled by others, as in
//! Flink's REST API.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use flott_checkpoint::JobStatus;
use flott_checkpoint::coordinator::Request;
use flott_checkpoint::resources::{TaskManagerId, TaskManagerInfo};
use flott_plan::{JobGraph, Schema};
use flott_runtime::Failure;
use flott_types::{Error, JobId, Result};
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::collected::Fetched;
use crate::inspection::{ProcessAnswer, ProcessQuestion, Processes};
use crate::metrics::JobMetrics;
use crate::programs::{ProgramAnswer, ProgramRequest};
use crate::restored::Beginning;
use crate::scaling::Requirements;
use crate::status::JobInfo;

/// Over HTTP, a request is the body of a POST to this path of the JobManager's REST server, and its answer the
/// body of the response.
pub const HTTP_PATH: &str = "/flott/messages";
/// The header in which each side names its version.
pub const HTTP_VERSION: &str = "flott-version";

/// To the JobManager.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ClientRequest {
    /// Run a job.
    Submit {
        /// The job.
        graph: Box<JobGraph>,
    },
    /// What a client has to know of a job that was submitted before.
    Job {
        /// The job.
        job: JobId,
    },
    /// The jobs.
    Jobs,
    /// The TaskManagers.
    TaskManagers,
    /// What a job was submitted as.
    Plan {
        /// The job.
        job: JobId,
    },
    /// What is known of a job, as soon as it is newer than `seen`; or what is known after this long.
    Info {
        /// The job.
        job: JobId,
        /// 0 for whatever is known.
        seen: u64,
        /// How long to wait.
        timeout_millis: u64,
    },
    /// The metrics of a job at this moment.
    Metrics {
        /// The job.
        job: JobId,
    },
    /// Processes tell of themselves.
    Inspect {
        /// Which.
        of: Processes,
        /// What.
        question: ProcessQuestion,
    },
    /// Let a job be as parallel as this.
    Require {
        /// The job.
        job: JobId,
        /// Of some of its vertices.
        requirements: Requirements,
    },
    /// End a job.
    Cancel {
        /// The job.
        job: JobId,
    },
    /// The rows that a job has collected, from this batch on, as soon as there are some; those before it have arrived.
    Fetch {
        /// The job.
        job: JobId,
        /// How many batches have arrived.
        from: u64,
        /// How long to wait.
        timeout_millis: u64,
    },
    /// Answer as soon as there is something to fetch of what a job collects.
    AwaitRows {
        /// The job.
        job: JobId,
        /// How long to wait.
        timeout_millis: u64,
    },
    /// Nobody reads the rows that a job collects any more.
    Abandon {
        /// The job.
        job: JobId,
    },
    /// Begin a snapshot.
    Trigger {
        /// Of this job.
        job: JobId,
        /// Which.
        what: ClientTrigger,
    },
    /// Delete a savepoint.
    DisposeSavepoint {
        /// Its path.
        path: String,
    },
    /// Something about programs.
    Program(ProgramRequest),
    /// How a snapshot that was begun has ended, as soon as it has. The answer is given once.
    Triggered {
        /// Which.
        trigger: u64,
        /// How long to wait.
        timeout_millis: u64,
    },
}

impl ClientRequest {
    /// The job that it is about, and how long it allows the answer to take.
    pub(crate) fn about(&self) -> Option<(JobId, Duration)> {
        match self {
            ClientRequest::Info { job, timeout_millis, .. }
            | ClientRequest::Fetch { job, timeout_millis, .. }
            | ClientRequest::AwaitRows { job, timeout_millis } => {
                Some((*job, Duration::from_millis(*timeout_millis)))
            }
            ClientRequest::Job { job }
            | ClientRequest::Plan { job }
            | ClientRequest::Metrics { job }
            | ClientRequest::Require { job, .. }
            | ClientRequest::Cancel { job }
            | ClientRequest::Abandon { job }
            | ClientRequest::Trigger { job, .. } => Some((*job, Duration::ZERO)),
            ClientRequest::Submit { .. }
            | ClientRequest::Jobs
            | ClientRequest::TaskManagers
            | ClientRequest::Inspect { .. }
            | ClientRequest::Triggered { .. }
            | ClientRequest::DisposeSavepoint { .. }
            | ClientRequest::Program(_) => None,
        }
    }

    /// Whether it is about the rows that a job collects.
    pub(crate) fn is_of_rows(&self) -> bool {
        matches!(
            self,
            ClientRequest::Fetch { .. } | ClientRequest::AwaitRows { .. } | ClientRequest::Abandon { .. }
        )
    }
}

/// A snapshot that a client asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ClientTrigger {
    /// A checkpoint now.
    Checkpoint {
        /// With all state.
        full: bool,
    },
    /// A savepoint below a folder.
    Savepoint {
        /// The folder.
        target: String,
    },
    /// The same, and the job ends with it.
    Stop {
        /// The folder.
        target: String,
        /// The inputs end first.
        drain: bool,
    },
}

/// What a client has to know of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobDescription {
    /// The job.
    pub job: JobId,
    /// Its name.
    pub name: String,
    /// What it continued from.
    pub beginning: Beginning,
    /// The columns that it collects, for whom submitted it.
    pub results: Option<Schema>,
    /// Its `execution.checkpointing.savepoint-dir`.
    pub savepoint_dir: Option<String>,
    /// Its state.
    pub info: JobInfo,
}

/// From the JobManager.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ClientAnswer {
    /// The job.
    Job(Box<JobDescription>),
    /// The job cannot run, and this is why.
    Refused(Failure),
    /// The jobs, oldest first.
    Jobs(Vec<(JobId, String, JobStatus)>),
    /// Those that are registered.
    TaskManagers(Vec<TaskManagerInfo>),
    /// The job's graph.
    Plan(Box<JobGraph>),
    /// What is known, and its version.
    Info(u64, Box<JobInfo>),
    /// The metrics.
    Metrics(JobMetrics),
    /// What processes have answered; the JobManager has no id.
    Inspected(Vec<(Option<TaskManagerId>, ProcessAnswer)>),
    /// It was forwarded.
    Done,
    /// It has begun, under this number.
    Triggered(u64),
    /// It has not ended yet.
    NotYet,
    /// Where the snapshot lies, or why there is none.
    Snapshot(Result<String, Failure>),
    /// What was collected.
    Fetched(Fetched),
    /// About programs.
    Program(ProgramAnswer),
    /// There is no such job or snapshot (any more).
    Unknown,
}

/// The way from a client to the JobManager.
pub trait DispatcherGateway: Send + Sync {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// If the JobManager cannot be reached, or answers in another version.
    fn call(&self, request: ClientRequest) -> Result<ClientAnswer>;

    /// Wakes once, when there is something to fetch of what a job collects: for who waits without a thread. A way through a network asks
    /// for it there, and wakes when the answer comes.
    fn wake_when_collected(&self, job: JobId, reader: Waker);
}

impl From<ClientTrigger> for Request {
    fn from(trigger: ClientTrigger) -> Self {
        match trigger {
            ClientTrigger::Checkpoint { full } => Request::Checkpoint { full },
            ClientTrigger::Savepoint { target } => Request::Savepoint { target },
            ClientTrigger::Stop { target, drain } => Request::StopWithSavepoint { target, drain },
        }
    }
}

/// Writes and reads all that passes, as a network does. In debug builds every client has one, so that every
/// test shows that nothing is passed by pointer.
pub(crate) struct ThroughBytes(pub(crate) Arc<dyn DispatcherGateway>);

impl DispatcherGateway for ThroughBytes {
    fn call(&self, request: ClientRequest) -> Result<ClientAnswer> {
        let request = codec::decode(&codec::encode(&request)?)?;
        codec::decode(&codec::encode(&self.0.call(request)?)?)
    }

    fn wake_when_collected(&self, job: JobId, reader: Waker) {
        self.0.wake_when_collected(job, reader);
    }
}

/// An answer that does not belong to the question.
pub(crate) fn unexpected(answer: &ClientAnswer) -> Error {
    match answer {
        ClientAnswer::Unknown => Error::invalid("the JobManager no longer knows the job"),
        ClientAnswer::Refused(failure) => failure.to_error(),
        ClientAnswer::Job(_)
        | ClientAnswer::Jobs(_)
        | ClientAnswer::TaskManagers(_)
        | ClientAnswer::Plan(_)
        | ClientAnswer::Info(..)
        | ClientAnswer::Metrics(_)
        | ClientAnswer::Inspected(_)
        | ClientAnswer::Done
        | ClientAnswer::Triggered(_)
        | ClientAnswer::NotYet
        | ClientAnswer::Fetched(_)
        | ClientAnswer::Program(_)
        | ClientAnswer::Snapshot(_) => Error::internal("the JobManager sent the wrong kind of answer"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use flott_checkpoint::{ExecutionState, TaskId};
    use flott_plan::StreamGraph;
    use flott_types::{SubtaskIndex, VertexId};

    use super::*;
    use crate::programs::Piece;
    use crate::restored::{BeganFrom, Beginning};
    use crate::status::JobShared;

    /// Answers each request with one of the answers, in turn.
    struct Answers(parking_lot::Mutex<Vec<ClientAnswer>>, parking_lot::Mutex<Vec<ClientRequest>>);

    impl DispatcherGateway for Answers {
        fn call(&self, request: ClientRequest) -> Result<ClientAnswer> {
            self.1.lock().push(request);
            Ok(self.0.lock().remove(0))
        }

        fn wake_when_collected(&self, _: JobId, reader: Waker) {
            reader.wake();
        }
    }

    #[test]
    fn every_request_and_every_answer_can_cross_a_network() {
        let job = JobId(7);
        let graph = StreamGraph::default().into_job_graph("j", BTreeMap::new(), 128, true).unwrap();
        let requests = [
            ClientRequest::Jobs,
            ClientRequest::Info { job, seen: 3, timeout_millis: 10 },
            ClientRequest::Metrics { job },
            ClientRequest::Cancel { job },
            ClientRequest::Trigger { job, what: ClientTrigger::Checkpoint { full: true } },
            ClientRequest::Trigger { job, what: ClientTrigger::Savepoint { target: "/s".to_owned() } },
            ClientRequest::Trigger {
                job,
                what: ClientTrigger::Stop { target: "/s".to_owned(), drain: true },
            },
            ClientRequest::Triggered { trigger: 1, timeout_millis: 2 },
            ClientRequest::Fetch { job, from: 3, timeout_millis: 10 },
            ClientRequest::Abandon { job },
            ClientRequest::Jobs,
            ClientRequest::TaskManagers,
            ClientRequest::Plan { job },
            ClientRequest::Submit { graph: Box::new(graph.clone()) },
            ClientRequest::Job { job },
            ClientRequest::AwaitRows { job, timeout_millis: 10 },
            ClientRequest::Inspect { of: Processes::JobManager, question: ProcessQuestion::Usage },
            ClientRequest::Program(ProgramRequest::Upload {
                upload: "u".to_owned(),
                name: "n".to_owned(),
                at: 3,
                piece: Piece(vec![0, 255]),
                is_last: true,
            }),
        ];
        let beginning = Beginning { from: BeganFrom::Nothing, warnings: Vec::new() };
        let shared = JobShared::new(job, "j".to_owned(), beginning, 1, true);
        let task = TaskId { vertex: VertexId(1), subtask: SubtaskIndex(2) };
        shared.update(|info| {
            info.tasks.insert(task, ExecutionState::Running);
            info.waits_for = Some("slots".to_owned());
            info.failed(Failure::new(&Error::data("no number"), 5), Some(task));
        });
        let description = JobDescription {
            job,
            name: "j".to_owned(),
            beginning: Beginning {
                from: BeganFrom::NoState { dir: "/s".to_owned(), others: 2 },
                warnings: vec!["w".to_owned()],
            },
            results: Some(Schema::default()),
            savepoint_dir: Some("/s".to_owned()),
            info: shared.lock().clone(),
        };
        let answers = || {
            vec![
                ClientAnswer::Jobs(vec![(job, "j".to_owned(), JobStatus::Running)]),
                ClientAnswer::Info(4, Box::new(shared.lock().clone())),
                ClientAnswer::Metrics(JobMetrics::default()),
                ClientAnswer::Done,
                ClientAnswer::Triggered(9),
                ClientAnswer::NotYet,
                ClientAnswer::Snapshot(Ok("/s/1".to_owned())),
                ClientAnswer::Snapshot(Err(Failure::new(&Error::external("no disk"), 5))),
                ClientAnswer::Fetched(Fetched::End),
                ClientAnswer::Fetched(Fetched::Failed("no disk".to_owned())),
                ClientAnswer::Unknown,
                ClientAnswer::TaskManagers(vec![TaskManagerInfo {
                    id: TaskManagerId(1),
                    slots: 4,
                    free: 3,
                    heard_at: 12,
                }]),
                ClientAnswer::Plan(Box::new(graph.clone())),
                ClientAnswer::Job(Box::new(description.clone())),
                ClientAnswer::Refused(Failure::new(&Error::invalid("no such thing"), 5)),
                ClientAnswer::NotYet,
                ClientAnswer::Inspected(vec![(Some(TaskManagerId(1)), ProcessAnswer::Logs(Vec::new()))]),
                ClientAnswer::Program(ProgramAnswer::Runs(job)),
            ]
        };
        let inner = Arc::new(Answers(parking_lot::Mutex::new(answers()), parking_lot::Mutex::default()));
        let through = ThroughBytes(inner.clone());
        for (request, expected) in requests.iter().zip(answers()) {
            let answer = through.call(request.clone()).unwrap();
            assert_eq!(format!("{answer:?}"), format!("{expected:?}"));
        }
        assert_eq!(*inner.1.lock(), requests);
    }
}
