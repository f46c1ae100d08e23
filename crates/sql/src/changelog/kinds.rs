//! Kinds of changes.

use std::fmt;

use flott_connector::Changelog;

/// What happens to rows of a relation after they were inserted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Kinds {
    /// Rows are updated.
    pub updates: bool,
    /// Rows are deleted.
    pub deletes: bool,
}

impl Kinds {
    /// Rows come and stay.
    pub const INSERTS: Kinds = Kinds { updates: false, deletes: false };
    /// Everything.
    pub const ALL: Kinds = Kinds { updates: true, deletes: true };

    /// Those of a table that is read.
    pub fn of_source(changelog: Changelog) -> Kinds {
        match changelog {
            Changelog::InsertOnly => Kinds::INSERTS,
            Changelog::Upsert | Changelog::Retract => Kinds::ALL,
        }
    }

    /// Whether rows come and stay.
    pub fn is_insert_only(self) -> bool {
        self == Kinds::INSERTS
    }

    /// What happens in either of two relations.
    #[must_use]
    pub fn or(self, other: Kinds) -> Kinds {
        Kinds { updates: self.updates || other.updates, deletes: self.deletes || other.deletes }
    }

    /// The kinds beyond insertions, as messages name them.
    pub fn beyond_inserts(self) -> &'static str {
        match (self.updates, self.deletes) {
            (true, false) => "update",
            (false, true) => "delete",
            (true, true) | (false, false) => "update and delete",
        }
    }
}

/// The kinds of rows that an operator emits, as EXPLAIN shows them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A sink: it emits nothing.
    Nothing,
    /// The others.
    Rows {
        /// +U
        updates: bool,
        /// -U
        before: bool,
        /// -D
        deletes: bool,
    },
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mode::Rows { updates, before, deletes } = *self else { return f.write_str("NONE") };
        f.write_str("I")?;
        let others = [(updates && before, ",UB"), (updates, ",UA"), (deletes, ",D")];
        others.into_iter().filter(|(there, _)| *there).try_for_each(|(_, name)| f.write_str(name))
    }
}
