//! What a function may use when a snapshot is taken.

use flott_types::CheckpointId;

use crate::state::{OperatorStateAccess, States};

/// What a function may use in `snapshot_state`: its operator state. There is no current key, so keyed state
/// cannot be used.
///
/// ```
/// # use flott_datastream::*;
/// /// Remembers in the snapshot how many records it has seen.
/// #[derive(Clone, Default)]
/// struct Counted { seen: u64, total: OperatorListState<u64> }
///
/// impl ProcessFunction<String> for Counted {
///     type Out = String;
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.total = context.operator_list_state("seen")?;
///         Ok(())
///     }
///     fn process_element(&mut self, value: String, ctx: &mut ProcessContext<'_, String>) -> Result<()> {
///         self.seen += 1;
///         ctx.collect(value);
///         Ok(())
///     }
///     fn snapshot_state(&mut self, ctx: &mut SnapshotContext<'_>) -> Result<()> {
///         let before: u64 = self.total.get(ctx).iter().sum();
///         self.total.update(ctx, [before + std::mem::take(&mut self.seen)]);
///         Ok(())
///     }
/// }
/// ```
pub struct SnapshotContext<'a> {
    states: &'a mut States,
    checkpoint: CheckpointId,
}

impl<'a> SnapshotContext<'a> {
    #[doc(hidden)]
    pub fn new(states: &'a mut States, checkpoint: CheckpointId) -> Self {
        SnapshotContext { states, checkpoint }
    }

    /// The checkpoint.
    pub fn checkpoint_id(&self) -> CheckpointId {
        self.checkpoint
    }
}

impl OperatorStateAccess for SnapshotContext<'_> {
    fn all_states(&self) -> &States {
        self.states
    }

    fn all_states_mut(&mut self) -> &mut States {
        self.states
    }
}
