//! Operators whose work continues elsewhere.

/// How much input an operator has accepted but not processed, because it waits for others (asynchronous
/// requests). The snapshot contains that input; this only tells the task what it may do meanwhile.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Backlog {
    /// Nothing.
    #[default]
    None,
    /// Some: at the end of the input, the task waits until it has been processed.
    Open,
    /// So much that the task must not deliver more batches until there is room. Messages, watermarks and
    /// barriers that are not behind batches continue to flow.
    Full,
}
