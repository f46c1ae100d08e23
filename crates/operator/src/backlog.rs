//! Operators whose work continues elsewhere.

/// How much an operator has taken in and not dealt with, because it waits for others (asynchronous requests).
/// What it is, the snapshot holds; here it only says what the task may do meanwhile.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Backlog {
    /// Nothing.
    #[default]
    None,
    /// Something: when the input has ended, the task waits with the end until it is dealt with.
    Open,
    /// So much that the task is to bring no more batches until there is room. Messages, watermarks and
    /// barriers that are not behind batches go on.
    Full,
}
