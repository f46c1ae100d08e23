//! What the options of a table say about its events.

use flott_connector::Options;
use flott_types::{Error, Result};

use crate::tables::POOL;

/// 2015-07-15 00:00:00
pub(crate) const BASE_TIME: i64 = 1_436_918_400_000;

/// How many auctions are open at a time.
pub(crate) const AUCTIONS_IN_FLIGHT: u64 = 100;

/// What the events are like. `benchmarks/generator.md` explains the numbers; the default is that of the options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Which events of all that could be.
    pub seed: i64,
    /// The time of the first event in milliseconds.
    pub base_time: i64,
    /// Events for each second of event time.
    pub rate: u64,
    /// So many events come out of order.
    pub group_size: u64,
    /// Of `person_proportion + auction_proportion + bid_proportion` events, so many are persons,
    pub person_proportion: u64,
    /// auctions,
    pub auction_proportion: u64,
    /// and bids.
    pub bid_proportion: u64,
    /// The average sizes in bytes of a person,
    pub person_size: u64,
    /// of an auction,
    pub auction_size: u64,
    /// and of a bid.
    pub bid_size: u64,
    /// One of so many auctions is not by the hot seller.
    pub hot_sellers: u64,
    /// One of so many bids is not on the hot auction,
    pub hot_auctions: u64,
    /// and is not by the hot bidder.
    pub hot_bidders: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            seed: 0,
            base_time: BASE_TIME,
            rate: 10_000,
            group_size: 1,
            person_proportion: 1,
            auction_proportion: 3,
            bid_proportion: 46,
            person_size: 200,
            auction_size: 500,
            bid_size: 100,
            hot_sellers: 4,
            hot_auctions: 2,
            hot_bidders: 4,
        }
    }
}

impl Config {
    /// Reads the options of a table, `base-time` apart.
    pub(crate) fn from_options(options: &mut Options<'_>) -> Result<Self> {
        let default = Config::default();
        let rate = number(options, "first-event.rate", default.rate, 1, 1_000_000_000)?;
        let next = number(options, "next-event.rate", rate, 1, 1_000_000_000)?;
        if next != rate {
            return Err(Error::unsupported(format!(
                "events whose rate changes: 'first-event.rate' is {rate} and 'next-event.rate' is {next}; write the same for both"
            )));
        }
        let group_size = number(options, "out-of-order.group-size", default.group_size, 1, 1_000_000)?;
        if group_size % 953 == 0 {
            let expected = "no multiple of 953, by which events are shuffled";
            return Err(options.wrong("out-of-order.group-size", &group_size.to_string(), expected));
        }
        let mut proportion = |kind: &str, default, min| {
            number(options, &format!("{kind}.proportion"), default, min, 1_000_000)
        };
        let person_proportion = proportion("person", default.person_proportion, 1)?;
        let auction_proportion = proportion("auction", default.auction_proportion, 1)?;
        let bid_proportion = proportion("bid", default.bid_proportion, 0)?;
        let mut hot = |key: &str, default| number(options, key, default, 1, 1_000_000_000);
        Ok(Config {
            rate,
            group_size,
            person_proportion,
            auction_proportion,
            bid_proportion,
            hot_sellers: hot("auction.hot-ratio.sellers", default.hot_sellers)?,
            hot_auctions: hot("bid.hot-ratio.auctions", default.hot_auctions)?,
            hot_bidders: hot("bid.hot-ratio.bidders", default.hot_bidders)?,
            person_size: size(options, "person.avg-size", default.person_size)?,
            auction_size: size(options, "auction.avg-size", default.auction_size)?,
            bid_size: size(options, "bid.avg-size", default.bid_size)?,
            seed: options.parsed("seed", "a whole number of 64 bits")?.unwrap_or(default.seed),
            base_time: default.base_time,
        })
    }

    /// After so many events it starts again with a person.
    pub fn total(&self) -> u64 {
        self.person_proportion + self.auction_proportion + self.bid_proportion
    }

    /// The number of the event that comes at a place of the stream.
    pub fn number(&self, place: u64) -> u64 {
        let first = place / self.group_size * self.group_size;
        first + place.wrapping_mul(953) % self.group_size
    }

    /// How long after the first event an event is, in milliseconds.
    pub fn elapsed(&self, number: u64) -> i64 {
        (number.wrapping_mul(1_000) / self.rate) as i64
    }
}

fn number(options: &mut Options<'_>, key: &str, default: u64, min: u64, max: u64) -> Result<u64> {
    let expected = format!("a number from {min} to {max}");
    let number = options.parsed::<u64>(key, &expected)?.unwrap_or(default);
    if (min..=max).contains(&number) {
        return Ok(number);
    }
    Err(options.wrong(key, &number.to_string(), &expected))
}

fn size(options: &mut Options<'_>, key: &str, default: u64) -> Result<u64> {
    let size = options.bytes(key)?.unwrap_or(default);
    if size <= POOL as u64 {
        return Ok(size);
    }
    Err(options.wrong(key, &size.to_string(), "at most 64 kb"))
}
