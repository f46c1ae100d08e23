//! Events are distributed as in the public benchmark.

use std::collections::BTreeMap;

use flott_connector_nexmark::Kind;

use crate::support::{Run, kind, nexmark};

fn events(options: &[(&str, &str)]) -> Vec<Vec<String>> {
    let lines = Run::default().read(&nexmark(options)).lines();
    lines.iter().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn share(count: usize, of: usize) -> f64 {
    count as f64 / of as f64
}

#[test]
fn persons_auctions_and_bids_come_in_their_proportions() {
    let lines = Run::default().read(&nexmark(&[("events.num", "50000")])).lines();
    let count = |wanted| lines.iter().filter(|line| kind(line) == wanted).count();
    assert_eq!((count(Kind::Person), count(Kind::Auction), count(Kind::Bid)), (1_000, 3_000, 46_000));
    let options = [
        ("events.num", "60"),
        ("person.proportion", "2"),
        ("auction.proportion", "3"),
        ("bid.proportion", "0"),
    ];
    let few = Run::default().read(&nexmark(&options)).lines();
    let kinds: String = few[..10].iter().map(|line| &line[..1]).collect();
    assert_eq!(kinds, "0011100111");
}

#[test]
fn persons_and_auctions_are_numbered_and_others_refer_to_them() {
    let (mut persons, mut auctions) = (0, 0);
    for event in events(&[("events.num", "100000")]) {
        let number = |at: usize| event[at].parse::<i64>().unwrap();
        match event[0].as_str() {
            "0" => {
                assert_eq!(number(1), 1_000 + persons);
                persons += 1;
            }
            "1" => {
                assert_eq!(number(1), 1_000 + auctions);
                auctions += 1;
                assert!((1_000..1_000 + persons + 10).contains(&number(8)));
                assert!((10..15).contains(&number(9)));
                assert!(number(5) > number(4) && number(7) > number(6));
            }
            _ => {
                // Hot ids stay within the last hundred, others within those in flight and the ten to come.
                assert!((1_000 + auctions - 101..1_000 + auctions + 10).contains(&number(1)));
                assert!((1_000 + persons - 1_000..1_000 + persons + 10).contains(&number(2)));
            }
        }
    }
    assert_eq!((persons, auctions), (2_000, 6_000));
}

#[test]
fn some_are_hot() {
    let events = events(&[("events.num", "200000")]);
    let bids: Vec<_> = events.iter().filter(|event| event[0] == "2").collect();
    let hot = |at: usize, rest: i64| {
        bids.iter().filter(|bid| bid[at].parse::<i64>().unwrap() % 100 == rest).count()
    };
    // Half of the bids, and one in a hundred of the others by chance; three in four for bidders.
    assert!((0.49..0.52).contains(&share(hot(1, 0), bids.len())));
    assert!((0.74..0.77).contains(&share(hot(2, 1), bids.len())));
    let mut channels: BTreeMap<&str, usize> = BTreeMap::new();
    for bid in &bids {
        *channels.entry(&bid[4]).or_default() += 1;
    }
    for channel in ["Apple", "Google", "Facebook", "Baidu"] {
        assert!((0.12..0.13).contains(&share(channels[channel], bids.len())));
    }
    assert!((9_900..=10_004).contains(&channels.len()));
    assert!(bids.iter().all(|bid| bid[5].starts_with("https://www.nexmark.com/")));
}

#[test]
fn padding_fills_events_to_their_average_size() {
    let events = events(&[("events.num", "100000"), ("bid.avg-size", "300b")]);
    for (kind, average) in [("0", 200.0), ("1", 500.0), ("2", 300.0)] {
        let sizes: Vec<usize> = events
            .iter()
            .filter(|event| event[0] == kind)
            .map(|event| {
                // Numbers and times count 8 bytes; the public benchmark counts but four fields of a bid.
                let texts = match kind {
                    "0" => 8 + event[2..7].iter().map(String::len).sum::<usize>(),
                    "1" => 48 + event[2].len() + event[3].len(),
                    _ => 32,
                };
                texts + event.last().map_or(0, String::len)
            })
            .collect();
        let mean = sizes.iter().sum::<usize>() as f64 / sizes.len() as f64;
        assert!((mean / average - 1.0).abs() < 0.01, "{kind}: {mean}");
    }
}

#[test]
fn event_time_advances_at_the_rate() {
    let options = [
        ("first-event.rate", "3000"),
        ("next-event.rate", "3000"),
        ("base-time", "5000"),
        ("events.num", "7"),
    ];
    let times: Vec<String> = events(&options)
        .iter()
        .map(|event| event[[7, 6, 6][event[0].parse::<usize>().unwrap()]].clone())
        .collect();
    assert_eq!(times, ["5000", "5000", "5000", "5001", "5001", "5001", "5002"]);
    let shuffled = [
        ("out-of-order.group-size", "10"),
        ("first-event.rate", "1000"),
        ("events.num", "20"),
        ("base-time", "0"),
    ];
    let times: Vec<String> = events(&shuffled)
        .iter()
        .map(|event| event[[7, 6, 6][event[0].parse::<usize>().unwrap()]].clone())
        .collect();
    assert_eq!(times[..10], ["0", "3", "6", "9", "2", "5", "8", "1", "4", "7"]);
    assert_eq!(times[10..13], ["10", "13", "16"]);
}
