//! Timestamps and watermarks in both directions.

use flott::prelude::*;
use flott::table::{Schema, StreamTableEnvironment};
use flott_testkit::{MiniCluster, TestSink, TestSource};

fn rowtime() -> Schema {
    Schema::new()
        .column_by_metadata("rowtime", "TIMESTAMP_LTZ(3)", "rowtime")
        .watermark("rowtime", "SOURCE_WATERMARK()")
}

/// SQL's windows fire with the watermarks of the stream, and the watermarks go on behind them.
#[test]
fn watermarks_pass_from_a_stream_through_a_table_into_a_stream() {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::<String>::new(), TestSink::new());
    let env = cluster.environment();
    let tables = StreamTableEnvironment::new(&env).unwrap();
    tables.create_temporary_view_with("clicks", &source.stream(&env), &rowtime()).unwrap();
    let windows = tables
        .sql_query(
            "SELECT f0, COUNT(*), window_time
             FROM TUMBLE(TABLE clicks, DESCRIPTOR(rowtime), INTERVAL '10' SECOND)
             GROUP BY f0, window_start, window_end, window_time",
        )
        .unwrap();
    // Windows of the program over windows of the table.
    windows
        .to_data_stream::<(String, i64, i64)>()
        .unwrap()
        .key_by_ref(|(user, _, _)| user)
        .window(TumblingEventTimeWindows::of(Duration::from_secs(20)))
        .reduce(|sum, next| (sum.0, sum.1 + next.1, next.2))
        .sink_to(sink.clone());
    let _job = env.execute_async("clicks").unwrap();

    let push = |user: &str, at: i64| source.push_at(user.to_owned(), at).unwrap();
    push("ann", 1_000);
    push("ann", 9_000);
    push("bob", 12_000);
    source.watermark(9_998);
    cluster.settle().unwrap();
    assert!(sink.take().is_empty());
    source.watermark(19_998);
    cluster.settle().unwrap();
    assert!(sink.take().is_empty(), "the second window of the table has not ended");
    source.watermark(19_999);
    cluster.settle().unwrap();
    let mut rows = sink.take();
    rows.sort();
    assert_eq!(rows, [("ann".to_owned(), 2, 9_999), ("bob".to_owned(), 1, 19_999)]);
}

/// The watermarks of the stream may be those of a computed column.
#[test]
fn a_computed_column_is_event_time_with_the_watermarks_of_the_stream() {
    let (env, tables) = crate::environment();
    let clicks = env.from_collection([("ann", 1_000_i64), ("bob", 9_000), ("ann", 11_000)]);
    let clicks = clicks.assign_timestamps_and_watermarks(
        WatermarkStrategy::for_monotonous_timestamps()
            .with_timestamp_assigner(|click: &(String, i64), _| click.1),
    );
    let schema = Schema::new()
        .column_by_expression("ts", "TO_TIMESTAMP_LTZ(f1, 3)")
        .watermark("ts", "SOURCE_WATERMARK()");
    tables.create_temporary_view_with("clicks", &clicks, &schema).unwrap();
    let windows = "SELECT COUNT(*) FROM TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND)
         WHERE f0 <> 'eve' GROUP BY window_start, window_end";
    let counts = tables.sql_query(windows).unwrap().to_data_stream::<i64>().unwrap();
    assert_eq!(crate::values(&counts), [2, 1]);
}

/// A watermark of the table's own replaces that of the stream.
#[test]
fn a_table_can_have_a_watermark_of_its_own() {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::<(String, i64)>::new(), TestSink::new());
    let env = cluster.environment();
    env.set("pipeline.auto-watermark-interval", "0 ms");
    let tables = StreamTableEnvironment::new(&env).unwrap();
    let schema = Schema::new()
        .column_by_expression("rowtime", "TO_TIMESTAMP_LTZ(f1, 3)")
        .watermark("rowtime", "rowtime - INTERVAL '1' SECOND");
    let clicks = tables.from_data_stream_with(&source.stream(&env), &schema).unwrap();
    tables.create_temporary_view_of("clicks", &clicks).unwrap();
    let table = tables.sql_query("SELECT f0, rowtime FROM clicks").unwrap();
    table.to_data_stream::<(String, i64)>().unwrap().sink_to(sink.clone());
    let _job = env.execute_async("clicks").unwrap();
    source.push(("a".to_owned(), 5_000)).unwrap();
    cluster.settle().unwrap();
    // The time attribute is the timestamp.
    assert_eq!(sink.take_with_timestamps(), [(("a".to_owned(), 5_000), Some(5_000))]);
}

#[test]
fn a_table_without_event_time_gives_no_timestamps() {
    let cluster = MiniCluster::new().unwrap();
    let (source, sink) = (TestSource::<i64>::new(), TestSink::new());
    let env = cluster.environment();
    let tables = StreamTableEnvironment::new(&env).unwrap();
    let table = tables.from_data_stream(&source.stream(&env)).unwrap();
    table.to_data_stream::<i64>().unwrap().sink_to(sink.clone());
    let _job = env.execute_async("numbers").unwrap();
    source.push_at(1, 77).unwrap();
    cluster.settle().unwrap();
    assert_eq!(sink.take_with_timestamps(), [(1, None)]);
}

#[test]
fn a_record_without_a_timestamp_is_an_error_where_the_table_reads_it() {
    let (env, tables) = crate::environment();
    let table = tables.from_data_stream_with(&env.from_sequence(1, 2), &rowtime()).unwrap();
    let failed = table
        .to_data_stream::<(i64, i64)>()
        .unwrap()
        .execute_and_collect("test")
        .unwrap()
        .find_map(Result::err);
    let told = failed.unwrap().to_string();
    assert!(told.contains("assign_timestamps_and_watermarks"), "{told}");
}
