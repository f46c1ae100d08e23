//! The requests that are used: their keys, their responses, and the newest version of each.
//!
//! From some versions on a request would mean something else: topics by id, several coordinators at once, and
//! the second protocol of transactions, in which a broker changes a producer's epoch at each end, so that an
//! end could not be repeated.

use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Message};

/// A request.
pub(crate) trait Request: Encodable + HeaderVersion + Message {
    /// Its number.
    const KEY: ApiKey;
    /// The newest version that is used.
    const NEWEST: i16;
    /// What is answered.
    type Response: Decodable + HeaderVersion;
}

macro_rules! requests {
    ($($request:ident -> $response:ident, $key:ident, $newest:expr;)*) => {
        $(impl Request for $request {
            const KEY: ApiKey = ApiKey::$key;
            const NEWEST: i16 = $newest;
            type Response = $response;
        })*
    };
}

requests! {
    ProduceRequest -> ProduceResponse, Produce, 9;
    FetchRequest -> FetchResponse, Fetch, 12;
    ListOffsetsRequest -> ListOffsetsResponse, ListOffsets, 7;
    MetadataRequest -> MetadataResponse, Metadata, 9;
    OffsetCommitRequest -> OffsetCommitResponse, OffsetCommit, 8;
    OffsetFetchRequest -> OffsetFetchResponse, OffsetFetch, 7;
    FindCoordinatorRequest -> FindCoordinatorResponse, FindCoordinator, 3;
    SaslHandshakeRequest -> SaslHandshakeResponse, SaslHandshake, 1;
    ApiVersionsRequest -> ApiVersionsResponse, ApiVersions, 3;
    CreateTopicsRequest -> CreateTopicsResponse, CreateTopics, 5;
    DeleteTopicsRequest -> DeleteTopicsResponse, DeleteTopics, 5;
    DeleteRecordsRequest -> DeleteRecordsResponse, DeleteRecords, 2;
    InitProducerIdRequest -> InitProducerIdResponse, InitProducerId, 4;
    AddPartitionsToTxnRequest -> AddPartitionsToTxnResponse, AddPartitionsToTxn, 3;
    EndTxnRequest -> EndTxnResponse, EndTxn, 3;
    DescribeConfigsRequest -> DescribeConfigsResponse, DescribeConfigs, 4;
    SaslAuthenticateRequest -> SaslAuthenticateResponse, SaslAuthenticate, 2;
    CreatePartitionsRequest -> CreatePartitionsResponse, CreatePartitions, 3;
    ListTransactionsRequest -> ListTransactionsResponse, ListTransactions, 0;
}
