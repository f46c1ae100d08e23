//! Type-erased evictors.

use flott_types::Result;

use super::{Evictor, EvictorContext, WindowElements};

/// Any evictor for windows of a kind.
pub struct AnyEvictor<T, W>(Box<dyn CloneEvictor<T, W>>);

/// An evictor that each subtask gets a copy of.
trait CloneEvictor<T, W>: Evictor<T, W> {
    fn copy(&self) -> Box<dyn CloneEvictor<T, W>>;
}

impl<T, W, E: Evictor<T, W> + Clone> CloneEvictor<T, W> for E {
    fn copy(&self) -> Box<dyn CloneEvictor<T, W>> {
        Box::new(self.clone())
    }
}

impl<T, W> AnyEvictor<T, W> {
    /// This evictor.
    pub fn new(evictor: impl Evictor<T, W> + Clone) -> Self {
        AnyEvictor(Box::new(evictor))
    }
}

impl<T: 'static, W: 'static> Clone for AnyEvictor<T, W> {
    fn clone(&self) -> Self {
        AnyEvictor(self.0.copy())
    }
}

impl<T: 'static, W: 'static> Evictor<T, W> for AnyEvictor<T, W> {
    fn evict_before(
        &mut self,
        elements: &mut WindowElements<'_, T>,
        window: &W,
        context: &EvictorContext,
    ) -> Result<()> {
        self.0.evict_before(elements, window, context)
    }

    fn evict_after(
        &mut self,
        elements: &mut WindowElements<'_, T>,
        window: &W,
        context: &EvictorContext,
    ) -> Result<()> {
        self.0.evict_after(elements, window, context)
    }
}
