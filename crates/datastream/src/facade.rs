//! The modules of other crates under the names that programs use: `flott::datastream::window` and others.

/// Accumulators: values summed over all subtasks of a job.
pub mod accumulator {
    pub use flott_function::accumulator::*;

    pub use crate::totals::Totals;
}

/// Values of users' types as arrow columns, and the hash of keys.
pub mod codec {
    pub use flott_values::{ColumnCodec, key_hash};
}

pub mod sink {
    //! Sinks of values.
    //!
    //! Each implements [`Consumes<T>`](flott_connector::Consumes): it takes batches of `Records<T>`. To write
    //! your own sink, use [`flott_connector`], whose header shows how.
    //!
    //! | sink | writes |
    //! |---|---|
    //! | [`PrintSink`] | a line for each value, to standard output or standard error |
    //! | [`FileSink`] | files of any encoding, exactly once |
    //! | [`Files`](super::table::Files) | files of a format, exactly once |
    //! | [`AsyncSink`] | sends batches with an asynchronous function, many at once, with retries; at least once |
    //! | [`FunctionSink`] | calls a function with each value; at least once |
    //! | [`DiscardingSink`] | nothing |

    pub use flott_connector_async_sink::{AsyncSink, AsyncSinkOptions};
    pub use flott_connector_basic::PrintSink;
    pub use flott_connector_collections::{DiscardingSink, FunctionSink};
    pub use flott_connector_text_file::{
        BasePathBucketAssigner, BucketAssigner, BucketContext, DateTimeBucketAssigner, FileSink,
    };
}

pub mod source {
    //! Sources of values.
    //!
    //! Each implements [`Produces<T>`](flott_connector::Produces): its batches are `Records<T>`. To write
    //! your own source, use [`flott_connector`], whose header shows how.
    //!
    //! | source | reads |
    //! |---|---|
    //! | [`CollectionSource`] | values given by the program |
    //! | [`IteratorSource`] | an iterator that can be recreated, on its own thread |
    //! | [`ChannelSource`] | a channel of the standard library, of tokio, or any other one |
    //! | [`SequenceSource`] | a range of numbers |
    //! | [`DataGeneratorSource`] | values computed from their number |
    //! | [`SocketTextSource`] | lines of a TCP connection; nothing is read twice, so a failure loses lines |
    //! | [`TextFileSource`] | lines of existing files, or also of future ones |
    //! | [`Files`](super::table::Files) | files of a format, existing or also future ones |
    //! | [`RateLimited`] | another source with a rate limit |
    //! | [`HybridSource`] | several sources, one after the other |

    pub use flott_connector_collections::{
        Channel, ChannelSource, CollectionSource, DataGeneratorSource, IteratorSource, Received,
        SequenceSource,
    };
    pub use flott_connector_combinators::{HybridSource, RateLimited, Switch};
    pub use flott_connector_socket::SocketTextSource;
    pub use flott_connector_text_file::TextFileSource;
}

/// Keyed and operator state of functions.
pub mod state {
    pub use flott_function::state::{
        AggregatingState, BroadcastAccess, BroadcastState, Key, ListState, MapState, OperatorListState,
        OperatorStateAccess, ReducingState, StateAccess, StateTtlConfig, TtlUpdateType, TtlVisibility,
        ValueState,
    };
}

/// Connectors of tables, and formats, for values of a program.
pub mod table {
    pub use flott_connector_combinators::{TypedSink, TypedSource};

    pub use crate::tables::{Files, TableConnector};
}

/// CEP: patterns of events. See [`flott_function_cep`].
pub mod cep {
    pub use flott_function_cep::condition::Matched;
    pub use flott_function_cep::matches::Match;
    pub use flott_function_cep::pattern::{AfterMatchSkipStrategy, Pattern};
    pub use flott_function_cep::process::{MatchContext, PatternProcessFunction};

    pub use crate::stream::cep::{Cep, PatternInput, PatternStream};
}

/// Windows: buckets of records of one key that produce a result. See [`flott_function_windows`].
pub mod window {
    pub use flott_function_windows::assigner::{
        AssignerContext, EventTimeSessionWindows, GlobalWindows, Merges, ProcessingTimeSessionWindows,
        SlidingEventTimeWindows, SlidingProcessingTimeWindows, TumblingEventTimeWindows,
        TumblingProcessingTimeWindows, WindowAssigner, WindowStagger,
    };
    pub use flott_function_windows::evictor::{
        AnyEvictor, CountEvictor, DeltaEvictor, Evictor, EvictorContext, TimeEvictor, WindowElements,
    };
    pub use flott_function_windows::function::{AllWindowContext, ProcessWindowFunction, WindowContext};
    pub use flott_function_windows::trigger::{
        AnyTrigger, ContinuousEventTimeTrigger, ContinuousProcessingTimeTrigger, CountTrigger, DeltaTrigger,
        EndOfStreamTrigger, EventTimeTrigger, NeverTrigger, OnMergeContext, ProcessingTimeTrigger,
        ProcessingTimeoutTrigger, PurgingTrigger, Trigger, TriggerContext, TriggerResult,
    };
    pub use flott_function_windows::types::{GlobalWindow, NoKey, TimeWindow, Window};

    pub use crate::stream::windowed::{AllWindowedStream, WindowedStream};
}
