//! What a window evicts when it fires.

mod any;
mod count;
mod delta;
mod elements;
mod time;

use flott_types::{Result, Timestamp, Watermark};

pub use any::AnyEvictor;
pub use count::CountEvictor;
pub use delta::DeltaEvictor;
pub use elements::WindowElements;
pub(super) use elements::known;
pub use time::TimeEvictor;

/// Removes elements from a window that fires, before or after the function sees them. Removed elements stay
/// removed in later firings.
///
/// ```
/// # use flott_datastream::window::*;
/// # use flott_datastream::Result;
/// /// The function sees no negative numbers.
/// #[derive(Clone)]
/// struct Positive;
///
/// impl<W: Window> Evictor<i64, W> for Positive {
///     fn evict_before(
///         &mut self,
///         elements: &mut WindowElements<'_, i64>,
///         _: &W,
///         _: &EvictorContext,
///     ) -> Result<()> {
///         elements.retain(|value, _| *value >= 0);
///         Ok(())
///     }
/// }
/// ```
pub trait Evictor<T, W>: Send + 'static {
    /// Before the function sees the elements.
    ///
    /// # Errors
    /// An error fails the task.
    fn evict_before(
        &mut self,
        elements: &mut WindowElements<'_, T>,
        window: &W,
        context: &EvictorContext,
    ) -> Result<()> {
        let _ = (elements, window, context);
        Ok(())
    }

    /// After the function has seen the elements.
    ///
    /// # Errors
    /// An error fails the task.
    fn evict_after(
        &mut self,
        elements: &mut WindowElements<'_, T>,
        window: &W,
        context: &EvictorContext,
    ) -> Result<()> {
        let _ = (elements, window, context);
        Ok(())
    }
}

/// What an [`Evictor`] can use besides the elements.
#[derive(Clone, Copy, Debug)]
pub struct EvictorContext {
    /// The watermark: no record with a timestamp at or below it will follow, unless it is late.
    pub current_watermark: Watermark,
    /// The time by the clock.
    pub current_processing_time: Timestamp,
}
