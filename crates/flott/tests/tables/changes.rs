//! Streams of changes in both directions.

use flott::batch::RowKind::{self, Delete, Insert, UpdateAfter, UpdateBefore};
use flott::connector::Changelog;
use flott::table::{Schema, StreamTableEnvironment};
use flott_testkit::{MiniCluster, TestSink, TestSource};

use crate::{environment, values};

fn row(kind: RowKind, user: &str, amount: i64) -> (RowKind, (String, i64)) {
    (kind, (user.to_owned(), amount))
}

#[test]
fn changes_of_a_table_are_values_with_their_kind() {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::<(String, i64)>::new(), TestSink::new());
    let env = cluster.environment();
    let tables = StreamTableEnvironment::new(&env).unwrap();
    tables.create_temporary_view("orders", &source.stream(&env)).unwrap();
    let sums = tables.sql_query("SELECT f0, SUM(f1) FROM orders GROUP BY f0").unwrap();
    sums.to_changelog_stream::<(String, i64)>().unwrap().sink_to(sink.clone());
    let _job = env.execute_async("sums").unwrap();
    source.push(("ann".to_owned(), 2)).unwrap();
    cluster.settle().unwrap();
    source.push(("ann".to_owned(), 3)).unwrap();
    cluster.settle().unwrap();
    assert_eq!(sink.take(), [row(Insert, "ann", 2), row(UpdateBefore, "ann", 2), row(UpdateAfter, "ann", 5)]);
}

#[test]
fn a_stream_of_changes_is_a_table_that_changes() {
    let (env, tables) = environment();
    let changes = env.from_collection([
        row(Insert, "ann", 1),
        row(Insert, "bob", 10),
        row(UpdateBefore, "ann", 1),
        row(UpdateAfter, "ann", 5),
        row(Delete, "bob", 10),
    ]);
    let table = tables.from_changelog_stream(&changes).unwrap();
    let total = tables.sql_query(&format!("SELECT SUM(f1), COUNT(*) FROM {table}")).unwrap();
    let last = values(&total.to_changelog_stream::<(Option<i64>, i64)>().unwrap()).pop();
    let (kind, sum) = last.unwrap();
    assert!(kind.is_addition());
    assert_eq!(sum, (Some(5), 1));
}

/// Upserts have no -U, and a deletion needs only the key.
#[test]
fn the_last_upsert_of_a_key_counts() {
    let (env, tables) = environment();
    let changes = env.from_collection([
        row(Insert, "ann", 1),
        row(UpdateAfter, "bob", 10),
        row(UpdateAfter, "ann", 5),
        row(Delete, "bob", 0),
    ]);
    let schema = Schema::new().primary_key(["f0"]);
    let table = tables.from_changelog_stream_with(&changes, &schema, Changelog::Upsert).unwrap();
    let mut rows: Vec<(String, i64)> = Vec::new();
    for (kind, row) in values(&table.to_changelog_stream::<(String, i64)>().unwrap()) {
        match kind {
            Insert | UpdateAfter => rows.push(row),
            UpdateBefore | Delete => rows.retain(|known| *known != row),
        }
    }
    assert_eq!(rows, [("ann".to_owned(), 5)]);
}

/// The changes of a row keep their order on their way, with several subtasks too.
#[test]
fn changes_pass_a_program_unchanged() {
    let (env, tables) = environment();
    env.set_parallelism(3);
    tables.create_temporary_view("n", &env.from_sequence(1, 2_000)).unwrap();
    let sums = tables.sql_query("SELECT MOD(f0, 7) AS k, SUM(f0) AS v FROM n GROUP BY MOD(f0, 7)").unwrap();
    let changes = sums.to_changelog_stream::<(i64, i64)>().unwrap();
    let again = tables.from_changelog_stream(&changes.filter(|_| true)).unwrap();
    let total = tables.sql_query(&format!("SELECT SUM(f1) FROM {again}")).unwrap();
    let (kind, total) = values(&total.to_changelog_stream::<i64>().unwrap()).pop().unwrap();
    assert_eq!((kind.is_addition(), total), (true, 2_000 * 2_001 / 2));
}
