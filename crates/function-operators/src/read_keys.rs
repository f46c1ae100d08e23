//! Reads keyed state that a snapshot has: a function is called for each key.

use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::Batch;
use flott_function::keyed_process::KeyedProcessFunction;
use flott_function::state::Key;
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::RestoredState;
use flott_types::Result;

use crate::keyed_core::KeyedCore;

/// One of so many pieces of a state, by key groups.
pub type Piece = (u32, u32);

/// The state of an operator that belongs to a piece.
pub type ReadPiece = Arc<dyn Fn(Piece) -> Result<RestoredState> + Send + Sync>;

/// The operator. Its input are the pieces that it reads; of each it has one at a time in memory.
pub struct ReadKeys<K, F> {
    /// Each piece has a clone of it.
    function: F,
    read: ReadPiece,
    max_parallelism: u32,
    options: Arc<TaskOptions>,
    of: PhantomData<fn() -> K>,
}

impl<K: Key, F: KeyedProcessFunction<K, ()> + Clone> ReadKeys<K, F> {
    /// Calls the function once with each key of what is read, which has so many key groups.
    pub fn new(function: F, read: ReadPiece, max_parallelism: u32, options: Arc<TaskOptions>) -> Self {
        ReadKeys { function, read, max_parallelism, options, of: PhantomData }
    }
}

impl<K: Key, F: KeyedProcessFunction<K, ()> + Clone> Operator for ReadKeys<K, F> {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        for piece in batch.into_records::<Piece>()?.values {
            let mut function = self.function.clone();
            let mut core = KeyedCore::<K, F::Out>::new(self.max_parallelism, self.options.clone())?;
            core.open_read_only((self.read)(piece)?, context, |runtime| function.open(runtime))?;
            core.visit(context, |keyed| function.process_element((), keyed))?;
            function.close();
        }
        Ok(())
    }
}
