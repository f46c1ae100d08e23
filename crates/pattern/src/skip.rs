//! What happens after a match.

/// Which partial matches a match ends, and which of their matches are not reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Skip {
    /// None.
    Nothing,
    /// Those that began with its first row, or before.
    ToNextRow,
    /// Those that began with one of its rows, or before.
    PastLastRow,
    /// Those that began before the first row of this variable.
    ToFirst(usize),
    /// Those that began before the last row of this variable.
    ToLast(usize),
}
