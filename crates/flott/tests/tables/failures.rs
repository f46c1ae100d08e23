//! Failures and restores: both parts have one snapshot.

use flott::prelude::*;
use flott::table::StreamTableEnvironment;
use flott_testkit::{Fault, MiniCluster, TestSink, TestSource};

type Sale = (String, i64);

fn sale(user: &str, amount: i64) -> Sale {
    (user.to_owned(), amount)
}

/// State of the program, then of SQL, then of the program: running sums of running sums.
fn describe(env: &StreamExecutionEnvironment, sales: &TestSource<Sale>, sink: TestSink<Sale>, query: &str) {
    let tables = StreamTableEnvironment::new(env).unwrap();
    let sums = sales.stream(env).uid("sales").key_by_ref(|(user, _)| user).sum(|(_, amount)| amount);
    tables.create_temporary_view("sums", &sums.uid("before")).unwrap();
    let table = tables.sql_query(query).unwrap();
    let changes = table.to_changelog_stream::<Sale>().unwrap();
    let after = changes.filter(|(kind, _)| kind.is_addition()).map(|(_, sale)| sale);
    after
        .key_by_ref(|(user, _)| user)
        .map_with_state(|(user, sum), seen: &mut Option<i64>| {
            let times = seen.get_or_insert(0);
            *times += 1;
            (format!("{user} #{times}"), sum)
        })
        .uid("after")
        .sink_to(sink)
        .uid("sink");
}

const QUERY: &str = "SELECT f0, SUM(f1) FROM sums GROUP BY f0";

#[test]
fn a_failure_in_any_part_loses_nothing_and_repeats_nothing() {
    for place in ["TableSourceScan", "GroupAggregate", "From Changes", "Map"] {
        let cluster = MiniCluster::new().unwrap();
        let (source, sink) = (TestSource::new(), TestSink::transactional());
        let env = cluster.environment();
        env.enable_checkpointing(Duration::from_secs(3_600));
        describe(&env, &source, sink.clone(), QUERY);
        let names: Vec<String> = names(&env);
        let job = env.execute_async("sales").unwrap();
        source.push(sale("ann", 1)).unwrap();
        cluster.settle().unwrap();
        source.push(sale("ann", 2)).unwrap();
        cluster.checkpoint(&job).unwrap();
        assert_eq!(sink.take(), [sale("ann #1", 1), sale("ann #2", 4)]);

        let found = names.iter().find(|name| name.starts_with(place));
        let found = found.unwrap_or_else(|| panic!("there is no {place} among {names:?}"));
        cluster.fail(Fault::at_record(found, 2));
        source.push(sale("ann", 3)).unwrap();
        cluster.settle().unwrap();
        source.push(sale("bob", 7)).unwrap();
        cluster.settle().unwrap();
        assert_eq!(cluster.pending_faults().len(), 0, "{found} has not failed");
        assert_eq!(job.info().checkpoints.restored, 1);
        cluster.checkpoint(&job).unwrap();
        // 1 + 3 + 6
        let mut taken = sink.take();
        taken.sort();
        assert_eq!(taken, [sale("ann #3", 10), sale("bob #1", 7)], "failed at {found}");
        cluster.cancel(&job).unwrap();
    }
}

fn names(env: &StreamExecutionEnvironment) -> Vec<String> {
    let plan = env.execution_plan().unwrap();
    let names = plan.lines().filter_map(|line| line.trim().strip_prefix("\"type\": \""));
    names.map(|name| name.trim_end_matches(['"', ',']).to_owned()).collect()
}

/// A new version of the program has another query beside the old one, and another stream; the state of the
/// rest is found again, at another parallelism.
#[test]
fn state_of_both_parts_is_found_again_in_a_changed_program() {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::new(), TestSink::transactional());
    let env = cluster.environment();
    describe(&env, &source, sink.clone(), QUERY);
    let job = env.execute_async("sales").unwrap();
    source.push(sale("ann", 1)).unwrap();
    source.push(sale("bob", 2)).unwrap();
    let savepoint = cluster.savepoint(&job).unwrap();
    cluster.cancel(&job).unwrap();
    sink.take();

    let sink = TestSink::transactional();
    let env = cluster.environment();
    env.set("execution.state-recovery.path", &savepoint);
    env.set_parallelism(2);
    let tables = StreamTableEnvironment::new(&env).unwrap();
    // Another table, and so another stream, are made first.
    let other = tables.from_data_stream(&env.from_sequence(1, 3)).unwrap();
    let other = tables.sql_query(&format!("SELECT COUNT(*), SUM(f0) FROM {other}")).unwrap();
    other.to_changelog_stream::<(i64, i64)>().unwrap().discard();
    let sums = source.stream(&env).uid("sales").key_by_ref(|(user, _): &Sale| user).sum(|(_, amount)| amount);
    tables.create_temporary_view("sums", &sums.uid("before")).unwrap();
    // The same aggregation, renamed and with a filter behind it.
    let table = tables
        .sql_query("SELECT u, s FROM (SELECT f0 AS u, SUM(f1) AS s FROM sums GROUP BY f0) WHERE s > 0")
        .unwrap();
    let changes = table.to_changelog_stream::<Sale>().unwrap();
    let after = changes.filter(|(kind, _)| kind.is_addition()).map(|(_, sale)| sale);
    after
        .key_by_ref(|(user, _)| user)
        .map_with_state(|(user, sum), seen: &mut Option<i64>| {
            let times = seen.get_or_insert(0);
            *times += 1;
            (format!("{user} #{times}"), sum)
        })
        .uid("after")
        .sink_to(sink.clone())
        .uid("sink");
    let job = env.execute_async("sales").unwrap();
    source.push(sale("ann", 10)).unwrap();
    source.push(sale("bob", 20)).unwrap();
    cluster.checkpoint(&job).unwrap();
    let mut taken = sink.take();
    taken.sort();
    // 1 + 11, 2 + 22
    assert_eq!(taken, [sale("ann #2", 12), sale("bob #2", 24)]);
}

/// One stream under two names: the state of neither goes to the other when they change places.
#[test]
fn tables_of_equal_streams_are_told_apart_by_their_names() {
    let cluster = MiniCluster::new().unwrap();
    let source = TestSource::<Sale>::new();
    let run = |first: &str, second: &str, restored: Option<&str>| {
        let env = cluster.environment();
        restored.map(|path| env.set("execution.state-recovery.path", path));
        let tables = StreamTableEnvironment::new(&env).unwrap();
        let stream = source.stream(&env).uid("sales");
        let big = stream.filter(|(_, amount)| *amount >= 10);
        tables.create_temporary_view("all_sales", &stream).unwrap();
        tables.create_temporary_view("big", &big).unwrap();
        let (sink, query) = (TestSink::new(), |name: &str| {
            let table = tables.sql_query(&format!("SELECT '{name}', SUM(f1) FROM {name}")).unwrap();
            table.to_changelog_stream::<Sale>().unwrap()
        });
        let both =
            query(first).union(&query(second)).filter(|(kind, _)| kind.is_addition()).map(|(_, sale)| sale);
        both.sink_to(sink.clone()).uid("sink");
        (env.execute_async("sales").unwrap(), sink)
    };
    let (job, sink) = run("all_sales", "big", None);
    source.push(sale("ann", 1)).unwrap();
    source.push(sale("ann", 10)).unwrap();
    let savepoint = cluster.savepoint(&job).unwrap();
    cluster.cancel(&job).unwrap();
    sink.take();
    let (job, sink) = run("big", "all_sales", Some(&savepoint));
    source.push(sale("ann", 100)).unwrap();
    cluster.settle().unwrap();
    let mut taken = sink.take();
    taken.sort();
    assert_eq!(taken, [sale("all_sales", 111), sale("big", 110)]);
    cluster.cancel(&job).unwrap();
}
