//! The queries over windows of event time. Events come in its order, so that one window is open at a time, or the slices of
//! those that overlap.

use std::collections::VecDeque;

use flott_connector_nexmark::{Field, Generator, Kind};
use flott_types::{FastMap, FastSet};

use crate::bids::Bids;
use crate::output::Output;

const TEN_SECONDS: i64 = 10_000;
const TWO_SECONDS: i64 = 2_000;
/// How many slices of two seconds a window has.
const SLICES: usize = 5;

/// The auctions with the most bids of the last ten seconds, every two seconds.
pub fn q5(bids: &Bids, output: &mut Output) {
    let mut slices: VecDeque<FastMap<i64, i64>> = VecDeque::from([FastMap::default()]);
    let mut end = None;
    let mut close = |slices: &mut VecDeque<FastMap<i64, i64>>| {
        let mut counts: FastMap<i64, i64> = FastMap::default();
        for (auction, count) in slices.iter().flatten() {
            *counts.entry(*auction).or_insert(0) += count;
        }
        let most = counts.values().copied().max();
        for (auction, count) in counts.into_iter().filter(|(_, count)| Some(*count) == most) {
            output.row([auction, count]);
        }
        slices.push_back(FastMap::default());
        if slices.len() > SLICES {
            slices.pop_front();
        }
    };
    bids.for_each_run(|run| {
        let auctions = bids.generator.auctions(run);
        for number in run.numbers() {
            let time = bids.generator.time(number);
            let end = end.get_or_insert_with(|| after(time, TWO_SECONDS));
            while time >= *end {
                close(&mut slices);
                *end += TWO_SECONDS;
            }
            let auction = auctions.pick(bids.auction.draw(number));
            if let Some(counts) = slices.back_mut() {
                *counts.entry(auction).or_insert(0) += 1;
            }
        }
    });
    // The windows that contain the last slice.
    (0..SLICES).for_each(|_| close(&mut slices));
}

/// The end of the window that contains a time.
fn after(time: i64, size: i64) -> i64 {
    time - time.rem_euclid(size) + size
}

/// The highest bids of each ten seconds.
pub fn q7(bids: &Bids, output: &mut Output) {
    /// The highest bids of a window.
    struct Highest {
        end: i64,
        price: i64,
        rows: Vec<([i64; 4], &'static [u8])>,
    }
    let prices = bids.generator.prices(Kind::Bid, Field::Price);
    let mut buffer = Vec::with_capacity(1 << 17);
    let mut current: Option<Highest> = None;
    // The end and the price of the window before: a bid at its very end may have its price, too.
    let mut before = (i64::MIN, 0);
    bids.for_each_run(|run| {
        let (auctions, bidders) = (bids.generator.auctions(run), bids.generator.bidders(run));
        for number in run.numbers() {
            let (time, price) = (bids.generator.time(number), prices.get(number));
            if current.as_ref().is_some_and(|window| time >= window.end)
                && let Some(window) = current.take()
            {
                before = (window.end, window.price);
                for (row, extra) in window.rows {
                    output.row_with_text(row, extra, &mut buffer);
                }
            }
            let end = || Highest { end: after(time, TEN_SECONDS), price: i64::MIN, rows: Vec::new() };
            let window = current.get_or_insert_with(end);
            let ends = (time, price) == before;
            if price < window.price && !ends {
                continue;
            }
            let auction = auctions.pick(bids.auction.draw(number));
            let bidder = bidders.pick(bids.bidder.draw(number));
            let row = [auction, price, bidder, time];
            let extra = bids.generator.bid_extra(bids.extra.draw(number));
            if ends {
                output.row_with_text(row, extra, &mut buffer);
            }
            if price > window.price {
                window.price = price;
                window.rows.clear();
            }
            if price == window.price {
                window.rows.push((row, extra));
            }
        }
    });
    for (row, extra) in current.into_iter().flat_map(|window| window.rows) {
        output.row_with_text(row, extra, &mut buffer);
    }
}

/// Who came and sold within the same ten seconds.
pub fn q8(bids: &Bids, output: &mut Output) {
    let name = bids.generator.stream(Kind::Person, Field::Name);
    let seller = bids.generator.stream(Kind::Auction, Field::Seller);
    let mut buffer = Vec::with_capacity(1 << 17);
    let mut persons: FastMap<i64, [&'static str; 2]> = FastMap::default();
    let mut sellers: FastSet<i64> = FastSet::default();
    let mut end = i64::MIN;
    let mut close = |end: i64, persons: &mut FastMap<i64, [&str; 2]>, sellers: &mut FastSet<i64>| {
        for (id, [first, last]) in persons.drain() {
            if sellers.contains(&id) {
                buffer.extend_from_slice(first.as_bytes());
                output.row_with_text([id, end - TEN_SECONDS], last.as_bytes(), &mut buffer);
            }
        }
        sellers.clear();
    };
    bids.for_each_run_of_all(|run| {
        if run.kind == Kind::Bid {
            return;
        }
        let choice = bids.generator.sellers(run);
        for (number, id) in run.numbers().zip(Generator::first_id(run)..) {
            let time = bids.generator.time(number);
            if time >= end {
                close(end, &mut persons, &mut sellers);
                end = after(time, TEN_SECONDS);
            }
            match run.kind {
                Kind::Person => {
                    persons.insert(id, Generator::name(name.draw(number)));
                }
                _ => {
                    sellers.insert(choice.pick(seller.draw(number)));
                }
            }
        }
    });
    close(end, &mut persons, &mut sellers);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(query: impl Fn(&Bids, &mut Output), rate: u64) -> Output {
        crate::of_small(query, rate)
    }

    /// The numbers are those of the same queries in SQL: how many rows there are, and sums of columns.
    #[test]
    fn queries_have_the_rows_of_their_sql() {
        assert_eq!(output(q5, 10_000).sums([0, 1]), (10, [32_300, 8_151]));
        assert_eq!(output(q5, 1_000).sums([0, 1]), (56, [216_700, 44_688]));
        assert_eq!(output(q7, 10_000).sums([0, 1, 2]), (1, [6_127, 99_981_757, 2_701]));
        assert_eq!(output(q7, 1_000).sums([0, 1, 2]), (10, [40_308, 998_390_006, 19_277]));
        assert_eq!(output(q8, 10_000).sums([0]), (968, [1_671_317]));
        assert_eq!(output(q8, 1_000).sums([0]), (278, [453_096]));
    }
}
