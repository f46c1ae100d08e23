//! Sources and sinks within the process: collections, iterators, channels and sequences; a function, or
//! nothing.
//!
//! They carry values of a program, not rows: batches are [`Records`](flott_batch::Records).
//!
//! | source | reads |
//! |---|---|
//! | [`CollectionSource`] | values given by the program |
//! | [`IteratorSource`] | an iterator that can be recreated, on its own thread |
//! | [`ChannelSource`] | a channel of the standard library, of tokio, or any other one |
//! | [`SequenceSource`] | a range of numbers |
//! | [`DataGeneratorSource`] | values computed from their number |
//!
//! | sink | writes |
//! |---|---|
//! | [`FunctionSink`] | calls a function with each value; at least once |
//! | [`DiscardingSink`] | nothing |
//!
//! In checkpoints, collections, iterators and sequences are ranges of positions (`position`), and reading
//! resumes from there. A channel has no positions: its values are gone once received, so a failure loses
//! those since the last checkpoint.

mod channel;
mod collection;
mod discarding;
mod function;
mod generator;
mod inbox;
mod iterator;
mod position;
mod sequence;

pub use channel::{Channel, ChannelSource, Received};
pub use collection::CollectionSource;
pub use discarding::DiscardingSink;
pub use function::FunctionSink;
pub use generator::DataGeneratorSource;
pub use iterator::IteratorSource;
pub use sequence::SequenceSource;
