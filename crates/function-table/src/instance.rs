//! A function as its operator sees it: called for rows of a batch, and for timers.

use std::cell::Cell;

use arrow::array::ArrayRef;
use flott_batch::{RowKind, RowKinds};
use flott_function::state::States;
use flott_plan::ChangelogMode;
use flott_types::{Error, Result, Timestamp, Watermark};

use crate::context::TableContext;
use crate::function::ProcessTableFunction;
use crate::given::{Given, Rows};
use crate::open::{Clear, OpenContext};
use crate::row::{Row, Table, Wanted};
use crate::timers::{Timer, Timers};

/// This many rows are given before the operator is asked to send them.
const FULL: usize = 4_096;

/// Rows of one table.
pub struct TableRows<'a> {
    /// Which of the tables.
    pub number: usize,
    /// The table.
    pub table: &'a Table,
    /// What the function reads of it.
    pub wanted: &'a [Wanted],
    /// That, one column for each.
    pub columns: &'a [ArrayRef],
    /// How the rows change the table; `None` if all are insertions.
    pub kinds: Option<&'a RowKinds>,
    /// The time of each row.
    pub times: Option<&'a [Timestamp]>,
    /// The slot of each row's key.
    pub slots: Option<&'a [u32]>,
    /// How many there are.
    pub rows: usize,
}

/// State and timers, and when it is.
pub struct Core<'a> {
    /// The states.
    pub states: &'a mut States,
    /// Timers, where there can be any.
    pub timers: Option<&'a mut Timers>,
    /// How states are cleared.
    pub clear: &'a [Clear],
    /// The watermark.
    pub watermark: Watermark,
}

/// A function that runs in a subtask.
pub trait Instance: Send {
    /// Called first; it is to give changes of these kinds.
    ///
    /// # Errors
    /// That of the function.
    fn open(&mut self, mode: ChangelogMode, context: &mut OpenContext<'_>) -> Result<()>;

    /// Takes rows from one on until it has given many; returns the first that it has not taken. The cell says which row is being taken.
    ///
    /// # Errors
    /// That of the function.
    fn eval(&mut self, rows: &TableRows<'_>, from: usize, core: Core<'_>, at: &Cell<usize>) -> Result<usize>;

    /// A timer fires; its number is the origin of what is given.
    ///
    /// # Errors
    /// That of the function.
    fn on_timer(&mut self, timer: &Timer, number: u32, core: Core<'_>) -> Result<()>;

    /// Whether many rows were given.
    fn is_full(&self) -> bool;

    /// Takes the rows that were given.
    ///
    /// # Errors
    /// If they cannot be made columns.
    fn take(&mut self) -> Result<Given>;

    /// Called last.
    fn close(&mut self);
}

/// A function with what it has given.
pub(crate) struct Running<F: ProcessTableFunction> {
    function: F,
    out: Rows<F::Out>,
    origins: Vec<u32>,
}

impl<F: ProcessTableFunction> Running<F> {
    pub fn new(function: F) -> Self {
        Running { function, out: Rows::new(ChangelogMode::insert_only()), origins: Vec::new() }
    }
}

impl<F: ProcessTableFunction> Instance for Running<F> {
    fn open(&mut self, mode: ChangelogMode, context: &mut OpenContext<'_>) -> Result<()> {
        self.out = Rows::new(mode);
        self.function.open(context)
    }

    fn eval(&mut self, rows: &TableRows<'_>, from: usize, core: Core<'_>, at: &Cell<usize>) -> Result<usize> {
        let Core { states, mut timers, clear, watermark } = core;
        let Running { function, out, origins } = self;
        for row in from..rows.rows {
            at.set(row);
            if let Some(slots) = rows.slots {
                states.slot = slots[row];
            }
            let kind = rows.kinds.map_or(RowKind::Insert, |kinds| kinds.get(row));
            let TableRows { number, table, wanted, columns, .. } = *rows;
            let given = Row { number, table, wanted, columns, row, kind };
            let time = rows.times.map(|times| times[row]);
            let timers = timers.as_deref_mut();
            function.eval(&given, &mut TableContext { out, states, timers, clear, time, watermark })?;
            if out.len() > origins.len() {
                origins.resize(out.len(), row as u32);
                if out.len() >= FULL {
                    return Ok(row + 1);
                }
            }
        }
        Ok(rows.rows)
    }

    fn on_timer(&mut self, timer: &Timer, number: u32, core: Core<'_>) -> Result<()> {
        let Core { states, timers, clear, watermark } = core;
        let Running { function, out, origins } = self;
        states.slot = timer.slot;
        let time = Some(timer.at);
        let called =
            function.on_timer(timer, &mut TableContext { out, states, timers, clear, time, watermark });
        called.map_err(|error: Error| error.context("when a timer fired"))?;
        origins.resize(out.len(), number);
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.out.len() >= FULL
    }

    fn take(&mut self) -> Result<Given> {
        self.out.take(std::mem::take(&mut self.origins))
    }

    fn close(&mut self) {
        self.function.close();
    }
}
