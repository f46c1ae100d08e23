//! What a user implements.

use flott_expr::user::SqlRow;
use flott_types::Result;

use crate::context::TableContext;
use crate::open::OpenContext;
use crate::row::Row;
use crate::timers::Timer;

/// A function that takes the rows of tables one after the other and gives any number of rows for each
/// (`ProcessTableFunction` in Flink).
///
/// The value given to [`process_table`](crate::process_table) is the prototype: each subtask opens a clone of it. What it must remember
/// goes into states, which are restored; its own fields are not.
///
/// ```
/// use flott_expr::user::FunctionDefinition;
/// use flott_function::state::ValueState;
/// use flott_function_table::{
///     Column, OpenContext, ProcessTableFunction, Row, TableArgument, TableContext, Timer, process_table,
/// };
/// use flott_types::Result;
///
/// /// Greets everybody, and says goodbye after a minute without a visit.
/// #[derive(Clone, Default)]
/// struct Greeting {
///     name: Column<String>,
///     visits: ValueState<i64>,
/// }
///
/// impl ProcessTableFunction for Greeting {
///     type Out = (String, i64);
///
///     fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
///         self.name = context.column("input", "name")?;
///         self.visits = context.value_state("visits")?;
///         Ok(())
///     }
///
///     fn eval(&mut self, row: &Row<'_>, context: &mut TableContext<'_, Self::Out>) -> Result<()> {
///         let visits = self.visits.get_or_default(context) + 1;
///         self.visits.set(context, visits);
///         context.collect((format!("Hello {}", row.get(self.name)?), visits));
///         if let Some(time) = context.time() {
///             context.register_named_timer("gone", time + 60_000)?;
///         }
///         Ok(())
///     }
///
///     fn on_timer(&mut self, _: &Timer, context: &mut TableContext<'_, Self::Out>) -> Result<()> {
///         let visits = self.visits.get_or_default(context);
///         context.collect(("Goodbye".to_owned(), visits));
///         context.clear_all();
///         Ok(())
///     }
/// }
///
/// let greeting: FunctionDefinition = process_table(Greeting::default())
///     .table(TableArgument::set("input"))
///     .columns(["greeting", "visits"])
///     .into();
/// # let _ = greeting;
/// ```
pub trait ProcessTableFunction: Clone + Send + Sync + 'static {
    /// A row that it gives: a value, or a tuple with a column for each field.
    type Out: SqlRow;

    /// Called before the first row: resolve columns and arguments, declare states.
    ///
    /// # Errors
    /// An error fails the task.
    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// A row of one of its tables. States are those of the row's key.
    ///
    /// # Errors
    /// An error fails the task.
    fn eval(&mut self, row: &Row<'_>, context: &mut TableContext<'_, Self::Out>) -> Result<()>;

    /// A timer of a key fires: the watermark has reached it. States are those of that key.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_timer(&mut self, timer: &Timer, context: &mut TableContext<'_, Self::Out>) -> Result<()> {
        let _ = (timer, context);
        Ok(())
    }

    /// Called last, even if the task fails.
    fn close(&mut self) {}
}
