//! Keeps the most recent elements.

use std::time::Duration;

use flott_types::Result;

use super::{Evictor, EvictorContext, WindowElements};

/// Keeps the elements that are younger than a time before the youngest, by their timestamps. Elements without
/// timestamps stay.
#[derive(Clone, Copy, Debug)]
pub struct TimeEvictor {
    keep: i64,
    after: bool,
}

impl TimeEvictor {
    /// Keeps this long, and removes the others before the function sees them.
    pub fn of(keep: Duration) -> Self {
        TimeEvictor { keep: i64::try_from(keep.as_millis()).unwrap_or(i64::MAX), after: false }
    }

    /// Removes them after the function has seen them.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.after = true;
        self
    }

    fn evict<T>(self, elements: &mut WindowElements<'_, T>) {
        let Some(youngest) = elements.iter().filter_map(|(_, timestamp)| timestamp).max() else { return };
        let gone = youngest.saturating_sub(self.keep);
        elements.retain(|_, timestamp| timestamp.is_none_or(|timestamp| timestamp > gone));
    }
}

impl<T, W> Evictor<T, W> for TimeEvictor {
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
