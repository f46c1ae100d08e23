//! State that is restored part by part, because it does not fit into memory.

use flott_checkpoint::manifest::SubtaskRestore;
use flott_state::{Rest, RestoredState};
use flott_types::Result;

use crate::{TaskDeployment, TaskEnvironment};

/// State is restored in parts if its rows could have more than this part of the memory for state.
const LARGE: u64 = 2;
/// How much more memory rows have in a table than as columns.
const HELD: u64 = 2;
/// The parts of all subtasks of a vertex, which are read at the same time, have at most this part of the memory.
const PART: u64 = 8;
/// Smaller parts are not worth it.
const LEAST: u64 = 48 << 10;

/// What an operator starts from. Parts after the first are read when it asks for them.
pub(crate) fn read(
    environment: &TaskEnvironment,
    deployment: &TaskDeployment,
    state: &SubtaskRestore,
) -> Result<RestoredState> {
    let budget = deployment.options.state.budget.map(|bytes| bytes as u64);
    let subtasks = u64::from(deployment.vertex.parallelism);
    let Some(part) = part_of(budget, subtasks, state.keyed_bytes()) else {
        return environment.storage.restore(deployment, state);
    };
    let mut parts = state.clone().in_parts(part).into_iter();
    let first = parts.next().unwrap_or_default();
    let mut first = environment.storage.restore(deployment, &first)?;
    let (storage, deployment) = (environment.storage.clone(), deployment.clone());
    first.rest = Rest::new(move || parts.next().map(|part| storage.restore(&deployment, &part)).transpose());
    Ok(first)
}

/// How many bytes of columns a part of a state of so many has; `None` if it is read as a whole.
fn part_of(budget: Option<u64>, subtasks: u64, bytes: u64) -> Option<u64> {
    let share = budget? / subtasks.max(1);
    let is_large = bytes.saturating_mul(HELD * LARGE) > share;
    is_large.then(|| (share / (HELD * PART)).max(LEAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtasks_that_restore_at_the_same_time_share_the_memory() {
        assert_eq!(part_of(None, 1, u64::MAX), None);
        assert_eq!(part_of(Some(120 << 20), 1, 30 << 20), None);
        assert_eq!(part_of(Some(120 << 20), 1, (30 << 20) + 1), Some((120 << 20) / 16));
        assert_eq!(part_of(Some(120 << 20), 2, (15 << 20) + 1), Some((60 << 20) / 16));
        assert_eq!(part_of(Some(1), 4, 100), Some(LEAST));
    }
}
