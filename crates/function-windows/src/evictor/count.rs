//! Keeps the last elements.

use flott_types::Result;

use super::{Evictor, EvictorContext, WindowElements};

/// Keeps the last this many elements.
#[derive(Clone, Copy, Debug)]
pub struct CountEvictor {
    max: usize,
    after: bool,
}

impl CountEvictor {
    /// Keeps this many, and removes the others before the function sees them.
    pub fn of(max: usize) -> Self {
        CountEvictor { max, after: false }
    }

    /// Removes them after the function has seen them.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.after = true;
        self
    }

    fn evict<T>(self, elements: &mut WindowElements<'_, T>) {
        elements.remove_first(elements.len().saturating_sub(self.max));
    }
}

impl<T, W> Evictor<T, W> for CountEvictor {
    fn evict_before(
        &mut self,
        elements: &mut WindowElements<'_, T>,
        _: &W,
        _: &EvictorContext,
    ) -> Result<()> {
        if !self.after {
            self.evict(elements);
        }
        Ok(())
    }

    fn evict_after(&mut self, elements: &mut WindowElements<'_, T>, _: &W, _: &EvictorContext) -> Result<()> {
        if self.after {
            self.evict(elements);
        }
        Ok(())
    }
}
