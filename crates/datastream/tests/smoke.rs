//! The shortest programs.

use flott_datastream::{Result, StreamExecutionEnvironment};

#[test]
fn words_are_counted() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2);
    let counts = env
        .from_collection(["to be or not", "to be"].map(String::from))
        .flat_map(|line: String, out| line.split(' ').for_each(|word| out.collect((word.to_owned(), 1))))
        .key_by_ref(|(word, _)| word)
        .sum(|(_, count)| count);
    let counts = counts.execute_and_collect("words").unwrap();
    let mut counts: Vec<(String, i32)> = counts.collect::<Result<_>>().unwrap();
    counts.sort();
    let expected = [("be", 1), ("be", 2), ("not", 1), ("or", 1), ("to", 1), ("to", 2)];
    assert_eq!(counts, expected.map(|(word, count)| (word.to_owned(), count)));
}
