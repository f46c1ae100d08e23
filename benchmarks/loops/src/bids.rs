//! The events, run by run.

use flott_connector_nexmark::{Config, Field, Generator, Kind, Run, Stream};

/// The first this many events, of which the bids are wanted.
pub struct Bids {
    /// Makes them.
    pub generator: Generator,
    /// What auctions are chosen by,
    pub auction: Stream,
    /// and bidders,
    pub bidder: Stream,
    /// and padding.
    pub extra: Stream,
    events: u64,
}

/// Runs are made for this many events at a time.
const CHUNK: u64 = 5_000;

impl Bids {
    pub fn new(config: Config, events: u64) -> Self {
        let generator = Generator::new(config);
        let stream = |field| generator.stream(Kind::Bid, field);
        let (auction, bidder, extra) = (stream(Field::Auction), stream(Field::Bidder), stream(Field::Extra));
        Bids { generator, auction, bidder, extra, events }
    }

    /// Calls `each` for every run of bids.
    #[inline(always)]
    pub fn for_each_run(&self, mut each: impl FnMut(&Run)) {
        self.for_each_run_of_all(|run| {
            if run.kind == Kind::Bid {
                each(run);
            }
        });
    }

    /// Calls `each` for every run of persons, auctions or bids.
    #[inline(always)]
    pub fn for_each_run_of_all(&self, mut each: impl FnMut(&Run)) {
        let mut runs = Vec::new();
        let mut from = 0;
        while from < self.events {
            let to = (from + CHUNK).min(self.events);
            runs.clear();
            self.generator.runs(from, to, 0, &mut runs);
            runs.iter().for_each(&mut each);
            from = to;
        }
    }
}
