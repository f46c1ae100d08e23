//! Events in the order in which they come, in runs of one kind.

use crate::Config;

/// What an event is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Somebody new.
    Person,
    /// Something to sell.
    Auction,
    /// A bid on an auction.
    Bid,
}

impl Kind {
    /// `event_type`
    pub fn code(self) -> i32 {
        self as i32
    }
}

/// Events of one kind with consecutive numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The position of the first one among the requested events.
    pub row: usize,
    /// How many there are.
    pub len: usize,
    /// The number of the first one.
    pub number: u64,
    /// What they are.
    pub kind: Kind,
    /// The latest person when the first one comes, counted from 0. A person is its own.
    pub last_person: i64,
    /// The latest auction when the first one comes, counted from 0. An auction is its own.
    pub last_auction: i64,
}

impl Run {
    /// The numbers of its events.
    pub fn numbers(&self) -> std::ops::Range<u64> {
        self.number..self.number + self.len as u64
    }

    /// The places of its events.
    pub fn rows(&self) -> std::ops::Range<usize> {
        self.row..self.row + self.len
    }
}

/// Adds the runs of the events at the positions `from..to` of the stream to `runs`, the first of them with
/// the row `row`.
pub(crate) fn runs_of(config: &Config, from: u64, to: u64, row: usize, runs: &mut Vec<Run>) {
    if config.group_size == 1 {
        return consecutive(config, from, to - from, row, runs);
    }
    for (at, place) in (from..to).enumerate() {
        consecutive(config, config.number(place), 1, row + at, runs);
    }
}

fn consecutive(config: &Config, mut number: u64, mut count: u64, mut row: usize, runs: &mut Vec<Run>) {
    let Config { person_proportion: persons, auction_proportion: auctions, .. } = *config;
    let total = config.total();
    let mut epoch = number / total;
    let mut offset = number % total;
    while count > 0 {
        let (kind, end) = if offset < persons {
            (Kind::Person, persons)
        } else if offset < persons + auctions {
            (Kind::Auction, persons + auctions)
        } else {
            (Kind::Bid, total)
        };
        let len = (end - offset).min(count);
        let last_person = epoch * persons + offset.min(persons - 1);
        // Nobody asks for the latest auction of a person.
        let last_auction = epoch * auctions + offset.saturating_sub(persons).min(auctions - 1);
        runs.push(Run {
            row,
            len: len as usize,
            number,
            kind,
            last_person: last_person as i64,
            last_auction: last_auction as i64,
        });
        number += len;
        row += len as usize;
        count -= len;
        offset += len;
        if offset == total {
            offset = 0;
            epoch += 1;
        }
    }
}
