//! What crosses between the tasks of both parts can be written as bytes and read again: values by their type,
//! rows by their columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott::cluster::LocalClusterOptions;
use flott::datastream::Executor;
use flott::prelude::*;
use flott::table::StreamTableEnvironment;
use flott_runtime::piped::PipedExchanges;

use crate::values;

#[test]
fn both_parts_speak_across_a_network() {
    let executor = Executor::start(|registry, operators| {
        let mut options = LocalClusterOptions::new(Arc::new(registry), operators, 1_000);
        options.exchanges = Arc::new(PipedExchanges::new(7, options.threads.clone()));
        options
    });
    let env = StreamExecutionEnvironment::on(executor.unwrap());
    env.set_parallelism(3).disable_operator_chaining();
    let tables = StreamTableEnvironment::new(&env).unwrap();
    let words = env.from_parallel_collection((0..300).map(|n| (format!("w{}", n % 10), n as i64)));
    tables.create_temporary_view("words", &words).unwrap();
    let even = tables.sql_query("SELECT f0, f1 FROM words WHERE MOD(f1, 2) = 0").unwrap();
    let even = even.to_data_stream::<(String, i64)>().unwrap();
    let sums = even.key_by_ref(|(word, _)| word).sum(|(_, value)| value).uid("sums");
    tables.create_temporary_view("sums", &sums).unwrap();
    // Counts rows without reading a column of them, too.
    let largest = tables.sql_query("SELECT f0, MAX(f1) FROM sums GROUP BY f0").unwrap();
    let rows = tables.sql_query("SELECT 'rows', COUNT(*) FROM sums").unwrap();
    let both = largest
        .to_changelog_stream::<(String, i64)>()
        .unwrap()
        .union(&rows.to_changelog_stream::<(String, i64)>().unwrap());
    let mut last = BTreeMap::new();
    for (kind, (word, value)) in values(&both) {
        if kind.is_addition() {
            let largest = last.entry(word).or_insert(value);
            *largest = value.max(*largest);
        }
    }
    let mut expected: BTreeMap<String, i64> = [0, 2, 4, 6, 8]
        .map(|digit: i64| (format!("w{digit}"), (0..300).filter(|n| n % 10 == digit).sum::<i64>()))
        .into();
    expected.insert("rows".to_owned(), 150);
    assert_eq!(last, expected);
}
