//! NOT NULL columns of the table that a job writes to.

use flott_cluster::JobClient;
use flott_plan::{Exchange, Expr, Literal, OperatorSpec, Schema};
use flott_types::TypeKind;

use crate::support::{Plan, World, bigint, finish, world};

/// `(1, 1), (2, NULL), (NULL, 3)` into `k BIGINT, v BIGINT NOT NULL` with primary key `k`, or without.
fn submit(world: &World, primary_key: bool, configuration: &[(&str, &str)]) -> JobClient {
    let literal = |value| Expr::literal(value, bigint());
    let (int, null) = (|value| literal(Literal::Integer(value)), || literal(Literal::Null));
    let mut rows = vec![vec![int(1), int(1)], vec![int(2), null()]];
    if primary_key {
        rows.push(vec![null(), int(3)]);
    }
    let mut plan = Plan::new(configuration);
    let values = plan.add("values", OperatorSpec::Values { rows }, 1);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(values, sink, Exchange::Forward);
    if let OperatorSpec::Sink(spec) = &mut plan.graph.nodes[sink.0 as usize].spec {
        spec.table.schema = Schema::new([("k", bigint()), ("v", TypeKind::BigInt.not_null())]);
        spec.table.primary_key = if primary_key { vec![0] } else { Vec::new() };
    }
    world.cluster.submit(&plan.build()).unwrap()
}

#[test]
fn a_null_in_a_not_null_column_fails_the_job_and_says_what_to_do() {
    let world = world(1, 1);
    let error = submit(&world, false, &[]).wait().unwrap_err().to_string();
    assert!(
        error.contains(
            "sink: Column 'v' is NOT NULL, however, a null value is being written into it. You can set job \
             configuration 'table.exec.sink.not-null-enforcer'='DROP' to suppress this exception"
        ),
        "{error}"
    );
    assert_eq!(world.committed.rows(), []);
}

#[test]
fn such_rows_are_dropped_and_counted_if_that_is_asked_for() {
    let world = world(1, 1);
    let client = submit(&world, true, &[("table.exec.sink.not-null-enforcer", "drop")]);
    finish(&client);
    assert_eq!(world.committed.rows(), [(1, 1)]);
    let metrics = client.metrics();
    let sink = metrics.vertices[0].tasks[0].1.operators.last().unwrap();
    assert_eq!((sink.num_records_out, sink.num_records_out_errors), (1, 2));
}

#[test]
fn unsupported_features_are_refused() {
    let world = world(1, 1);
    let mut plan = Plan::new(&[("table.exec.sink.type-length-enforcer", "TRIM_PAD")]);
    let source = plan.source("source", &[], 1);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(source, sink, Exchange::Forward);
    let error = world.cluster.submit(&plan.build()).err().unwrap().to_string();
    assert_eq!(error, "option 'table.exec.sink.type-length-enforcer' is 'TRIM_PAD'; expected one of IGNORE");
}
