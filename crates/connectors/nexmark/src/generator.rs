//! What each field of an event is.

use crate::config::AUCTIONS_IN_FLIGHT;
use crate::price::Prices;
use crate::random::{Stream, below, below16, hi, lo, quarter};
use crate::run::runs_of;
use crate::tables::{CHANNELS, POOL, Tables, tables};
use crate::{Choice, Config, Field, Kind, Run};

const FIRST_ID: i64 = 1_000;
const FIRST_CATEGORY: i64 = 10;
const CATEGORIES: u64 = 5;
/// How many people are active as sellers and bidders at a time.
const ACTIVE_PEOPLE: i64 = 1_000;
/// Ids this far ahead of the latest are chosen as well, so that some events seem to be out of order.
const LEAD: i64 = 10;
/// One of this many auctions and people is a hot one.
const HOT: i64 = 100;

pub(crate) const FIRST_NAMES: [&str; 11] =
    ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"];
pub(crate) const LAST_NAMES: [&str; 9] =
    ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];
pub(crate) const CITIES: [&str; 10] = [
    "Phoenix",
    "Los Angeles",
    "San Francisco",
    "Boise",
    "Portland",
    "Bend",
    "Redmond",
    "Seattle",
    "Kent",
    "Cheyenne",
];
pub(crate) const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];

/// Generates the fields of events, each independently.
#[derive(Clone)]
pub struct Generator {
    config: Config,
    pub(crate) tables: &'static Tables,
}

impl Generator {
    /// The events that are so.
    pub fn new(config: Config) -> Self {
        Generator { config, tables: tables() }
    }

    /// What they are like.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The random numbers of a field.
    pub fn stream(&self, kind: Kind, field: Field) -> Stream {
        Stream::new(self.config.seed as u64, field.stream(kind))
    }

    /// Appends the events at the positions `from..to` of the stream to `runs`; the first of them has the row
    /// `row`.
    pub fn runs(&self, from: u64, to: u64, row: usize, runs: &mut Vec<Run>) {
        runs_of(&self.config, from, to, row, runs);
    }

    /// The time of an event in milliseconds.
    #[inline]
    pub fn time(&self, number: u64) -> i64 {
        self.config.base_time + self.config.elapsed(number)
    }

    /// Prices of bids, or those behind `initialBid` and `reserve`.
    pub fn prices(&self, kind: Kind, field: Field) -> Prices {
        Prices::new(self.stream(kind, field))
    }

    /// The auctions that the bids of a run choose from.
    #[inline]
    pub fn auctions(&self, run: &Run) -> Choice {
        let first = (run.last_auction - AUCTIONS_IN_FLIGHT as i64).max(0);
        Choice {
            ratio: self.config.hot_auctions,
            hot: FIRST_ID + run.last_auction / HOT * HOT,
            first: FIRST_ID + first,
            count: (run.last_auction - first + 1 + LEAD) as u64,
        }
    }

    /// The people that the bids of a run choose from.
    #[inline]
    pub fn bidders(&self, run: &Run) -> Choice {
        self.people(run, self.config.hot_bidders, 1)
    }

    /// The people that the auctions of a run choose from.
    #[inline]
    pub fn sellers(&self, run: &Run) -> Choice {
        self.people(run, self.config.hot_sellers, 0)
    }

    fn people(&self, run: &Run, ratio: u64, hot: i64) -> Choice {
        let people = run.last_person + 1;
        let active = people.min(ACTIVE_PEOPLE);
        Choice {
            ratio,
            hot: FIRST_ID + run.last_person / HOT * HOT + hot,
            first: FIRST_ID + people - active,
            count: (active + LEAD) as u64,
        }
    }

    /// `extra` of a bid, from its random number.
    #[inline]
    pub fn bid_extra(&self, random: u64) -> &'static [u8] {
        let (start, len) = Padding::of_bid(&self.config).slice(random);
        &self.tables.letters[start..start + len]
    }

    /// The ids of the persons or auctions of a run: this one and those that follow.
    pub fn first_id(run: &Run) -> i64 {
        FIRST_ID + if run.kind == Kind::Person { run.last_person } else { run.last_auction }
    }

    /// When an auction ends, in milliseconds.
    pub fn expires(&self, number: u64, random: u64) -> i64 {
        let ahead = AUCTIONS_IN_FLIGHT * self.config.total() / self.config.auction_proportion;
        let horizon = self.config.elapsed(number + ahead) - self.config.elapsed(number);
        let longest = (2 * horizon).clamp(1, i64::from(i32::MAX));
        self.time(number) + 1 + below(hi(random), longest as u64) as i64
    }

    /// The category of an auction, from its random number.
    pub fn category(random: u64) -> i64 {
        FIRST_CATEGORY + below(hi(random), CATEGORIES) as i64
    }

    /// The channel and the URL of a bid, from its random number.
    #[inline]
    pub fn channel_and_url(&self, random: u64) -> [&'static [u8]; 2] {
        let at = Self::channel(random);
        [self.tables.channels.get(at), self.tables.urls.get(at)]
    }

    /// `extra` of an auction, from its random number.
    pub fn auction_extra(&self, number: u64, random: u64) -> &'static [u8] {
        let draw = |field| self.stream(Kind::Auction, field).draw(number);
        let texts = [self.item_name(draw(Field::ItemName)), self.description(draw(Field::Description))];
        let size = 48 + texts.iter().map(|text| text.len()).sum::<usize>();
        let (start, len) = Padding::new(self.config.auction_size, size as u64).slice(random);
        &self.tables.letters[start..start + len]
    }

    /// The position of a bid's channel and URL in the tables.
    #[inline(always)]
    pub(crate) fn channel(random: u64) -> usize {
        let hot = CHANNELS + ((random >> 61) & 3);
        let any = below(lo(random), CHANNELS);
        (if random >> 63 == 1 { hot } else { any }) as usize
    }

    /// First and last name of a person, from its random number.
    pub fn name(random: u64) -> [&'static str; 2] {
        let first = below(hi(random), FIRST_NAMES.len() as u64) as usize;
        let last = below(lo(random), LAST_NAMES.len() as u64) as usize;
        [FIRST_NAMES[first], LAST_NAMES[last]]
    }

    /// The parts before and after the @.
    pub(crate) fn email(&self, random: u64) -> [&'static [u8]; 2] {
        let user = self.text(quarter(random, 1), 3 + below16(quarter(random, 0), 4));
        let domain = self.text(quarter(random, 3), 3 + below16(quarter(random, 2), 2));
        [user, domain]
    }

    /// Four groups of four digits.
    pub(crate) fn credit_card(random: u64) -> [u8; 19] {
        let mut card = [b' '; 19];
        for part in 0..4u32 {
            let mut group = below16(quarter(random, part), 10_000);
            let start = 5 * part as usize;
            for digit in card[start..start + 4].iter_mut().rev() {
                *digit = b'0' + (group % 10) as u8;
                group /= 10;
            }
        }
        card
    }

    /// The city of a person, from its random number.
    pub fn city(random: u64) -> &'static str {
        CITIES[below(hi(random), CITIES.len() as u64) as usize]
    }

    /// The state of a person, from its random number.
    pub fn state(random: u64) -> &'static str {
        STATES[below(hi(random), STATES.len() as u64) as usize]
    }

    /// The name of an auction's item, from its random number.
    pub fn item_name(&self, random: u64) -> &'static [u8] {
        self.text(random & 0xffff, 3 + below(hi(random), 17))
    }

    /// The description of an auction, from its random number.
    pub fn description(&self, random: u64) -> &'static [u8] {
        self.text(random & 0xffff, 3 + below(hi(random), 97))
    }

    /// A piece of text without spaces at its ends.
    fn text(&self, start: u64, len: u64) -> &'static [u8] {
        self.tables.text[start as usize..(start + len) as usize].trim_ascii()
    }
}

/// The length of an event's padding: what is missing to the average size, plus or minus a fifth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Padding {
    shortest: u64,
    spread: u64,
}

impl Padding {
    /// For events that already have `size` bytes.
    #[inline]
    pub(crate) fn new(average: u64, size: u64) -> Self {
        let missing = average.saturating_sub(size);
        let delta = (2 * missing + 5) / 10;
        Padding { shortest: missing - delta, spread: (2 * delta).max(1) }
    }

    /// For bids.
    #[inline]
    pub(crate) fn of_bid(config: &Config) -> Self {
        Padding::new(config.bid_size, 32)
    }

    /// Its offset in the letters, and its length.
    #[inline(always)]
    pub(crate) fn slice(self, random: u64) -> (usize, usize) {
        let len = self.shortest + below(hi(random), self.spread);
        (random as usize % POOL, len as usize)
    }
}
