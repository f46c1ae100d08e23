//! The checkpoint coordinator of one job: decides when checkpoints are taken, when they are complete, and
//! which are kept.
//!
//! ```text
//! triggered ── acknowledged by every task ──> writing ── manifest durable ──> completed ── subsumed ──> discarded
//!     └── declined, timed out, attempt over ──> aborted <── write failed ──┘
//! ```
//!
//! Invariants:
//!
//! - **Nobody is notified that a checkpoint is complete before its manifest is durable.** What a sink then
//!   commits can never be written a second time, because no recovery goes back before that checkpoint.
//! - **No recovery is decided while a manifest is being written.** Its outcome would otherwise be open: the
//!   job restores `n-1`, then `n` turns out to be durable, and a second recovery goes to a snapshot whose
//!   pending commits the first one has rolled back. So the end of an attempt does not cancel writes, and
//!   [`Action::Restore`] waits for them. For the same reason a new JobManager must ensure, before it lists
//!   the manifests to restore from, that none of its predecessor's writes can still succeed (the predecessor
//!   is dead, or the ids it may have begun are occupied by a conditional write).
//! - Ids increase and are never reused. The driver passes the first one, which must be above every id ever
//!   begun, even by attempts that never completed it (files and staged output carry the id).
//! - The latest completed checkpoint never goes back, except when it is reported [`Event::Unusable`].
//! - Triggers, acknowledgements and completion notifications may be lost: that costs a timeout. Every message
//!   may be late, duplicated, overtaken, or from an earlier attempt: that changes nothing. Messages that must
//!   not get lost are documented as such; a driver that cannot deliver one fails the task.
//!
//! Savepoints: one taken while the job keeps running is not subsumed, not counted, not recovered from, and
//! commits nothing (as in Flink since 1.15; see [`crate::CheckpointKind::commits`]). One that the job stops
//! with is recovered from if the stop fails.
//!
//! End of a bounded job: tasks whose inputs have ended stay alive (*drained*), because a two-phase sink can
//! commit only what a completed checkpoint contains. When all have drained, the coordinator takes the final
//! checkpoint, and with it the tasks finish. A stop with `drain` is the same with a savepoint instead. A job
//! without checkpoint storage runs the same protocol; its driver keeps the manifest in memory.
//!
//! Files of aborted checkpoints are not deleted here: later checkpoints may build on them. The driver deletes
//! files that no retained manifest refers to.
//!
//! Cost: an acknowledgement is a hash insert; nothing depends on the size of the state.
//!
//! ```
//! use flott_checkpoint::coordinator::{Action, Config, Coordinator, Event};
//! use flott_checkpoint::{Attempt, TaskId};
//! use flott_types::{CheckpointId, SubtaskIndex, VertexId};
//!
//! let config = Config { interval: Some(1_000), ..Config::default() };
//! let mut coordinator: Coordinator<&str> = Coordinator::new(config, CheckpointId(1), []);
//! let (attempt, task) = (Attempt(1), TaskId { vertex: VertexId(0), subtask: SubtaskIndex(0) });
//! coordinator.step(Event::JobStarted { attempt, tasks: vec![task] }, 0);
//! assert_eq!(coordinator.next_deadline(), Some(1_000));
//!
//! let checkpoint = CheckpointId(1);
//! assert!(matches!(coordinator.step(Event::Tick, 1_000)[..], [Action::Trigger { .. }]));
//! let ack = Event::Ack { attempt, task, checkpoint, snapshot: "the state" };
//! assert!(matches!(coordinator.step(ack, 1_010)[..], [Action::WriteManifest(_)]));
//! assert_eq!(coordinator.step(Event::StoreCompleted(checkpoint), 1_030), [Action::NotifyComplete(checkpoint)]);
//! ```

mod api;
mod machine;
mod pending;
mod schedule;

pub use api::{Action, CompletedSnapshot, Config, DeclineReason, Event, Request, RestorePoint, Retention};
pub use machine::Coordinator;
