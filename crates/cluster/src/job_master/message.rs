//! What a job master is told.

use std::sync::mpsc::SyncSender;

use flott_checkpoint::coordinator::{Request, RestorePoint};
use flott_checkpoint::{Attempt, RequestId, TaskId};
use flott_connector::CommitOutcome;
use flott_runtime::{Failure, TaskReport};
use flott_types::{CheckpointId, Error, Result};

use crate::enumerators::{Agenda, Commands, EnumeratorStates};
use crate::resource_manager::GrantedSlot;
use crate::scaling::Requirements;

use super::recovery::{Prepared, Unprepared};

/// The messages to a job master.
pub(crate) enum JobMessage {
    /// By a task.
    Report(Attempt, TaskId, TaskReport),
    /// By a TaskManager: a task does not end, and is given up with its slot.
    Abandoned(Attempt, TaskId, Failure),
    /// By the resource manager: all the slots that the job needs, numbered as in [`JobGraph::slots`].
    Granted(Vec<GrantedSlot>),
    /// By the resource manager: the job has to wait for slots, or need not even do that.
    Short { reason: String, hopeless: bool, reach: u32 },
    /// By the resource manager: these slots are lost, and what was in them.
    Lost { slots: Vec<u32>, reason: String },
    /// By the resource manager: so many slots it could have.
    Offered(u32),
    /// By a user: it is to be as parallel as this.
    Require(Requirements, SyncSender<Result<()>>),
    /// By a user.
    Cancel,
    /// By a user; the answer is the path.
    Request(Request, Answer),
    /// By itself: the savepoint with which the job was to stop came to nothing.
    NoSavepointAtEnd(Attempt, Error),
    /// By its storage thread: a manifest is written, or not.
    Stored(CheckpointId, Result<String>),
    /// By its storage thread or that of its lease: somebody else runs the job by now.
    Deposed(Error),
    /// By its storage thread: the folder of a savepoint is made.
    Placed(RequestId, Result<Request>),
    /// By its thread of sources: an attempt can start.
    Prepared(u64, Option<RestorePoint>, Result<Prepared, Unprepared>),
    /// By its thread of sources: what enumerators have for readers, and when they want to be called next.
    Sources(Attempt, Result<Commands>, Agenda),
    /// By work that an enumerator has begun elsewhere: it is done.
    SourcesWoken,
    /// By its thread of sources: what the enumerators know at the moment of a checkpoint.
    Enumerated(CheckpointId, Result<EnumeratorStates>),
    /// By a global committer, with its number and the beginning that it was asked in: what became of the
    /// commits.
    Committed(usize, u64, Result<Vec<CommitOutcome>>),
    /// By the JobManager: rows that the job collects cannot be kept.
    Uncollected(Error),
    /// The JobManager goes away.
    Suspend,
    /// Somebody wants to know when everything before is done, and what is due by the clock; and whether
    /// nothing is awaited from the job's own threads then.
    Look(SyncSender<bool>),
}

/// Where an answer goes.
pub(crate) type Answer = Box<dyn FnOnce(Result<String>) + Send>;
