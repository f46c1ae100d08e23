//! The stack that statements are bound and planned on.
//!
//! Binder and optimiser recurse over the tree and the plan, both of which are bounded: see
//! [`crate::plan::limits`]. The frames of their passes are large (40 KB per relation in a debug build), the
//! caller's thread may have only 2 MB, and a plan with some hundred relations should not be refused because
//! of that. So they run on a thread whose stack is large enough for the bounds.

use std::thread::{Builder, scope};

use flott_types::{Error, ErrorKind, Result};

/// Enough for 400 nested relations and their contents. Only the touched part uses memory.
const SIZE: usize = 64 << 20;

/// Runs something that recurses over a statement or its plan.
pub(super) fn deep<T: Send>(run: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    scope(|scope| {
        let thread = Builder::new().name("planner".to_owned()).stack_size(SIZE).spawn_scoped(scope, run);
        let thread = thread.map_err(|error| {
            Error::new(ErrorKind::Internal, "cannot start the thread that plans the statement")
                .with_source(error)
        })?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
