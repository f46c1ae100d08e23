//! The events themselves: those of `benchmarks/nexmark`, which generators in other languages make as well.

use expect_test::expect_file;
use flott_connector_nexmark::{Config, Field, Generator, Kind};

use crate::support::{Run, nexmark};

/// The settings of the digests.
const SETTINGS: &[&[(&str, &str)]] = &[
    &[],
    &[("seed", "42")],
    &[("seed", "-1"), ("first-event.rate", "10000000"), ("next-event.rate", "10000000"), ("base-time", "0")],
    &[("first-event.rate", "777"), ("next-event.rate", "777"), ("out-of-order.group-size", "100")],
    &[
        ("person.proportion", "7"),
        ("auction.proportion", "5"),
        ("bid.proportion", "11"),
        ("person.avg-size", "40b"),
        ("auction.avg-size", "1kb"),
        ("bid.avg-size", "33b"),
        ("auction.hot-ratio.sellers", "1"),
        ("bid.hot-ratio.auctions", "100"),
        ("bid.hot-ratio.bidders", "3"),
    ],
];

fn hash(lines: &[String]) -> u64 {
    let bytes = lines.iter().flat_map(|line| line.bytes().chain([b'\n']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn the_first_events() {
    let lines = Run::default().read(&nexmark(&[("events.num", "200")])).lines();
    expect_file!["../../../../../benchmarks/nexmark/events.tsv"].assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn digests_of_many_events() {
    let mut digests = String::new();
    for settings in SETTINGS {
        let mut options = vec![("events.num", "100000")];
        options.extend_from_slice(settings);
        let lines = Run::default().read(&nexmark(&options)).lines();
        assert_eq!(lines.len(), 100_000);
        digests.push_str(&format!("100000\t{:016x}", hash(&lines)));
        for (key, value) in *settings {
            digests.push_str(&format!("\t{key}={value}"));
        }
        digests.push('\n');
    }
    expect_file!["../../../../../benchmarks/nexmark/digests.tsv"].assert_eq(&digests);
}

/// Programs that make events by themselves have the same ones.
#[test]
fn the_generator_alone_gives_the_same() {
    let generator = Generator::new(Config::default());
    let mut runs = Vec::new();
    generator.runs(0, 5_000, 0, &mut runs);
    let mut bids = Vec::new();
    for run in runs.iter().filter(|run| run.kind == Kind::Bid) {
        let (auctions, bidders) = (generator.auctions(run), generator.bidders(run));
        for number in run.numbers() {
            let auction = auctions.pick(generator.stream(Kind::Bid, Field::Auction).draw(number));
            let bidder = bidders.pick(generator.stream(Kind::Bid, Field::Bidder).draw(number));
            let price = generator.prices(Kind::Bid, Field::Price).get(number);
            bids.push(format!("{auction}\t{bidder}\t{price}\t{}", generator.time(number)));
        }
    }
    let lines = Run::default().read(&nexmark(&[("events.num", "5000")])).lines();
    let expected: Vec<String> = lines
        .iter()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            (cells[0] == "2").then(|| format!("{}\t{}\t{}\t{}", cells[1], cells[2], cells[3], cells[6]))
        })
        .collect();
    assert_eq!(bids, expected);
}
