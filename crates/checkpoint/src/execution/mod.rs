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
//! - **One attempt at a time.** The next is deployed only when every task of the previous one has ended;
//!   two attempts of a sink would disturb each other's staged output. (A task on an unresponsive machine
//!   counts as ended when its TaskManager is declared lost, [`Event::TaskManagerLost`]; what it may still do
//!   there is harmless, see [`crate::resources`].)
//! - **A job starts when it has what it needs**: its restore point first, then all its slots. It keeps them
//!   across restarts, so a restart requests only those that were lost. It waits for a limited time in its
//!   current status (`CREATED` or `RESTARTING`), and fails with an error that says what is missing; the
//!   restart strategy decides whether to try again.
//! - **A job that scales starts with less than it wishes** ([`Execution::that_scales`]): when it has waited a while and
//!   could run with the slots that are there, it is sized anew, and looks again what it starts from, for that is shared
//!   out among its tasks. When there are more slots later, it is stopped after the next checkpoint, and sized anew.
//! - Messages carry the [`Attempt`]; those of another attempt are ignored. States of a task only move
//!   forward, so late reports are ignored too.
//! - **A task finishes only on request**, after the last checkpoint of the job is complete. One that
//!   finishes by itself would lose what its sink has not committed, so it is treated as failed.
//! - The restore point comes from the checkpoint coordinator, after the old attempt has ended and no manifest
//!   is being written.
//!
//! The driver couples this machine with [`crate::coordinator`]: [`Action::AttemptRunning`] → `JobStarted`,
//! [`Action::AttemptStopping`] → `JobStopping`, [`Action::RequestRestorePoint`] → `RestoreRequested`,
//! [`Action::AllDrained`] → `AllTasksDrained`, [`Action::JobTerminal`] → `JobTerminal`; and the other way
//! `Restore` → [`Event::RestorePoint`], `FailJob` → [`Event::Fail`], `Finish` →
//! [`Event::LastCheckpointCompleted`]. With [`crate::resources`] it couples [`Action::RequestSlots`] →
//! `Request`, [`Action::WithdrawSlots`] → `Withdraw`, [`Action::JobTerminal`] → `Release`, and `Grant` →
//! [`Event::SlotsGranted`], `Offer` → [`Event::CouldGrow`], `Short` → [`Event::SlotsMissing`], `Lost` → [`Event::TaskManagerLost`]. A driver
//! must execute the actions of one step, in order, before those that follow from them.

mod api;
mod machine;
mod states;

pub use api::{Action, Event, Failure};
pub use machine::{Execution, Scaling};
pub use states::{ExecutionState, JobStatus};

#[cfg(doc)]
use crate::Attempt;
