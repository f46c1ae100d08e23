//! The connector: its options.

use std::sync::Arc;

use flott_connector::options::SCAN_PARALLELISM;
use flott_connector::{
    AnyOption, Connector, Manual, Options, Source, TableContext, TableOption, WithDefault,
};
use flott_plan::{SourceSpec, TableSpec};
use flott_types::Result;

use crate::source::Nexmark;

const MILLION: u64 = 1_000_000;
const BILLION: u64 = 1_000_000_000;

pub(crate) const EVENTS: TableOption<u64, WithDefault> = TableOption::parsed(
    "events.num",
    "whole number",
    "a number; 0 is without end",
    |text| text.trim().parse().ok(),
    "the number of events; 0 means no end",
)
.or("0");
/// `None` is when the job starts.
pub(crate) const BASE_TIME: TableOption<Option<i64>, WithDefault> = TableOption::parsed(
    "base-time",
    "milliseconds since 1970, or `now`",
    "milliseconds since 1970, or now",
    |text| if text.trim() == "now" { Some(None) } else { text.trim().parse().ok().map(Some) },
    "the time of the first event",
)
.or("1436918400000");
pub(crate) const RATE_LIMITED: TableOption<bool, WithDefault> =
    TableOption::flag("rate.limited", "events come no faster than in event time").or("false");
pub(crate) const FIRST_RATE: TableOption<u64, WithDefault> =
    TableOption::number("first-event.rate", 1, BILLION, "events per second of event time").or("10000");
pub(crate) const NEXT_RATE: TableOption<u64> = TableOption::number(
    "next-event.rate",
    1,
    BILLION,
    "an option of the public benchmark; must be the same as `first-event.rate`",
);
pub(crate) const GROUP_SIZE: TableOption<u64, WithDefault> =
    TableOption::number("out-of-order.group-size", 1, MILLION, "events are shuffled in groups of this size")
        .or("1");
pub(crate) const PERSON_PROPORTION: TableOption<u64, WithDefault> =
    TableOption::number("person.proportion", 1, MILLION, "the share of persons").or("1");
pub(crate) const AUCTION_PROPORTION: TableOption<u64, WithDefault> =
    TableOption::number("auction.proportion", 1, MILLION, "the share of auctions").or("3");
pub(crate) const BID_PROPORTION: TableOption<u64, WithDefault> =
    TableOption::number("bid.proportion", 0, MILLION, "the share of bids").or("46");
pub(crate) const PERSON_SIZE: TableOption<u64, WithDefault> =
    TableOption::size("person.avg-size", "the average size of a person, up to 64 kb").or("200 b");
pub(crate) const AUCTION_SIZE: TableOption<u64, WithDefault> =
    TableOption::size("auction.avg-size", "the average size of an auction, up to 64 kb").or("500 b");
pub(crate) const BID_SIZE: TableOption<u64, WithDefault> =
    TableOption::size("bid.avg-size", "the average size of a bid, up to 64 kb").or("100 b");
pub(crate) const HOT_SELLERS: TableOption<u64, WithDefault> = TableOption::number(
    "auction.hot-ratio.sellers",
    1,
    BILLION,
    "one of this many auctions is not by the hot seller",
)
.or("4");
pub(crate) const HOT_AUCTIONS: TableOption<u64, WithDefault> = TableOption::number(
    "bid.hot-ratio.auctions",
    1,
    BILLION,
    "one of this many bids is not on the hot auction",
)
.or("2");
pub(crate) const HOT_BIDDERS: TableOption<u64, WithDefault> = TableOption::number(
    "bid.hot-ratio.bidders",
    1,
    BILLION,
    "one of this many bids is not by the hot bidder",
)
.or("4");
pub(crate) const SEED: TableOption<i64, WithDefault> = TableOption::parsed(
    "seed",
    "whole number",
    "a whole number of 64 bits",
    |text| text.trim().parse().ok(),
    "selects one of the possible streams of events",
)
.or("0");

/// The connector `nexmark`.
#[derive(Debug, Default)]
pub struct NexmarkConnector;

impl Connector for NexmarkConnector {
    fn name(&self) -> &'static str {
        "nexmark"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[
            &EVENTS,
            &BASE_TIME,
            &RATE_LIMITED,
            &FIRST_RATE,
            &NEXT_RATE,
            &GROUP_SIZE,
            &PERSON_PROPORTION,
            &AUCTION_PROPORTION,
            &BID_PROPORTION,
            &PERSON_SIZE,
            &AUCTION_SIZE,
            &BID_SIZE,
            &HOT_SELLERS,
            &HOT_AUCTIONS,
            &HOT_BIDDERS,
            &SEED,
            &SCAN_PARALLELISM,
        ];
        Manual {
            summary: "The events of the Nexmark benchmark, generated as fast as they are read.",
            details: "\
A source.
A table has the columns `event_type INT`, `person ROW<...>`, `auction ROW<...>`, `bid ROW<...>` of the public benchmark, or as many of them as it needs.
The same options generate the same events, at any parallelism.",
            example: "CREATE TABLE nexmark (
  event_type INT,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3)>,
  at_ AS bid.`dateTime`,
  WATERMARK FOR at_ AS at_ - INTERVAL '4' SECOND
) WITH (
  'connector' = 'nexmark',
  'events.num' = '1000000',
  'first-event.rate' = '10000',
  'next-event.rate' = '10000'
);",
            options: OPTIONS,
        }
    }

    fn source(&self, spec: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(Nexmark::new(spec, options)?))
    }

    fn projects_fields(&self, _: &TableSpec, _: &Options<'_>) -> bool {
        true
    }
}
