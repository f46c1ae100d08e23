//! What the options of a table say about its events.

use flott_connector::{Options, TableOption, WithDefault};
use flott_types::{Error, Result};

use crate::connector::{
    AUCTION_PROPORTION, AUCTION_SIZE, BID_PROPORTION, BID_SIZE, FIRST_RATE, GROUP_SIZE, HOT_AUCTIONS,
    HOT_BIDDERS, HOT_SELLERS, NEXT_RATE, PERSON_PROPORTION, PERSON_SIZE, SEED,
};
use crate::tables::POOL;

/// 2015-07-15 00:00:00
pub(crate) const BASE_TIME: i64 = 1_436_918_400_000;

/// How many auctions are open at a time.
pub(crate) const AUCTIONS_IN_FLIGHT: u64 = 100;

/// What the events are like. `benchmarks/generator.md` explains the numbers; the default is that of the
/// options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Which events of all that could be.
    pub seed: i64,
    /// The time of the first event in milliseconds.
    pub base_time: i64,
    /// Events for each second of event time.
    pub rate: u64,
    /// This many events come out of order.
    pub group_size: u64,
    /// Of `person_proportion + auction_proportion + bid_proportion` events, this many are persons,
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
    /// One of this many auctions is not by the hot seller.
    pub hot_sellers: u64,
    /// One of this many bids is not on the hot auction,
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
    pub(crate) fn from_options(options: &Options<'_>) -> Result<Self> {
        let rate = options.get(&FIRST_RATE)?;
        if let Some(next) = options.get(&NEXT_RATE)?.filter(|next| *next != rate) {
            return Err(Error::unsupported(format!(
                "events whose rate changes: 'first-event.rate' is {rate} and 'next-event.rate' is {next}; write the same for both"
            )));
        }
        let group_size = options.get(&GROUP_SIZE)?;
        if group_size % 953 == 0 {
            return Err(options
                .wrong(&GROUP_SIZE, "a number that is not a multiple of 953, by which events are shuffled"));
        }
        let size = |option: &TableOption<u64, WithDefault>| {
            let size = options.get(option)?;
            if size <= POOL as u64 { Ok(size) } else { Err(options.wrong(option, "at most 64 kb")) }
        };
        Ok(Config {
            rate,
            group_size,
            person_proportion: options.get(&PERSON_PROPORTION)?,
            auction_proportion: options.get(&AUCTION_PROPORTION)?,
            bid_proportion: options.get(&BID_PROPORTION)?,
            hot_sellers: options.get(&HOT_SELLERS)?,
            hot_auctions: options.get(&HOT_AUCTIONS)?,
            hot_bidders: options.get(&HOT_BIDDERS)?,
            person_size: size(&PERSON_SIZE)?,
            auction_size: size(&AUCTION_SIZE)?,
            bid_size: size(&BID_SIZE)?,
            seed: options.get(&SEED)?,
            base_time: BASE_TIME,
        })
    }

    /// After this many events it starts again with a person.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use flott_connector::{Connector, Formats};

    use super::*;
    use crate::NexmarkConnector;

    #[test]
    fn the_defaults_of_the_options_are_the_default() {
        let (values, formats) = (BTreeMap::new(), Formats::default());
        let options = Options::new("t", &values, &NexmarkConnector.manual(), &formats);
        assert_eq!(Config::from_options(&options).unwrap(), Config::default());
        assert_eq!(options.get(&crate::connector::BASE_TIME).unwrap(), Some(BASE_TIME));
    }
}
