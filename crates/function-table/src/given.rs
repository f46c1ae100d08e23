//! What a function gives, until it is sent.
//!
//! A function that only inserts pays for the rows alone; what is known of changes stands beside them.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use flott_batch::{RowKind, RowKinds};
use flott_expr::user::SqlRow;
use flott_plan::ChangelogMode;
use flott_types::{Error, Result};

/// Rows that were given, as columns.
pub struct Given {
    /// The columns of the function.
    pub columns: Vec<ArrayRef>,
    /// How the rows change the result; `None` if all are insertions.
    pub kinds: Option<RowKinds>,
    /// The number of the row or timer that each comes from.
    pub origins: Vec<u32>,
}

/// Rows of a function that gives values of this type.
pub(crate) struct Rows<O> {
    rows: Vec<O>,
    /// For a function that changes what it gave.
    changes: Option<Changes>,
}

struct Changes {
    mode: ChangelogMode,
    /// Of each row, also of those without values.
    kinds: Vec<RowKind>,
    /// Those that have no values, in order.
    empty: Vec<usize>,
}

impl<O: SqlRow> Rows<O> {
    pub fn new(mode: ChangelogMode) -> Self {
        let changes =
            (!mode.is_insert_only()).then(|| Changes { mode, kinds: Vec::new(), empty: Vec::new() });
        Rows { rows: Vec::new(), changes }
    }

    pub fn mode(&self) -> ChangelogMode {
        self.changes.as_ref().map_or(ChangelogMode::insert_only(), |changes| changes.mode)
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.changes.as_ref().map_or(self.rows.len(), |changes| changes.kinds.len())
    }

    #[inline]
    pub fn insert(&mut self, row: O) {
        self.rows.push(row);
        if let Some(changes) = &mut self.changes {
            changes.kinds.push(RowKind::Insert);
        }
    }

    pub fn change(&mut self, kind: RowKind, row: O) -> Result<()> {
        let mode = self.mode();
        let known = match kind {
            RowKind::Insert => true,
            RowKind::UpdateBefore => mode.update_before,
            RowKind::UpdateAfter => mode.updates,
            RowKind::Delete => mode.deletes,
        };
        if !known {
            return Err(unknown(kind, mode));
        }
        if let Some(changes) = &mut self.changes {
            changes.kinds.push(kind);
        }
        self.rows.push(row);
        Ok(())
    }

    /// A deletion that has the key alone.
    pub fn delete(&mut self) -> Result<()> {
        let mode = self.mode();
        let Some(changes) = self.changes.as_mut().filter(|_| mode.deletes && mode.key_only_deletes) else {
            return Err(Error::invalid(
                "a deletion by the key alone was given, and deletions have to have all columns here: \
                 `changelog_mode().key_only_deletes` says which are wanted",
            ));
        };
        changes.empty.push(changes.kinds.len());
        changes.kinds.push(RowKind::Delete);
        Ok(())
    }

    /// Takes all of them; they come from these origins.
    pub fn take(&mut self, origins: Vec<u32>) -> Result<Given> {
        let count = self.len();
        let columns = O::columns(std::mem::take(&mut self.rows));
        let Some(changes) = &mut self.changes else { return Ok(Given { columns, kinds: None, origins }) };
        let empty = std::mem::take(&mut changes.empty);
        let kinds = RowKinds::from(std::mem::take(&mut changes.kinds));
        let columns = match empty.is_empty() {
            true => columns,
            false => spread(&columns, &empty, count)?,
        };
        Ok(Given { columns, kinds: Some(kinds), origins })
    }
}

/// The columns with NULL at these places.
fn spread(columns: &[ArrayRef], empty: &[usize], count: usize) -> Result<Vec<ArrayRef>> {
    let (mut empty, mut next) = (empty.iter().peekable(), 0);
    let places = (0..count).map(|at| {
        if empty.next_if_eq(&&at).is_some() {
            return None;
        }
        next += 1;
        Some(next - 1)
    });
    let places: UInt32Array = places.collect();
    let spread = |column: &ArrayRef| {
        take(column, &places, None)
            .map_err(|error| Error::internal("rows cannot be spread").with_source(error))
    };
    columns.iter().map(spread).collect()
}

#[cold]
fn unknown(kind: RowKind, mode: ChangelogMode) -> Error {
    let all = [(true, "+I"), (mode.update_before, "-U"), (mode.updates, "+U"), (mode.deletes, "-D")];
    let known: Vec<&str> = all.into_iter().filter(|(there, _)| *there).map(|(_, symbol)| symbol).collect();
    Error::invalid(format!(
        "a row of the kind {} was given, and the function declares {}: `changelog_mode()` says what is wanted",
        kind.symbol(),
        known.join(", ")
    ))
}
