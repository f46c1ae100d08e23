//! Event time and processing time through jobs, and the rules that operators keep.

use std::sync::atomic::Ordering;

use crate::support::{Plan, eventually, world};
use flott_cluster::{JobClient, NextRows};
use flott_plan::Exchange;

fn input_watermark(client: &JobClient, vertex: &str) -> i64 {
    let metrics = client.metrics();
    let found = metrics.vertices.iter().find(|found| found.name.starts_with(vertex));
    found.map_or(i64::MIN, flott_cluster::VertexMetrics::current_input_watermark)
}

/// source -> watermarks -> (hash) calc -> sink, with more readers than splits.
fn plan(source_options: &[(&str, &str)]) -> Plan {
    let mut plan = Plan::new(&[]);
    let source = plan.source("source", source_options, 2);
    let watermarks = plan.identity("watermarks", 2);
    let calc = plan.identity("calc", 2);
    let sink = plan.sink("sink", &[("direct", "true")], 2);
    plan.connect(source, watermarks, Exchange::Forward);
    plan.connect(watermarks, calc, Exchange::Hash(vec![0]));
    plan.connect(calc, sink, Exchange::Forward);
    plan
}

#[test]
fn a_reader_without_splits_does_not_hold_event_time_back() {
    let world = world(1, 2);
    let plan = plan(&[("unbounded", "true"), ("splits", "1"), ("rows", "50")]);
    let client = world.cluster.submit(&plan.build()).unwrap();
    assert!(eventually(|| input_watermark(&client, "calc") == 49), "{}", input_watermark(&client, "calc"));
    client.cancel();
}

#[test]
fn a_reader_that_has_not_spoken_yet_does() {
    let world = world(1, 2);
    // Both readers have a split; the one that gets the last rows of its split has the higher watermark.
    let plan = plan(&[("unbounded", "true"), ("splits", "2"), ("rows", "50"), ("pause", "3")]);
    let client = world.cluster.submit(&plan.build()).unwrap();
    assert!(eventually(|| world.controls.emitted.load(Ordering::SeqCst) == 100));
    assert!(eventually(|| input_watermark(&client, "calc") >= 49));
    client.cancel();
}

#[test]
fn the_end_of_event_time_comes_with_the_end_of_the_input() {
    let world = world(1, 2);
    let client = world.cluster.submit(&plan(&[("splits", "3")]).build()).unwrap();
    crate::support::finish(&client);
    assert_eq!(input_watermark(&client, "calc"), i64::MAX);
}

#[test]
fn an_operator_is_called_when_its_time_has_come_though_no_row_comes() {
    let world = world(1, 1);
    let mut plan = Plan::new(&[]);
    let source = plan.source("source", &[("unbounded", "true"), ("splits", "0")], 1);
    let ticker = plan.identity("ticker", 1);
    let end = plan.add("collect", flott_plan::OperatorSpec::Collect, 1);
    plan.connect(source, ticker, Exchange::Forward);
    plan.connect(ticker, end, Exchange::Rebalance);
    let client = world.cluster.submit(&plan.build()).unwrap();
    let results = client.results().unwrap();
    let mut ticks = Vec::new();
    while ticks.len() < 5 {
        match results.next_within(std::time::Duration::from_secs(5)).unwrap() {
            NextRows::Rows(rows) => {
                ticks.extend(crate::support::pairs(rows.columns()).into_iter().map(|(k, _)| k))
            }
            other => panic!("{other:?} after {ticks:?}"),
        }
    }
    assert_eq!(ticks, [5, 4, 3, 2, 1]);
    client.cancel();
}

#[test]
fn an_operator_that_breaks_a_rule_is_named() {
    for (name, rule) in
        [("back", "watermark 4 is emitted after 5"), ("types", "the output has columns [Int64]")]
    {
        let world = world(1, 1);
        let mut plan = Plan::new(&[]);
        let source = plan.source("source", &[], 1);
        let calc = plan.identity(name, 1);
        let sink = plan.sink("sink", &[("direct", "true")], 1);
        plan.connect(source, calc, Exchange::Forward);
        plan.connect(calc, sink, Exchange::Forward);
        let error = world.cluster.submit(&plan.build()).unwrap().wait().unwrap_err().to_string();
        assert!(error.contains(&format!("{name}: invariant violated: {rule}")), "{error}");
    }
}

#[test]
fn a_row_is_sent_on_after_the_buffer_timeout_though_the_input_never_runs_dry() {
    for enabled in ["true", "false"] {
        let world = world(1, 1);
        let mut plan = Plan::new(&[
            ("execution.buffer-timeout.interval", "10 ms"),
            ("execution.buffer-timeout.enabled", enabled),
        ]);
        let source = plan.source("source", &[("rows", "1000000000"), ("batch", "100")], 1);
        let first = plan.first_row("first", 1);
        let sink = plan.sink("sink", &[("direct", "true")], 1);
        plan.connect(source, first, Exchange::Forward);
        plan.connect(first, sink, Exchange::Rebalance);
        let client = world.cluster.submit(&plan.build()).unwrap();
        let arrived = || world.committed.direct.lock().len() == 1;
        if enabled == "true" {
            assert!(eventually(arrived));
        } else {
            let emitted = || world.controls.emitted.load(Ordering::SeqCst);
            assert!(eventually(|| emitted() > 50_000));
            assert!(!arrived(), "nothing was to send it on");
        }
        client.cancel();
    }
}
