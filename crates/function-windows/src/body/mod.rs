//! What windows keep of their records, and what they compute from it when they fire.

mod element_column;
mod elements;
mod fold;
mod folded;
mod next;

use flott_state::StateColumn;
use flott_types::{Result, Timestamp};

pub(crate) use element_column::ElementColumn;
pub use elements::Elements;
pub use fold::{AggregateFold, Fold, FoldElements, InPlace, ReduceFold};
pub use folded::Folded;
pub use next::{ApplyFunction, Next, OnResult, PassOn};

use crate::function::WindowContext;
use flott_function::life_cycle;
use flott_function::runtime_context::RuntimeContext;

/// The name of the state with the contents of windows.
pub(crate) const CONTENTS: &str = "window-contents";

/// The contents of an operator's windows, by slot, and the window function.
pub trait Body<K, T, W>: Send + 'static {
    /// What is put out.
    type Out;

    life_cycle!();

    /// Lets the function declare state per window.
    fn open_window_state(&mut self, context: &mut RuntimeContext<'_>) -> Result<()>;

    /// The contents as a state.
    fn column(&self) -> &dyn StateColumn;

    /// As [`Body::column`].
    fn column_mut(&mut self) -> &mut dyn StateColumn;

    /// Adds a record to a window.
    fn add(&mut self, slot: u32, value: T, timestamp: Option<Timestamp>);

    /// Whether a window has nothing.
    fn is_empty(&self, slot: u32) -> bool;

    /// Whether the last snapshot contains anything of the window.
    fn is_persisted(&self, slot: u32) -> bool;

    /// Moves the contents of one window to another.
    fn merge(&mut self, into: u32, from: u32);

    /// Discards the contents of a window.
    fn clear(&mut self, slot: u32);

    /// Calls the function.
    fn fire(&mut self, slot: u32, context: &mut WindowContext<'_, K, W, Self::Out>) -> Result<()>;

    /// A window is gone.
    fn gone(&mut self, context: &mut WindowContext<'_, K, W, Self::Out>) -> Result<()>;
}
