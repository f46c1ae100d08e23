//! Sources and sinks within the process: collections, iterators, channels and sequences; a function, or nothing.
//!
//! What a program gives them is values, not rows: batches are [`Records`](flott_batch::Records).
//!
//! | source | reads |
//! |---|---|
//! | [`CollectionSource`] | values given by the program |
//! | [`IteratorSource`] | an iterator that can be made again, on a thread of its own |
//! | [`ChannelSource`] | a channel of the standard library, of tokio, or any other one |
//! | [`SequenceSource`] | the numbers from here to there |
//!
//! | sink | writes |
//! |---|---|
//! | [`FunctionSink`] | what a function does with each value; at least once |
//! | [`DiscardingSink`] | nothing |
//!
//! Collections, iterators and sequences are ranges of numbers to their checkpoints (`position`), read again from where one stands.
//! A channel is not: what it has given is gone, so a failure loses what was taken since the last checkpoint.

mod channel;
mod collection;
mod discarding;
mod function;
mod inbox;
mod iterator;
mod position;
mod sequence;

pub use channel::{Channel, ChannelSource, Received};
pub use collection::CollectionSource;
pub use discarding::DiscardingSink;
pub use function::FunctionSink;
pub use iterator::IteratorSource;
pub use sequence::SequenceSource;
