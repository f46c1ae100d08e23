//! Sources whose values are computed.

use flott_datastream::source::{DataGeneratorSource, RateLimited};
use flott_datastream::*;

#[test]
fn values_are_computed_from_their_number() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(3);
    let squares = DataGeneratorSource::new(|n| (n, n * n), 1_000);
    let squares = env.from_source(squares, WatermarkStrategy::no_watermarks(), "squares");
    let mut values = squares.execute_and_collect("squares").unwrap().collect::<Result<Vec<_>>>().unwrap();
    values.sort();
    assert_eq!(values, (0..1_000).map(|n| (n, n * n)).collect::<Vec<_>>());
}

#[test]
fn an_endless_source_has_a_rate() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(1);
    let numbers = RateLimited::new(DataGeneratorSource::new(|n| n, u64::MAX), 100_000.0).unwrap();
    let numbers = env.from_source(numbers, WatermarkStrategy::no_watermarks(), "numbers");
    assert_eq!(numbers.execute_and_collect_limit("numbers", 3).unwrap(), [0, 1, 2]);
}
