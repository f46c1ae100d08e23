//! The queries that join events by a key, and the last bid of a key. Events come in the order of time, but a bid may come
//! before its auction, and an auction before its seller: such rows wait.

use flott_connector_nexmark::{Field, Generator, Kind, Run};
use flott_types::FastMap;

use crate::bids::Bids;
use crate::output::Output;

/// Who sells in three states in category 10.
pub fn q3(bids: &Bids, output: &mut Output) {
    let stream = |kind, field| bids.generator.stream(kind, field);
    let (name, city, state) = (
        stream(Kind::Person, Field::Name),
        stream(Kind::Person, Field::City),
        stream(Kind::Person, Field::State),
    );
    let (seller, category) = (stream(Kind::Auction, Field::Seller), stream(Kind::Auction, Field::Category));
    let mut persons: FastMap<i64, Vec<u8>> = FastMap::default();
    let mut auctions: FastMap<i64, Vec<i64>> = FastMap::default();
    let mut buffer = Vec::with_capacity(1 << 17);
    bids.for_each_run_of_all(|run| match run.kind {
        Kind::Person => {
            for (number, id) in numbered(run) {
                let state = Generator::state(state.draw(number));
                if !matches!(state, "OR" | "ID" | "CA") {
                    continue;
                }
                let [first, last] = Generator::name(name.draw(number));
                let city = Generator::city(city.draw(number));
                let text = [first, " ", last, city, state].concat().into_bytes();
                for auction in auctions.get(&id).into_iter().flatten() {
                    output.row_with_text([*auction], &text, &mut buffer);
                }
                persons.insert(id, text);
            }
        }
        Kind::Auction => {
            let sellers = bids.generator.sellers(run);
            for (number, id) in numbered(run) {
                if Generator::category(category.draw(number)) != 10 {
                    continue;
                }
                let seller = sellers.pick(seller.draw(number));
                if let Some(text) = persons.get(&seller) {
                    output.row_with_text([id], text, &mut buffer);
                }
                auctions.entry(seller).or_default().push(id);
            }
        }
        Kind::Bid => (),
    });
}

/// The numbers of a run's persons or auctions with their ids.
fn numbered(run: &Run) -> impl Iterator<Item = (u64, i64)> {
    run.numbers().zip(Generator::first_id(run)..)
}

/// The average of the highest bids of each category.
pub fn q4(bids: &Bids, output: &mut Output) {
    struct Auction {
        time: i64,
        expires: i64,
        category: i64,
        highest: Option<i64>,
    }
    let expires = bids.generator.stream(Kind::Auction, Field::Expires);
    let category = bids.generator.stream(Kind::Auction, Field::Category);
    let prices = bids.generator.prices(Kind::Bid, Field::Price);
    let mut auctions: FastMap<i64, Auction> = FastMap::default();
    let mut early: FastMap<i64, Vec<(i64, i64)>> = FastMap::default();
    // By category: the sum of the highest bids, and of how many auctions.
    let mut categories: FastMap<i64, (i64, i64)> = FastMap::default();
    let mut bid = |auction: &mut Auction, time: i64, price: i64| {
        let before = auction.highest;
        if !(auction.time..=auction.expires).contains(&time) || before.is_some_and(|before| before >= price) {
            return;
        }
        auction.highest = Some(price);
        let (sum, number) = categories.entry(auction.category).or_default();
        *sum += price - before.unwrap_or(0);
        *number += i64::from(before.is_none());
    };
    bids.for_each_run_of_all(|run| match run.kind {
        Kind::Person => (),
        Kind::Auction => {
            for (number, id) in numbered(run) {
                let mut auction = Auction {
                    time: bids.generator.time(number),
                    expires: bids.generator.expires(number, expires.draw(number)),
                    category: Generator::category(category.draw(number)),
                    highest: None,
                };
                for (time, price) in early.remove(&id).into_iter().flatten() {
                    bid(&mut auction, time, price);
                }
                auctions.insert(id, auction);
            }
        }
        Kind::Bid => {
            let choice = bids.generator.auctions(run);
            for number in run.numbers() {
                let id = choice.pick(bids.auction.draw(number));
                let (time, price) = (bids.generator.time(number), prices.get(number));
                match auctions.get_mut(&id) {
                    Some(auction) => bid(auction, time, price),
                    None => early.entry(id).or_default().push((time, price)),
                }
            }
        }
    });
    for (category, (sum, number)) in categories {
        output.row([category, sum / number]);
    }
}

/// The best bid of each auction in its time, with the auction.
pub fn q9(bids: &Bids, output: &mut Output) {
    struct Auction {
        numbers: [i64; 7],
        texts: Vec<u8>,
        best: Option<Best>,
    }
    struct Best {
        bidder: i64,
        price: i64,
        time: i64,
        extra: Vec<u8>,
    }
    let generator = &bids.generator;
    let stream = |field| generator.stream(Kind::Auction, field);
    let (item, description, extra) =
        (stream(Field::ItemName), stream(Field::Description), stream(Field::Extra));
    let (expires, seller, category) =
        (stream(Field::Expires), stream(Field::Seller), stream(Field::Category));
    let (initial, above) =
        (generator.prices(Kind::Auction, Field::InitialBid), generator.prices(Kind::Auction, Field::Reserve));
    let prices = generator.prices(Kind::Bid, Field::Price);
    let mut auctions: FastMap<i64, Auction> = FastMap::default();
    let mut early: FastMap<i64, Vec<Best>> = FastMap::default();
    // Bids come in the order of time: of those with one price the first is the best.
    let is_better = |auction: &Auction, time: i64, price: i64| {
        let [_, _, _, begin, end, ..] = auction.numbers;
        (begin..=end).contains(&time) && auction.best.as_ref().is_none_or(|best| best.price < price)
    };
    bids.for_each_run_of_all(|run| match run.kind {
        Kind::Person => (),
        Kind::Auction => {
            let sellers = generator.sellers(run);
            for (number, id) in numbered(run) {
                let first = initial.get(number);
                let texts = [
                    generator.item_name(item.draw(number)),
                    generator.description(description.draw(number)),
                    generator.auction_extra(number, extra.draw(number)),
                ];
                let mut auction = Auction {
                    numbers: [
                        id,
                        first,
                        first + above.get(number),
                        generator.time(number),
                        generator.expires(number, expires.draw(number)),
                        sellers.pick(seller.draw(number)),
                        Generator::category(category.draw(number)),
                    ],
                    texts: texts.concat(),
                    best: None,
                };
                for bid in early.remove(&id).into_iter().flatten() {
                    if is_better(&auction, bid.time, bid.price) {
                        auction.best = Some(bid);
                    }
                }
                auctions.insert(id, auction);
            }
        }
        Kind::Bid => {
            let (choice, bidders) = (generator.auctions(run), generator.bidders(run));
            for number in run.numbers() {
                let id = choice.pick(bids.auction.draw(number));
                let (time, price) = (generator.time(number), prices.get(number));
                let auction = auctions.get_mut(&id);
                if auction.as_ref().is_some_and(|auction| !is_better(auction, time, price)) {
                    continue;
                }
                let bidder = bidders.pick(bids.bidder.draw(number));
                let extra = generator.bid_extra(bids.extra.draw(number)).to_vec();
                let bid = Best { bidder, price, time, extra };
                match auction {
                    Some(auction) => auction.best = Some(bid),
                    None => early.entry(id).or_default().push(bid),
                }
            }
        }
    });
    let mut buffer = Vec::with_capacity(1 << 17);
    for Auction { numbers: [id, first, reserve, time, expires, seller, category], texts, best } in
        auctions.into_values()
    {
        if let Some(best) = best {
            buffer.extend_from_slice(&best.extra);
            let row =
                [id, first, reserve, time, expires, seller, category, id, best.bidder, best.price, best.time];
            output.row_with_text(row, &texts, &mut buffer);
        }
    }
}

/// The last bid of each bidder on each auction.
pub fn q18(bids: &Bids, output: &mut Output) {
    struct Last {
        price: i64,
        time: i64,
        texts: Vec<u8>,
    }
    let generator = &bids.generator;
    let prices = generator.prices(Kind::Bid, Field::Price);
    let channel = generator.stream(Kind::Bid, Field::Channel);
    let mut all: FastMap<(i64, i64), Last> = FastMap::default();
    bids.for_each_run(|run| {
        let (auctions, bidders) = (generator.auctions(run), generator.bidders(run));
        for number in run.numbers() {
            let auction = auctions.pick(bids.auction.draw(number));
            let bidder = bidders.pick(bids.bidder.draw(number));
            let last = all.entry((bidder, auction)).or_insert(Last { price: 0, time: 0, texts: Vec::new() });
            (last.price, last.time) = (prices.get(number), generator.time(number));
            last.texts.clear();
            let texts = generator.channel_and_url(channel.draw(number));
            texts.iter().for_each(|text| last.texts.extend_from_slice(text));
            last.texts.extend_from_slice(generator.bid_extra(bids.extra.draw(number)));
        }
    });
    let mut buffer = Vec::with_capacity(1 << 17);
    for ((bidder, auction), Last { price, time, texts }) in all {
        output.row_with_text([auction, bidder, price, time], &texts, &mut buffer);
    }
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
        assert_eq!(output(q3, 10_000).sums([0]), (602, [2_127_050]));
        assert_eq!(output(q4, 10_000).sums([0, 1]), (5, [60, 143_712_719]));
        assert_eq!(output(q4, 1_000).sums([0, 1]), (5, [60, 143_940_362]));
        let best = output(q9, 10_000).sums([0, 1, 2, 5, 6, 7, 8, 9]);
        let sums = [
            22_155_848,
            39_831_142_456,
            81_624_535_917,
            10_352_024,
            66_541,
            22_155_848,
            10_425_676,
            159_809_809_037,
        ];
        assert_eq!(best, (5_559, sums));
        assert_eq!(output(q9, 1_000).sums([0, 8, 9]), (5_531, [22_028_006, 10_372_156, 159_256_707_941]));
        let last = output(q18, 10_000).sums([0, 1, 2]);
        assert_eq!(last, (28_183, [113_379_005, 48_749_380, 203_368_143_111]));
    }
}
