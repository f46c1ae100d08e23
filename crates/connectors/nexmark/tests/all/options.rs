//! What tables can be declared.

use expect_test::{Expect, expect};
use flott_connector::Boundedness;
use flott_types::{LogicalType, TypeKind};

use crate::support::{nexmark, row, source, table};

fn refused(options: &[(&str, &str)], expected: Expect) {
    expected
        .assert_eq(&source(&nexmark(options)).err().map_or("accepted".to_owned(), |error| error.to_string()));
}

#[test]
fn wrong_options_are_refused() {
    refused(
        &[("first-event.rate", "0")],
        expect!["table t: option 'first-event.rate' is '0'; expected a number from 1 to 1000000000"],
    );
    refused(
        &[("first-event.rate", "10"), ("next-event.rate", "20")],
        expect![
            "events whose rate changes: 'first-event.rate' is 10 and 'next-event.rate' is 20; write the same for both"
        ],
    );
    refused(
        &[("person.proportion", "0")],
        expect!["table t: option 'person.proportion' is '0'; expected a number from 1 to 1000000"],
    );
    refused(
        &[("bid.avg-size", "65kb")],
        expect!["table t: option 'bid.avg-size' is '65kb'; expected at most 64 kb"],
    );
    refused(
        &[("bid.hot-ratio.auctions", "0")],
        expect!["table t: option 'bid.hot-ratio.auctions' is '0'; expected a number from 1 to 1000000000"],
    );
    refused(
        &[("events.num", "many")],
        expect!["table t: option 'events.num' is 'many'; expected a number; 0 is without end"],
    );
    refused(
        &[("out-of-order.group-size", "1906")],
        expect![
            "table t: option 'out-of-order.group-size' is '1906'; expected a number that is not a multiple of 953, by which events are shuffled"
        ],
    );
    refused(
        &[("base-time", "yesterday")],
        expect!["table t: option 'base-time' is 'yesterday'; expected milliseconds since 1970, or now"],
    );
    refused(
        &[("seed", "0.5")],
        expect!["table t: option 'seed' is '0.5'; expected a whole number of 64 bits"],
    );
    refused(
        &[("rate.shape", "SINE")],
        expect![
            "table t has no option 'rate.shape'; it has: auction.avg-size, auction.hot-ratio.sellers, auction.proportion, base-time, bid.avg-size, bid.hot-ratio.auctions, bid.hot-ratio.bidders, bid.proportion, connector, events.num, first-event.rate, next-event.rate, out-of-order.group-size, person.avg-size, person.proportion, rate.limited, scan.parallelism, seed"
        ],
    );
}

#[test]
fn options_of_the_public_benchmark_are_known() {
    let options = [
        ("rate.limited", "true"),
        ("first-event.rate", "10000000"),
        ("next-event.rate", "10000000"),
        ("events.num", "0"),
        ("person.proportion", "1"),
        ("auction.proportion", "3"),
        ("bid.proportion", "46"),
        ("person.avg-size", "200b"),
        ("auction.avg-size", "500b"),
        ("bid.avg-size", "100b"),
        ("bid.hot-ratio.auctions", "2"),
        ("bid.hot-ratio.bidders", "4"),
        ("auction.hot-ratio.sellers", "4"),
    ];
    assert_eq!(source(&nexmark(&options)).unwrap().boundedness(), Boundedness::Unbounded);
    assert_eq!(source(&nexmark(&[("events.num", "1")])).unwrap().boundedness(), Boundedness::Bounded);
}

fn refused_column(name: &str, ty: LogicalType, expected: Expect) {
    let error = source(&table(&[(name, ty)], &[])).err();
    expected.assert_eq(&error.map_or("accepted".to_owned(), |error| error.to_string()));
}

#[test]
fn wrong_columns_are_refused() {
    refused_column(
        "event_type",
        TypeKind::BigInt.nullable(),
        expect!["column t.event_type is of type BIGINT; a table of nexmark has it as INT"],
    );
    refused_column(
        "bids",
        row(&[("price", TypeKind::BigInt)]),
        expect!["a table of nexmark has the columns event_type, person, auction and bid; t has 'bids'"],
    );
    refused_column(
        "bid",
        TypeKind::BigInt.nullable(),
        expect![
            "column t.bid is of type BIGINT; a table of nexmark has it as a nullable ROW: each event is only one of person, auction and bid"
        ],
    );
    refused_column(
        "bid",
        row(&[("price", TypeKind::BigInt)]).kind.not_null(),
        expect![
            "column t.bid is of type ROW<`price` BIGINT> NOT NULL; a table of nexmark has it as a nullable ROW: each event is only one of person, auction and bid"
        ],
    );
    refused_column(
        "bid",
        row(&[("cost", TypeKind::BigInt)]),
        expect![
            "there is no field t.bid.cost in a table of nexmark; bid has auction, bidder, price, channel, url, dateTime, extra"
        ],
    );
    refused_column(
        "bid",
        row(&[("price", TypeKind::Int)]),
        expect!["column t.bid.price is of type INT; a table of nexmark has it as BIGINT"],
    );
    refused_column(
        "auction",
        row(&[("expires", TypeKind::TimestampLtz(3))]),
        expect![
            "column t.auction.expires is of type TIMESTAMP_LTZ(3); a table of nexmark has it as TIMESTAMP(3)"
        ],
    );
    refused_column(
        "bid",
        row(&[("channel", TypeKind::STRING), ("price", TypeKind::BigInt)]),
        expect!["accepted"],
    );
}
