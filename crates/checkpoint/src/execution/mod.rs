//! The execution of one job: deploy, recover, drain, end.
//!
//! ```text
//! INITIALIZING ─ CREATED ─ RUNNING ──────────────────────────────> FINISHED
//!                   └──┬──────┤ ▲ ├─ failure is final ─ FAILING ──> FAILED
//!                      │      ▼ │ │
//!                      │   RESTARTING ── failure is final ─────────> FAILED
//!                      └──────┴───┴── user ─ CANCELLING ───────────> CANCELED
//!                                     JobManager goes away ────────> SUSPENDED
//! ```
//!
//! Invariants:
//!
//! - **One attempt at a time.** The next is deployed only when every task of the last has ended; two attempts of a sink would
//!   disturb each other's staged output. (A task on a machine that does not answer counts as ended when its TaskManager
//!   is declared dead; the driver reports [`ExecutionState::Failed`] for it, and fences it.)
//! - Messages carry the [`Attempt`]; those of another attempt change nothing. States of a task only move forward, so late
//!   reports change nothing either.
//! - **A task finishes only when told so**, after the last checkpoint of the job is complete. One that finishes by itself
//!   would lose what its sink has not committed, so it is treated as failed.
//! - The restore point comes from the checkpoint coordinator, after the old attempt has ended and no manifest is under way.
//!
//! The driver couples this machine with [`crate::coordinator`]: [`Action::AttemptRunning`] → `JobStarted`, [`Action::AttemptStopping`] → `JobStopping`,
//! [`Action::RequestRestorePoint`] → `RestoreRequested`, [`Action::AllDrained`] → `AllTasksDrained`, [`Action::JobTerminal`] → `JobTerminal`; and the
//! other way `Restore` → [`Event::RestorePoint`], `FailJob` → [`Event::Fail`], `Finish` → [`Event::LastCheckpointCompleted`].
//! A driver must execute the actions of one step, in order, before those that follow from them.

mod machine;
mod states;

pub use machine::{Action, Event, Execution, Failure};
pub use states::{ExecutionState, JobStatus};

#[cfg(doc)]
use crate::Attempt;
