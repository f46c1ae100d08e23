//! Runs an operator without a task: batches, watermarks, the clock and barriers go in; the output goes to a
//! collector of the test's choice.
//!
//! [`Subtasks`] are the parallel instances of one operator. [`Stored`] is what a snapshot store would contain
//! after their checkpoints: from it the operator continues at any parallelism. Both check what a task and a
//! store rely on: a row belongs to the subtask's key groups and its key group is that of its key, no key
//! occurs twice, and only existing rows are deleted. A violation is an error.
//!
//! A harness for a kind of operator is a facade of these: it defines how tests write batches, which subtask a
//! row belongs to, and how output is read.
//!
//! ```
//! use flott_batch::{Batch, Records, WatermarkStatus};
//! use flott_operator::testing::{Stored, Subtasks, task_info};
//! use flott_operator::{Context, Operator, Output};
//! use flott_types::{Result, Watermark};
//!
//! /// Passes on every other batch.
//! #[derive(Default)]
//! struct EveryOther(bool);
//!
//! impl Operator for EveryOther {
//!     fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
//!         self.0 = !self.0;
//!         if self.0 { context.output.emit(batch) } else { Ok(()) }
//!     }
//! }
//!
//! #[derive(Default)]
//! struct Rows(usize);
//!
//! impl Output for Rows {
//!     fn emit(&mut self, batch: Batch) -> Result<()> {
//!         self.0 += batch.num_rows();
//!         Ok(())
//!     }
//!     fn watermark(&mut self, _: Watermark) -> Result<()> {
//!         Ok(())
//!     }
//!     fn watermark_status(&mut self, _: WatermarkStatus) -> Result<()> {
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<()> {
//! let (mut stored, mut subtasks) = (Stored::default(), Subtasks::new(Rows::default()));
//! subtasks.open(task_info(0, 1, 128), Box::new(EveryOther::default()), &stored)?;
//! for count in 1..=3 {
//!     subtasks.process(0, 0, Records::new(vec![7; count]).into())?;
//! }
//! assert_eq!(subtasks.output.0, 4);
//! assert_eq!(subtasks.checkpoint(&mut stored, false)?, 0);
//! # Ok(())
//! # }
//! ```

mod stored;
mod subtasks;

pub use stored::Stored;
pub use subtasks::{Subtasks, task_info};
