//! State that is restored part by part, because it does not fit into memory.

use flott_checkpoint::manifest::SubtaskRestore;
use flott_state::{Rest, RestoredState};
use flott_types::Result;

use crate::{TaskDeployment, TaskEnvironment};

/// State is restored in parts if its files, unpacked, could have more than this part of the memory for state.
const LARGE: u64 = 2;
/// How much more rows in memory have than their files.
const UNPACKED: u64 = 6;
/// A part has at most this part of the memory.
const PART: u64 = 8;
/// Smaller parts are not worth it.
const LEAST: u64 = 16 << 10;

/// What an operator starts from. Parts after the first are read when it asks for them.
pub(crate) fn read(
    environment: &TaskEnvironment,
    deployment: &TaskDeployment,
    state: &SubtaskRestore,
) -> Result<RestoredState> {
    let budget = deployment.options.state.budget.map_or(u64::MAX, |bytes| bytes as u64);
    if state.keyed_bytes().saturating_mul(UNPACKED * LARGE) <= budget {
        return environment.storage.restore(deployment, state);
    }
    let mut parts = state.clone().in_parts((budget / (UNPACKED * PART)).max(LEAST)).into_iter();
    let first = parts.next().unwrap_or_default();
    let mut first = environment.storage.restore(deployment, &first)?;
    let (storage, deployment) = (environment.storage.clone(), deployment.clone());
    first.rest = Rest::new(move || parts.next().map(|part| storage.restore(&deployment, &part)).transpose());
    Ok(first)
}
