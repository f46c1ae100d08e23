//! The queries. `benchmarks/nexmark/queries` has them in SQL.

use flott_connector_nexmark::{Field, Kind};
use flott_types::{Clock, FastMap};

use crate::bids::Bids;
use crate::output::Output;

const TEN_SECONDS: i64 = 10_000;
const DAY: i64 = 86_400_000;

/// Prices in euros, as DECIMAL(23, 3) without its point.
pub fn q1(bids: &Bids, output: &mut Output) {
    let prices = bids.generator.prices(Kind::Bid, Field::Price);
    let mut buffer = Vec::with_capacity(1 << 17);
    bids.for_each_run(|run| {
        let (auctions, bidders) = (bids.generator.auctions(run), bids.generator.bidders(run));
        for number in run.numbers() {
            let auction = auctions.pick(bids.auction.draw(number));
            let bidder = bidders.pick(bids.bidder.draw(number));
            let row = [auction, bidder, 908 * prices.get(number), bids.generator.time(number)];
            let extra = bids.generator.bid_extra(bids.extra.draw(number));
            output.row_with_text(row, extra, &mut buffer);
        }
    });
}

/// Bids on some auctions.
pub fn q2(bids: &Bids, output: &mut Output) {
    let prices = bids.generator.prices(Kind::Bid, Field::Price);
    bids.for_each_run(|run| {
        let auctions = bids.generator.auctions(run);
        for number in run.numbers() {
            let auction = auctions.pick(bids.auction.draw(number));
            if auction % 123 == 0 {
                output.row([auction, prices.get(number)]);
            }
        }
    });
}

/// Sessions of bidders: start, end, number of bids.
pub fn q11(bids: &Bids, output: &mut Output) {
    struct Session {
        start: i64,
        last: i64,
        bids: i64,
    }
    let mut sessions: FastMap<i64, Session> = FastMap::default();
    bids.for_each_run(|run| {
        let bidders = bids.generator.bidders(run);
        for number in run.numbers() {
            let bidder = bidders.pick(bids.bidder.draw(number));
            let time = bids.generator.time(number);
            let session = sessions.entry(bidder).or_insert(Session { start: time, last: time, bids: 0 });
            if time > session.last + TEN_SECONDS {
                output.row([bidder, session.bids, session.start, session.last + TEN_SECONDS]);
                *session = Session { start: time, last: time, bids: 0 };
            }
            session.last = time;
            session.bids += 1;
        }
    });
    for (bidder, session) in sessions {
        output.row([bidder, session.bids, session.start, session.last + TEN_SECONDS]);
    }
}

/// Bids of each bidder within ten seconds of the clock, which is read once a run.
pub fn q12(bids: &Bids, clock: &dyn Clock, output: &mut Output) {
    let mut counts: FastMap<i64, i64> = FastMap::default();
    let mut end = i64::MIN;
    let mut close = |counts: &mut FastMap<i64, i64>| {
        for (bidder, count) in counts.drain() {
            output.row([bidder, count]);
        }
    };
    bids.for_each_run(|run| {
        let now = clock.now();
        if now >= end {
            close(&mut counts);
            end = now - now.rem_euclid(TEN_SECONDS) + TEN_SECONDS;
        }
        let bidders = bids.generator.bidders(run);
        for number in run.numbers() {
            *counts.entry(bidders.pick(bids.bidder.draw(number))).or_insert(0) += 1;
        }
    });
    close(&mut counts);
}

/// Statistics of an auction and a day.
pub fn q17(bids: &Bids, output: &mut Output) {
    struct Statistics {
        total: i64,
        ranks: [i64; 3],
        min: i64,
        max: i64,
        sum: i64,
    }
    let mut all: FastMap<(i64, i64), Statistics> = FastMap::default();
    let prices = bids.generator.prices(Kind::Bid, Field::Price);
    bids.for_each_run(|run| {
        let auctions = bids.generator.auctions(run);
        for number in run.numbers() {
            let auction = auctions.pick(bids.auction.draw(number));
            let price = prices.get(number);
            let day = bids.generator.time(number).div_euclid(DAY);
            let new = || Statistics { total: 0, ranks: [0; 3], min: i64::MAX, max: i64::MIN, sum: 0 };
            let statistics = all.entry((auction, day)).or_insert_with(new);
            statistics.total += 1;
            statistics.ranks[usize::from(price >= 10_000) + usize::from(price >= 1_000_000)] += 1;
            statistics.min = statistics.min.min(price);
            statistics.max = statistics.max.max(price);
            statistics.sum += price;
        }
    });
    for ((auction, day), Statistics { total, ranks: [first, second, third], min, max, sum }) in all {
        output.row([auction, day, total, first, second, third, min, max, sum / total, sum]);
    }
}

#[cfg(test)]
mod tests {
    use flott_connector_nexmark::Config;
    use flott_types::clock::ManualClock;

    use super::*;

    fn rows(query: impl Fn(&Bids, &mut Output), events: u64, rate: u64) -> u64 {
        let mut output = Output::default();
        query(&Bids::new(Config { rate, ..Config::default() }, events), &mut output);
        output.rows()
    }

    /// The numbers are those of the same queries in SQL.
    #[test]
    fn queries_have_the_rows_of_their_sql() {
        assert_eq!(rows(q1, 100_000, 10_000), 92_000);
        assert_eq!(rows(q2, 100_000, 10_000), 402);
        assert_eq!(rows(q11, 100_000, 10_000), 1_930);
        assert_eq!(rows(q11, 100_000, 100), 15_318);
        assert_eq!(rows(|bids, output| q12(bids, &ManualClock::new(5), output), 100_000, 10_000), 1_930);
        assert_eq!(rows(q17, 100_000, 10_000), 5_993);
    }
}
