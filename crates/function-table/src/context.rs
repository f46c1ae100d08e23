//! What a function may use during a call.

use flott_batch::RowKind;
use flott_expr::user::SqlRow;
use flott_function::state::{StateAccess, States};
use flott_plan::ChangelogMode;
use flott_types::{Error, Result, Timestamp, Watermark};

use crate::given::Rows;
use crate::open::Clear;
use crate::timers::Timers;

/// What a [`ProcessTableFunction`](crate::ProcessTableFunction) may use during a call: the states of the key, time and timers, and where its
/// rows go.
pub struct TableContext<'a, O> {
    pub(crate) out: &'a mut Rows<O>,
    pub(crate) states: &'a mut States,
    /// `None` where there can be none.
    pub(crate) timers: Option<&'a mut Timers>,
    pub(crate) clear: &'a [Clear],
    pub(crate) time: Option<Timestamp>,
    pub(crate) watermark: Watermark,
}

impl<O: SqlRow> TableContext<'_, O> {
    /// Gives a row.
    #[inline]
    pub fn collect(&mut self, row: O) {
        self.out.insert(row);
    }

    /// Gives a row that changes what was given before: only a function that declares a changelog can.
    ///
    /// # Errors
    /// If there are no rows of this kind in [`changelog_mode`](Self::changelog_mode).
    #[inline]
    pub fn collect_change(&mut self, kind: RowKind, row: O) -> Result<()> {
        self.out.change(kind, row)
    }

    /// Deletes the row of the key: all columns of the function are NULL.
    ///
    /// # Errors
    /// Unless [`changelog_mode`](Self::changelog_mode) has deletions by the key alone.
    pub fn collect_delete(&mut self) -> Result<()> {
        self.out.delete()
    }

    /// The kinds of changes that the function is to give in this query.
    pub fn changelog_mode(&self) -> ChangelogMode {
        self.out.mode()
    }

    /// The time of the row, in milliseconds since the epoch: what the column named by `on_time` holds; or that of the timer that fires.
    /// `None` if the call has no `on_time`.
    pub fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// The watermark: no row with a time at or below it will follow, unless it is late. `None` if there was none yet.
    pub fn current_watermark(&self) -> Option<Timestamp> {
        (self.watermark.0 != Timestamp::MIN).then_some(self.watermark.0)
    }

    /// Calls `on_timer` for the key of the row when the watermark has reached this time; once, however often it is registered.
    ///
    /// # Errors
    /// Without `on_time`, without a table taken as a set, or if columns are passed through.
    pub fn register_timer(&mut self, at: Timestamp) -> Result<()> {
        let (timers, states) = self.timers()?;
        timers.register(states, at)
    }

    /// The same with a name: a timer of the key with this name is replaced.
    ///
    /// # Errors
    /// As for the other.
    pub fn register_named_timer(&mut self, name: &str, at: Timestamp) -> Result<()> {
        let (timers, states) = self.timers()?;
        timers.register_named(states, name, at)
    }

    /// Deletes a timer without a name. Nothing happens if there is none.
    pub fn clear_timer(&mut self, at: Timestamp) {
        if let Ok((timers, states)) = self.timers() {
            timers.clear(states, at);
        }
    }

    /// Deletes the timer of this name. Nothing happens if there is none.
    pub fn clear_named_timer(&mut self, name: &str) {
        if let Ok((timers, states)) = self.timers() {
            timers.clear_named(states, name);
        }
    }

    /// Deletes all timers of the key.
    pub fn clear_all_timers(&mut self) {
        if let Ok((timers, states)) = self.timers() {
            timers.clear_all(states);
        }
    }

    /// Clears all states of the key.
    pub fn clear_all_state(&mut self) {
        self.clear.iter().for_each(|clear| clear(self.states));
    }

    /// Clears all states and timers of the key.
    pub fn clear_all(&mut self) {
        self.clear_all_state();
        self.clear_all_timers();
    }

    fn timers(&mut self) -> Result<(&mut Timers, &mut States)> {
        match &mut self.timers {
            Some(timers) => Ok((timers, self.states)),
            None => Err(Error::invalid(
                "timers need a table that is taken as a set and does not pass its columns through, and a call with \
                 on_time => DESCRIPTOR(...)",
            )),
        }
    }
}

impl<O> StateAccess for TableContext<'_, O> {
    fn states(&self) -> &States {
        self.states
    }

    fn states_mut(&mut self) -> &mut States {
        self.states
    }
}
