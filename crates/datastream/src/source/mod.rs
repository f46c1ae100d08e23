//! Sources of values.
//!
//! Each implements [`Produces<T>`](flott_connector::Produces): its batches are `Records<T>`. One's own source is written against
//! [`flott_connector`], whose header shows how.
//!
//! | source | reads |
//! |---|---|
//! | [`CollectionSource`] | values given by the program |
//! | [`IteratorSource`] | an iterator that can be made again, on a thread of its own |
//! | [`ChannelSource`] | a channel of the standard library, of tokio, or any other one |
//! | [`SequenceSource`] | the numbers from here to there |
//! | [`SocketTextSource`] | lines of a TCP connection; nothing is read twice, so that a failure loses lines |
//! | [`TextFileSource`] | lines of files, those that there are or also those to come |
//! | [`RateLimited`] | another source, so many records a second |
//! | [`HybridSource`] | several sources, one after the other |

mod channel;
mod collection;
mod hybrid;
mod inbox;
mod iterator;
mod position;
mod rate_limited;
mod sequence;
mod socket;
mod text_file;

pub use channel::{Channel, ChannelSource, Received};
pub use collection::CollectionSource;
pub use hybrid::{HybridSource, Switch};
pub use iterator::IteratorSource;
pub use rate_limited::RateLimited;
pub use sequence::SequenceSource;
pub use socket::SocketTextSource;
pub use text_file::TextFileSource;
