//! Windows of all that a subtask or a key has, which end with the input.

use flott_datastream::*;

use crate::support::{Feed, LONG, Seen, environment, stop};

fn words(env: &StreamExecutionEnvironment) -> DataStream<(String, i64)> {
    env.from_collection([("b", 2), ("a", 3), ("b", 1), ("a", 1)])
}

fn collect<T: Record>(stream: &DataStream<T>) -> Vec<T> {
    stream.execute_and_collect("test").unwrap().collect::<Result<_>>().unwrap()
}

fn sorted<T: Record + Ord>(stream: &DataStream<T>) -> Vec<T> {
    let mut values = collect(stream);
    values.sort();
    values
}

/// Sum and number.
#[derive(Clone)]
struct Total;

impl AggregateFunction for Total {
    type In = (String, i64);
    type Acc = (i64, u32);
    type Out = (i64, u32);

    fn create_accumulator(&self) -> (i64, u32) {
        (0, 0)
    }

    fn add(&self, (_, value): (String, i64), total: &mut (i64, u32)) {
        *total = (total.0 + value, total.1 + 1);
    }

    fn get_result(&self, total: &(i64, u32)) -> (i64, u32) {
        *total
    }

    fn merge(&self, into: &mut (i64, u32), other: (i64, u32)) {
        *into = (into.0 + other.0, into.1 + other.1);
    }
}

#[test]
fn a_subtask_sorts_and_maps_what_it_has() {
    let env = environment(1, None);
    let window = words(&env).full_window_partition();
    let up = window.sort_partition(|(word, _)| word.clone(), Order::Ascending);
    let expected = [("a", 3), ("a", 1), ("b", 2), ("b", 1)].map(|(word, n)| (word.to_owned(), n));
    assert_eq!(collect(&up), expected, "those with equal keys stay in order");
    let down = words(&env).full_window_partition().sort_partition(|(_, n)| *n, Order::Descending);
    assert_eq!(collect(&down).iter().map(|(_, n)| *n).collect::<Vec<_>>(), [3, 2, 1, 1]);
    let counts = words(&env).full_window_partition().map_partition(|values, out| out.collect(values.len()));
    assert_eq!(collect(&counts), [4]);
}

/// As in Flink a subtask without values reduces to nothing and aggregates to the result of none.
#[test]
fn each_subtask_has_its_own_result() {
    let env = environment(3, None);
    let all = words(&env).global();
    let reduced = all.full_window_partition().reduce(|a, b| (a.0.max(b.0), a.1 + b.1));
    assert_eq!(sorted(&reduced), [("b".to_owned(), 7)]);
    let totals = words(&env).global().full_window_partition().aggregate(Total);
    assert_eq!(sorted(&totals), [(0, 0), (0, 0), (7, 4)]);
}

#[test]
fn each_key_has_its_own_result() {
    let env = environment(2, None);
    let keyed =
        |env: &StreamExecutionEnvironment| words(env).key_by_ref(|(word, _)| word).full_window_partition();
    let pair = |word: &str, n| (word.to_owned(), n);
    assert_eq!(sorted(&keyed(&env).reduce(|a, b| (a.0, a.1 + b.1))), [pair("a", 4), pair("b", 3)]);
    assert_eq!(sorted(&keyed(&env).aggregate(Total)), [(3, 2), (4, 2)]);
    let least = keyed(&env).sort_partition(|(_, n)| *n, Order::Ascending).key_by_ref(|(word, _)| word);
    let firsts = least.map_with_state(|value, seen: &mut Option<bool>| (seen.replace(true).is_none(), value));
    let firsts = firsts.filter(|(first, _)| *first).map(|(_, value)| value);
    assert_eq!(sorted(&firsts), [pair("a", 1), pair("b", 1)]);
    let sizes =
        keyed(&env).map_partition(|values, out| out.collect((values[0].0.clone(), values.len() as i64)));
    assert_eq!(sorted(&sizes), [pair("a", 2), pair("b", 2)]);
}

/// What was folded is in the savepoint; two subtasks of it become one.
#[test]
fn what_was_folded_is_restored_at_another_parallelism() {
    let folder = tempfile::tempdir().unwrap();
    let feed = Feed::<i64>::new();
    let job = |parallelism: u32, savepoint: Option<&str>| {
        let env = environment(parallelism, savepoint);
        let numbers = feed.stream(&env).rebalance();
        // One that tells that it has its number, so that the test knows when to stop.
        let seen = Seen::of(&numbers.map(|n| n).parallelism(1));
        let sums = numbers.full_window_partition().reduce(|a, b| a + b).uid("sum").parallelism(parallelism);
        let sums = Seen::named(&sums, "sums");
        (env.execute_async("sums").unwrap(), seen, sums)
    };
    let (first, seen, _) = job(2, None);
    feed.push([1, 2, 3, 4]);
    seen.take(4, &first);
    let savepoint = stop(&first, &folder);
    let (second, seen, sums) = job(1, Some(&savepoint));
    feed.push([10]);
    seen.take(1, &second);
    let target = folder.path().to_str().unwrap();
    crate::support::once_running(|| second.stop_with_savepoint(Some(target), true)).unwrap();
    second.wait_for(LONG).unwrap();
    assert_eq!(sums.now(), [20]);
}
