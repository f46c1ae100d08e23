//! Keeps the elements that are close to the last one.

use flott_types::Result;

use super::{Evictor, EvictorContext, WindowElements};

/// Removes the elements whose distance to the last one is a threshold or more.
#[derive(Clone, Debug)]
pub struct DeltaEvictor<F> {
    threshold: f64,
    delta: F,
    after: bool,
}

impl<F> DeltaEvictor<F> {
    /// `delta` says how far an element is from the last one (its second argument).
    pub fn of<T>(threshold: f64, delta: F) -> Self
    where
        F: Fn(&T, &T) -> f64,
    {
        DeltaEvictor { threshold, delta, after: false }
    }

    /// Removes them after the function has seen them.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.after = true;
        self
    }

    fn evict<T>(&self, elements: &mut WindowElements<'_, T>)
    where
        F: Fn(&T, &T) -> f64,
    {
        let Some((last, _)) = elements.iter().next_back() else { return };
        let near: Vec<bool> =
            elements.iter().map(|(value, _)| (self.delta)(value, last) < self.threshold).collect();
        let mut near = near.into_iter();
        elements.retain(|_, _| near.next().unwrap_or(true));
    }
}

impl<T, W, F> Evictor<T, W> for DeltaEvictor<F>
where
    F: Fn(&T, &T) -> f64 + Send + 'static,
{
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
