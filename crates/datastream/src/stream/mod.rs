//! Streams of values of one type.

// First of all, so that its documentation begins with what every program uses.
mod data_stream;

mod keyed;

mod sink;

mod async_io;
mod broadcast;
pub(crate) mod cep;
mod collect;
mod connected;
mod custom;
mod full_window;
mod interval_join;
mod partition;
mod rich;
mod tagged_union;
pub(crate) mod transform;
mod window_join;
pub(crate) mod windowed;

pub use broadcast::{BroadcastConnectedStream, KeyedBroadcastConnectedStream};
pub use collect::{CollectAsync, Collected, CollectedStream};
pub use connected::{ConnectedStreams, KeyedConnectedStreams};
pub use data_stream::DataStream;
pub use full_window::{KeyedPartitionWindowedStream, Order, PartitionWindowedStream};
pub use interval_join::{IntervalJoin, IntervalJoined};
pub use keyed::KeyedStream;
pub use sink::DataStreamSink;
pub use tagged_union::TaggedUnion;
pub use window_join::{
    CoGroupedStreams, JoinedStreams, Joining, JoiningKeyed, JoiningWhere, WindowedJoining,
};
