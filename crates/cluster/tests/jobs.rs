//! Jobs from submission to their end.

mod support;

use flott_plan::{Exchange, OperatorSpec};
use support::{Plan, collect, finish, world};

#[test]
fn a_bounded_job_runs_from_source_to_client() {
    let world = world(1, 1);
    let mut plan = Plan::new(&[]);
    let source = plan.source("source", &[("splits", "3"), ("rows", "25")], 1);
    let calc = plan.identity("calc", 1);
    let rows = plan.add("collect", OperatorSpec::Collect, 1);
    plan.connect(source, calc, Exchange::Forward);
    plan.connect(calc, rows, Exchange::Forward);
    let client = world.cluster.submit(&plan.build()).unwrap();
    let rows = collect(&client.results().unwrap());
    let mut want: Vec<_> = (0..75).map(|v| (v % 10, v)).collect();
    want.sort_unstable();
    assert_eq!(rows, want);
    finish(&client);
}
