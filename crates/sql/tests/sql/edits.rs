//! A query is edited while its job is down: which part of its state the edited query keeps.

use expect_test::expect;
use flott_plan::{AggregatePhase, JobGraph, OperatorSpec};

use crate::support::{Shell, check};

/// Five tables joined, aggregated, ranked and written.
const ORDERS: &str = "INSERT INTO totals
    SELECT c.name, n.country, SUM(l.price) AS total
    FROM orders o
    JOIN customers c ON o.customer = c.id
    JOIN nations n ON c.nation = n.id
    JOIN lines l ON l.order_id = o.id
    JOIN parts p ON l.part = p.id
    WHERE p.kind = 'x'
    GROUP BY c.name, n.country";

/// Sums by key and sums by window, of one table.
const BIDS: &str = "EXECUTE STATEMENT SET BEGIN
    INSERT INTO by_auction SELECT auction, SUM(price) AS total FROM bids WHERE price > 0 GROUP BY auction;
    INSERT INTO by_minute SELECT window_start, auction, COUNT(*) AS n
        FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end, auction;
    END";

fn shell() -> Shell {
    let mut shell = Shell::with_tables();
    for (name, columns) in [
        ("orders", "id INT, customer INT, note STRING"),
        ("customers", "id INT, name STRING, nation INT"),
        ("nations", "id INT, country STRING"),
        ("lines", "order_id INT, part INT, price INT"),
        ("parts", "id INT, kind STRING"),
        ("bids", "auction INT, price INT, bidder INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts"),
        ("totals", "name STRING, country STRING, total INT"),
        ("by_auction", "auction INT, total INT"),
        ("by_minute", "window_start TIMESTAMP(3), auction INT, n BIGINT"),
    ] {
        let changes = if matches!(name, "totals" | "by_auction") { ", 'changelog' = 'retract'" } else { "" };
        shell.run(&format!("CREATE TABLE {name} ({columns}) WITH ('connector' = 'rows'{changes})"));
    }
    shell
}

/// The operators that have state: uid, what a person calls them.
fn stateful(graph: &JobGraph) -> Vec<(String, &'static str)> {
    let nodes = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    let kinds = nodes.filter_map(|operator| {
        let kind = match &operator.node.spec {
            OperatorSpec::Source(_) => "source",
            OperatorSpec::Sink(_) => "sink",
            OperatorSpec::WatermarkAssigner(_) => "watermark",
            // What the first of two phases holds is flushed before a snapshot.
            OperatorSpec::GroupAggregate { phase: AggregatePhase::Local, .. } => return None,
            OperatorSpec::GroupAggregate { .. } => "sums by key",
            OperatorSpec::WindowAggregate { .. } => "sums by window",
            OperatorSpec::Join { .. } => "join",
            OperatorSpec::TopN { .. } => "Top-N",
            _ => return None,
        };
        Some((operator.node.uid.0.clone(), kind))
    });
    kinds.collect()
}

fn list(operators: &[&(String, &'static str)]) -> String {
    let mut kinds: Vec<&str> = operators.iter().map(|operator| operator.1).collect();
    kinds.sort_unstable();
    let runs = kinds.chunk_by(|a, b| a == b);
    let shown =
        runs.map(|run| if run.len() == 1 { run[0].to_owned() } else { format!("{} {}s", run.len(), run[0]) });
    shown.collect::<Vec<_>>().join(", ")
}

/// What it is called, and the edited statement.
type Edit<'a> = (&'a str, &'a dyn Fn(&mut Shell) -> String);

/// What becomes of the state of a statement when it is edited. Sources and sinks that both have go on,
/// whatever is edited.
fn edits(base: &str, edits: &[Edit<'_>]) -> String {
    let before = shell().job(base);
    let before = stateful(&before);
    let mut told = String::new();
    for (name, edit) in edits {
        let mut shell = shell();
        let statement = edit(&mut shell);
        let after = shell.job(&statement);
        let after = stateful(&after);
        let kept: Vec<_> = before.iter().filter(|operator| after.contains(operator)).collect();
        let dropped: Vec<_> = before.iter().filter(|operator| !after.contains(operator)).collect();
        let new: Vec<_> = after.iter().filter(|operator| !before.contains(operator)).collect();
        // Two inserts into one table are distinguished by their queries.
        let same_sink = name.contains("in front");
        let lost = |kind: &str| kind == "source" || (kind == "sink" && !same_sink);
        assert!(!dropped.iter().any(|(_, kind)| lost(kind)), "{name}: {dropped:?}");
        told += &format!("{name}: kept {}", list(&kept));
        for (what, operators) in [("dropped", dropped), ("new", new)] {
            if !operators.is_empty() {
                told += &format!("; {what} {}", list(&operators));
            }
        }
        told.push('\n');
    }
    told
}

fn replaced(base: &str, from: &str, to: &str) -> String {
    assert!(base.contains(from), "{from}");
    base.replace(from, to)
}

#[test]
fn a_join_of_five_tables() {
    let edit = |from: &'static str, to: &'static str| move |_: &mut Shell| replaced(ORDERS, from, to);
    let with_set = |set: &'static str| {
        move |shell: &mut Shell| {
            shell.run(set);
            ORDERS.to_owned()
        }
    };
    check(
        edits(
            ORDERS,
            &[
                ("nothing", &|_| ORDERS.to_owned()),
                ("another name of an output", &edit("AS total", "AS amount")),
                ("other aliases", &edit("orders o", "orders AS o")),
                ("another aggregate", &edit("SUM(l.price) AS total", "CAST(COUNT(*) AS INT) AS total")),
                (
                    "a filter above",
                    &edit("GROUP BY c.name, n.country", "GROUP BY c.name, n.country HAVING SUM(l.price) > 7"),
                ),
                ("a filter below", &edit("p.kind = 'x'", "p.kind = 'x' AND o.id > 5")),
                ("another key", &edit("GROUP BY c.name, n.country", "GROUP BY c.name, n.country, o.id")),
                (
                    "joins in another order",
                    &edit(
                        "JOIN nations n ON c.nation = n.id\n    JOIN lines l ON l.order_id = o.id",
                        "JOIN lines l ON l.order_id = o.id\n    JOIN nations n ON c.nation = n.id",
                    ),
                ),
                (
                    "a column more",
                    &edit(
                        "c.name, n.country, SUM(l.price) AS total",
                        "c.name || MAX(o.note), n.country, SUM(l.price) AS total",
                    ),
                ),
                ("another sink", &|_| {
                    format!(
                        "EXECUTE STATEMENT SET BEGIN {ORDERS}; INSERT INTO by_auction SELECT id, customer FROM orders; END"
                    )
                }),
                ("another parallelism", &with_set("SET 'parallelism.default' = '7'")),
                ("a time to live", &with_set("SET 'table.exec.state.ttl' = '1 h'")),
            ],
        ),
        expect![[r#"
            nothing: kept 4 joins, sink, 5 sources, sums by key
            another name of an output: kept 4 joins, sink, 5 sources, sums by key
            other aliases: kept 4 joins, sink, 5 sources, sums by key
            another aggregate: kept 2 joins, sink, 5 sources, sums by key; dropped 2 joins; new 2 joins
            a filter above: kept 4 joins, sink, 5 sources, sums by key
            a filter below: kept sink, 5 sources; dropped 4 joins, sums by key; new 4 joins, sums by key
            another key: kept 3 joins, sink, 5 sources; dropped join, sums by key; new join, sums by key
            joins in another order: kept join, sink, 5 sources; dropped 3 joins, sums by key; new 3 joins, sums by key
            a column more: kept sink, 5 sources, sums by key; dropped 4 joins; new 4 joins
            another sink: kept 4 joins, sink, 5 sources, sums by key; new sink
            another parallelism: kept 4 joins, sink, 5 sources, sums by key
            a time to live: kept 4 joins, sink, 5 sources, sums by key
        "#]],
    );
}

/// Columns of the two sides of a self-join are distinct, whatever is read of them.
#[test]
fn sums_of_either_side_have_other_names() {
    let sums = |side: &str| {
        let query = format!(
            "SELECT b.id, SUM({side}.customer) FROM orders a JOIN orders b ON a.customer = b.id GROUP BY b.id"
        );
        let graph = shell().job(&query);
        let nodes = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
        let calls = nodes.filter_map(|operator| match &operator.node.spec {
            OperatorSpec::GroupAggregate { aggregates, .. } => Some(aggregates[0].name.clone()),
            _ => None,
        });
        calls.collect::<Vec<_>>().pop().unwrap()
    };
    assert_eq!(sums("a"), "SUM(orders.customer)");
    assert_eq!(sums("b"), "SUM(orders.customer')");
}

#[test]
fn sums_by_key_and_by_window() {
    let edit = |from: &'static str, to: &'static str| move |_: &mut Shell| replaced(BIDS, from, to);
    check(
        edits(
            BIDS,
            &[
                ("nothing", &|_| BIDS.to_owned()),
                ("a column more is read", &edit("SUM(price) AS total", "SUM(price) + MAX(bidder) AS total")),
                ("a column less is read", &edit("SUM(price) AS total", "CAST(COUNT(*) AS INT) AS total")),
                ("an aggregate more by window", &edit("COUNT(*) AS n", "COUNT(*) + SUM(price) AS n")),
                ("a filter below", &edit("price > 0", "price > 1")),
                ("a filter with its terms the other way round", &edit("price > 0", "TRUE AND price > 0")),
                (
                    "a filter below the window",
                    &edit("INTERVAL '1' MINUTE)", "INTERVAL '1' MINUTE) WHERE bidder > 3"),
                ),
                ("another window", &edit("INTERVAL '1' MINUTE", "INTERVAL '2' MINUTE")),
                ("other sums by the same key, in front", &|_| {
                    let more = "INSERT INTO by_auction SELECT auction, MAX(price) FROM bids WHERE price > 0 GROUP BY auction;";
                    BIDS.replace("BEGIN\n", &format!("BEGIN\n{more}"))
                }),
                ("the inserts the other way round", &|_| {
                    let (first, second) = BIDS.split_once("INSERT INTO by_minute").unwrap();
                    let first = first.replace("EXECUTE STATEMENT SET BEGIN", "");
                    let second = second.replace("END", "");
                    format!("EXECUTE STATEMENT SET BEGIN INSERT INTO by_minute{second}{first} END")
                }),
            ],
        ),
        expect![[r#"
            nothing: kept 2 sinks, source, sums by key, sums by window, watermark
            a column more is read: kept 2 sinks, source, sums by key, sums by window, watermark
            a column less is read: kept 2 sinks, source, sums by key, sums by window, watermark
            an aggregate more by window: kept 2 sinks, source, sums by key, sums by window, watermark
            a filter below: kept 2 sinks, source, sums by window, watermark; dropped sums by key; new sums by key
            a filter with its terms the other way round: kept 2 sinks, source, sums by key, sums by window, watermark
            a filter below the window: kept 2 sinks, source, sums by key, watermark; dropped sums by window; new sums by window
            another window: kept 2 sinks, source, sums by key, watermark; dropped sums by window; new sums by window
            other sums by the same key, in front: kept sink, source, sums by window, watermark; dropped sink, sums by key; new 2 sinks, 2 sums by keys
            the inserts the other way round: kept 2 sinks, source, sums by key, sums by window, watermark
        "#]],
    );
}
