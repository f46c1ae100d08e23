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
//!   is declared lost, [`Event::TaskManagerLost`]; what it may still do there is harmless, see [`crate::resources`].)
//! - **A job starts when it has what it needs**: its restore point first, then all its slots. It keeps them over restarts, so a
//!   restart asks only for those that were lost. It waits a bounded time, in the status that it was in (`CREATED` or `RESTARTING`),
//!   and fails with what is missing, which a restart strategy may forgive.
//! - Messages carry the [`Attempt`]; those of another attempt change nothing. States of a task only move forward, so late
//!   reports change nothing either.
//! - **A task finishes only when told so**, after the last checkpoint of the job is complete. One that finishes by itself
//!   would lose what its sink has not committed, so it is treated as failed.
//! - The restore point comes from the checkpoint coordinator, after the old attempt has ended and no manifest is under way.
//!
//! The driver couples this machine with [`crate::coordinator`]: [`Action::AttemptRunning`] → `JobStarted`, [`Action::AttemptStopping`] → `JobStopping`,
//! [`Action::RequestRestorePoint`] → `RestoreRequested`, [`Action::AllDrained`] → `AllTasksDrained`, [`Action::JobTerminal`] → `JobTerminal`; and the
//! other way `Restore` → [`Event::RestorePoint`], `FailJob` → [`Event::Fail`], `Finish` → [`Event::LastCheckpointCompleted`].
//! With [`crate::resources`] it couples [`Action::RequestSlots`] → `Request`, [`Action::WithdrawSlots`] → `Withdraw`, [`Action::JobTerminal`] → `Release`, and
//! `Grant` → [`Event::SlotsGranted`], `Short` → [`Event::SlotsMissing`], `Lost` → [`Event::TaskManagerLost`].
//! A driver must execute the actions of one step, in order, before those that follow from them.

mod api;
mod machine;
mod states;

pub use api::{Action, Event, Failure};
pub use machine::Execution;
pub use states::{ExecutionState, JobStatus};

#[cfg(doc)]
use crate::Attempt;
