//! What JobManager and TaskManagers say to each other: plain data.

use std::sync::Arc;

use flott_checkpoint::{Attempt, TaskId};
use flott_runtime::{Failure, Home, OperatorRestore, TaskCommand, TaskMetricsReport, TaskReport};
use flott_types::{CheckpointId, JobId, Succession, Timestamp};
use serde::{Deserialize, Serialize};

use crate::collected::{CollectorId, FromCollector};
use crate::inspection::{ProcessAnswer, ProcessQuestion};
use crate::programs::{WorkerOrder, WorkerReport};

pub use flott_checkpoint::resources::{Session, TaskManagerId};

/// To a TaskManager. Messages arrive in the order in which they were sent, and belong to a session: see
/// [`flott_checkpoint::resources`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToTaskManager {
    /// It is registered.
    Welcome(Session),
    /// It has to report that it is alive.
    Heartbeat(Session),
    /// The session is over: it stops what it runs.
    Dismiss(Session),
    /// Something to do, within a session.
    Work(Session, Work),
    /// The program whose cluster this is has ended, or has failed: nothing will be deployed any more.
    Over {
        /// Whether one of its jobs has failed.
        failed: bool,
    },
    /// Leave.
    Shutdown,
}

/// What a TaskManager has to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Work {
    /// Start tasks.
    Deploy(Deploy),
    /// Tell tasks of a job something; those that are not there are passed over.
    Command {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: Attempt,
        /// One task, or all of them.
        task: Option<TaskId>,
        /// What.
        command: TaskCommand,
    },
    /// Rows that a task has collected have arrived: it may send as many more.
    Credit {
        /// To whom.
        to: CollectorId,
        /// How many.
        rows: u64,
    },
    /// Answer a question, under its number.
    Answer {
        /// The number.
        question: u64,
        /// What is asked.
        what: Question,
    },
    /// The job has ended; what is kept of it can go.
    Forget(JobId),
    /// Something for a program.
    Worker(WorkerOrder),
}

/// What a TaskManager is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Question {
    /// The metrics of a job's tasks.
    Metrics(JobId),
    /// Something about its process.
    Process(ProcessQuestion),
}

/// What it answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// Those of the job's tasks that are there, or were there last.
    Metrics(Vec<(TaskId, TaskMetricsReport)>),
    /// Of its process.
    Process(ProcessAnswer),
}

/// Tasks to start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deploy {
    /// The job.
    pub job: JobId,
    /// The attempt.
    pub attempt: Attempt,
    /// The serialised plan.
    pub graph: Arc<str>,
    /// When the job was submitted.
    pub submitted_at: Timestamp,
    /// The inputs had ended before: sources are at their end from the start.
    pub drained: bool,
    /// The checkpoint that the job starts from.
    pub restored: Option<CheckpointId>,
    /// Where this start stands among those of the job.
    #[serde(default)]
    pub succession: Option<Succession>,
    /// Where all tasks of the attempt are.
    pub homes: Arc<[Home]>,
    /// The tasks for this TaskManager and what they start from.
    pub tasks: Vec<(TaskId, Vec<OperatorRestore>)>,
}

/// To the JobManager. Messages of one task arrive in the order in which they were sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToJobManager {
    /// A TaskManager is there.
    Register {
        /// It.
        task_manager: TaskManagerId,
        /// The session that it wants to begin.
        session: Session,
        /// How many slots it has.
        slots: u32,
    },
    /// A TaskManager is alive.
    Heartbeat {
        /// It.
        task_manager: TaskManagerId,
        /// Its session.
        session: Session,
    },
    /// A task reports.
    Report {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: Attempt,
        /// The task.
        task: TaskId,
        /// What.
        report: TaskReport,
    },
    /// A task was told to leave and does not. It counts as failed; its thread cannot be ended, so its slot is
    /// lost.
    Abandoned {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: Attempt,
        /// The task.
        task: TaskId,
        /// What it is doing.
        failure: Failure,
    },
    /// A task that collects has rows, or has sealed them.
    Collected(CollectorId, FromCollector),
    /// The answer to [`Work::Answer`].
    Answer {
        /// Who answers.
        task_manager: TaskManagerId,
        /// The session in which it was asked.
        session: Session,
        /// The number of the question.
        question: u64,
        /// The answer.
        answer: Answer,
    },
    /// A TaskManager says something of a program's worker.
    Worker {
        /// It.
        task_manager: TaskManagerId,
        /// What.
        report: WorkerReport,
    },
    /// An abandoned task has left after all.
    Returned {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: Attempt,
        /// The task.
        task: TaskId,
    },
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::time::Duration;

    use flott_batch::codec::RecordsReader;
    use flott_batch::{Batch, Records};
    use flott_checkpoint::manifest::TaskSnapshot;
    use flott_checkpoint::resources::LeaderId;
    use flott_checkpoint::{Barrier, CheckpointKind};
    use flott_connector::{Payload, Split, WatermarkAlignment};
    use flott_runtime::{SnapshotMetrics, TaskRates};
    use flott_types::{CheckpointId, Error, OperatorUid, SubtaskIndex, Succession, VertexId};
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::codec;
    use crate::inspection::{LogFile, LogName, LogPiece, ThreadInfo, Usage};
    use crate::programs::{Executable, Piece, StartWorker, WorkerId};

    const METRICS: TaskMetricsReport = TaskMetricsReport {
        num_records_in: 1,
        num_records_out: 2,
        idle_millis: 3,
        back_pressured_millis: 4,
        rates: TaskRates {
            busy_millis: 1.5,
            idle_millis: 2.5,
            back_pressured_millis: 0.0,
            records_in: 3.5,
            records_out: 0.5,
        },
        operators: Vec::new(),
        splits: Vec::new(),
    };

    fn survives_encoding<T: Serialize + DeserializeOwned + Debug>(message: &T) {
        let back: T = codec::decode(&codec::encode(message).unwrap()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{message:?}"));
    }

    #[test]
    fn every_message_can_cross_a_network() {
        let (job, attempt) = (JobId(7), Attempt(1));
        let session = Session { leader: LeaderId(1), number: 2 };
        let task = TaskId { vertex: VertexId(1), subtask: SubtaskIndex(2) };
        let barrier = Barrier {
            checkpoint: CheckpointId(3),
            created_at: 4,
            kind: CheckpointKind::Savepoint,
            overtakes_after: None,
        };
        let split = Split { id: "a".to_owned(), payload: Payload::new(1, vec![0xff, 2]) };
        for command in [
            TaskCommand::Trigger { barrier, target: Some("file:///x".to_owned()) },
            TaskCommand::Complete(CheckpointId(3)),
            TaskCommand::Aborted(CheckpointId(3)),
            TaskCommand::AddSplits(vec![split]),
            TaskCommand::NoSplitsYet,
            TaskCommand::SourceEvent(Payload::new(2, "e")),
            TaskCommand::NoMoreSplits,
            TaskCommand::Drain,
            TaskCommand::Align(Some(7)),
            TaskCommand::Finish(None),
            TaskCommand::Cancel,
        ] {
            let command = Work::Command { job, attempt, task: Some(task), command };
            survives_encoding(&ToTaskManager::Work(session, command));
        }
        let tasks = vec![(task, Vec::new())];
        let deploy = Deploy {
            job,
            attempt,
            graph: "{}".into(),
            submitted_at: 9,
            drained: true,
            restored: Some(CheckpointId(2)),
            succession: Some(Succession { register: job, start: 2, is_first: true }),
            homes: [Home {
                task_manager: TaskManagerId(3),
                address: Some("10.0.0.1:40000".to_owned()),
                tasks: vec![task],
            }]
            .into(),
            tasks,
        };
        survives_encoding(&ToTaskManager::Work(session, Work::Deploy(deploy)));
        survives_encoding(&ToTaskManager::Work(session, Work::Forget(job)));
        for what in [
            Question::Metrics(job),
            Question::Process(ProcessQuestion::Usage),
            Question::Process(ProcessQuestion::Log(LogName::Named("a.log".to_owned()), 3)),
        ] {
            survives_encoding(&ToTaskManager::Work(session, Work::Answer { question: 1, what }));
        }
        let to = CollectorId { task_manager: TaskManagerId(3), job, attempt, subtask: 1 };
        survives_encoding(&ToTaskManager::Work(session, Work::Credit { to, rows: 100 }));
        survives_encoding(&ToJobManager::Collected(to, FromCollector::Sealed(CheckpointId(4))));
        let rows = Batch::from(Records::new(vec!["a".to_owned(), "b".to_owned()]));
        let rows = ToJobManager::Collected(to, FromCollector::Rows(rows.into()));
        survives_encoding(&rows);
        let back: ToJobManager = codec::decode(&codec::encode(&rows).unwrap()).unwrap();
        let ToJobManager::Collected(_, FromCollector::Rows(rows)) = back else { panic!("{back:?}") };
        let rows = rows.into_batch(Some(RecordsReader::of::<String>())).unwrap();
        assert_eq!(rows.into_records::<String>().unwrap().values, ["a", "b"]);
        let piece = LogPiece { text: "a\n".to_owned(), next: 5, size: 7 };
        let thread = ThreadInfo {
            number: 3,
            name: "a".to_owned(),
            state: "WAITING".to_owned(),
            waits_in: Some("futex".to_owned()),
            cpu: Duration::from_millis(1),
        };
        let file = LogFile { name: "a.log".to_owned(), size: 7, modified: 9 };
        for answer in [
            Answer::Metrics(vec![(task, METRICS)]),
            Answer::Process(ProcessAnswer::Usage(Usage { cpu_load: 0.5, ..Usage::default() })),
            Answer::Process(ProcessAnswer::Threads(vec![thread])),
            Answer::Process(ProcessAnswer::Logs(vec![file])),
            Answer::Process(ProcessAnswer::Log(Some(piece))),
        ] {
            let task_manager = TaskManagerId(3);
            survives_encoding(&ToJobManager::Answer { task_manager, session, question: 1, answer });
        }
        for message in [
            ToTaskManager::Welcome(session),
            ToTaskManager::Heartbeat(session),
            ToTaskManager::Dismiss(session),
            ToTaskManager::Over { failed: true },
        ] {
            survives_encoding(&message);
        }
        let task_manager = TaskManagerId(3);
        survives_encoding(&ToJobManager::Register { task_manager, session, slots: 4 });
        survives_encoding(&ToJobManager::Heartbeat { task_manager, session });
        let checkpoint = CheckpointId(3);
        for report in [
            TaskReport::Running,
            TaskReport::ReaderRegistered {
                operator: OperatorUid("u".to_owned()),
                reading: vec!["a".to_owned()],
            },
            TaskReport::RequestSplits { operator: OperatorUid("u".to_owned()), received: 3 },
            TaskReport::SourceEvent { operator: OperatorUid("u".to_owned()), event: Payload::new(1, "e") },
            TaskReport::Drained,
            TaskReport::SourceWatermark {
                group: WatermarkAlignment { group: "g".to_owned(), max_drift: 1, update_interval: 2 },
                watermark: Some(3),
            },
            TaskReport::Ack {
                checkpoint,
                snapshot: TaskSnapshot::default(),
                metrics: SnapshotMetrics::default(),
            },
            TaskReport::Committed { operator: OperatorUid("u".to_owned()), checkpoint },
            TaskReport::Decline { checkpoint, failure: None },
            TaskReport::Finished,
            TaskReport::Canceled,
            TaskReport::Failed(Failure::new(&Error::data("no number").in_operator("calc"), 5)),
        ] {
            survives_encoding(&ToJobManager::Report { job, attempt, task, report });
        }
        let worker = WorkerId { program: job, number: 1 };
        let executable = Executable { identity: "0-3".to_owned(), size: 3 };
        let start = StartWorker {
            worker,
            executable: executable.clone(),
            arguments: vec!["a".to_owned()],
            configuration: [("k".to_owned(), "v".to_owned())].into(),
            job_manager: ("localhost".to_owned(), 6123),
            slots: 2,
        };
        for order in [
            WorkerOrder::Start(Box::new(start)),
            WorkerOrder::Stop(worker),
            WorkerOrder::Piece { executable: executable.clone(), at: 1, piece: Piece(vec![0, 255]) },
        ] {
            survives_encoding(&ToTaskManager::Work(session, Work::Worker(order)));
        }
        for report in [
            WorkerReport::Wants { program: job, executable, at: 1 },
            WorkerReport::Ended { worker, reason: "signal".to_owned() },
        ] {
            survives_encoding(&ToJobManager::Worker { task_manager, report });
        }
        let failure = Failure::new(&Error::internal("it hangs"), 5);
        survives_encoding(&ToJobManager::Abandoned { job, attempt, task, failure });
        survives_encoding(&ToJobManager::Returned { job, attempt, task });
    }
}
