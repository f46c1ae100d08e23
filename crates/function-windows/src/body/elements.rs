//! All records of each window.

use flott_batch::Record;
use flott_state::StateColumn;
use flott_types::{Result, Timestamp, Watermark};

use super::{Body, CONTENTS, ElementColumn};
use crate::evictor::{AnyEvictor, Evictor, EvictorContext};
use crate::function::{ProcessWindowFunction, WindowContext};
use flott_function::life_cycle_of;
use flott_function::runtime_context::RuntimeContext;

/// Records are kept individually, for a function of all of them.
pub struct Elements<T, W, P> {
    lists: ElementColumn<T>,
    evictor: Option<AnyEvictor<T, W>>,
    function: P,
}

impl<T: Record, W, P> Elements<T, W, P> {
    /// With an evictor the timestamps of the records are kept too.
    pub fn new(evictor: Option<AnyEvictor<T, W>>, function: P) -> Result<Self> {
        Ok(Elements { lists: ElementColumn::new(CONTENTS, evictor.is_some())?, evictor, function })
    }
}

impl<K, T, W, P> Body<K, T, W> for Elements<T, W, P>
where
    T: Record,
    W: 'static,
    P: ProcessWindowFunction<K, W, T>,
{
    type Out = P::Out;

    life_cycle_of!(function);

    fn open_window_state(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.function.open_window_state(context)
    }

    fn column(&self) -> &dyn StateColumn {
        &self.lists
    }

    fn column_mut(&mut self) -> &mut dyn StateColumn {
        &mut self.lists
    }

    #[inline]
    fn add(&mut self, slot: u32, value: T, timestamp: Option<Timestamp>) {
        self.lists.push(slot, value, timestamp.unwrap_or(Watermark::MIN.0));
    }

    fn is_empty(&self, slot: u32) -> bool {
        self.lists.values(slot).is_empty()
    }

    fn is_persisted(&self, slot: u32) -> bool {
        self.lists.is_persisted(slot)
    }

    fn merge(&mut self, into: u32, from: u32) {
        self.lists.append(into, from);
    }

    fn clear(&mut self, slot: u32) {
        self.lists.clear(slot);
    }

    fn fire(&mut self, slot: u32, context: &mut WindowContext<'_, K, W, P::Out>) -> Result<()> {
        let Elements { lists, evictor, function } = self;
        let Some(evictor) = evictor else {
            return function.process(lists.values(slot), context);
        };
        let times =
            EvictorContext { current_watermark: context.watermark, current_processing_time: context.now };
        let window = context.window;
        lists.evict(slot, |elements| evictor.evict_before(elements, window, &times))?;
        function.process(lists.values(slot), context)?;
        lists.evict(slot, |elements| evictor.evict_after(elements, window, &times))
    }

    fn gone(&mut self, context: &mut WindowContext<'_, K, W, P::Out>) -> Result<()> {
        self.function.clear(context)
    }
}
