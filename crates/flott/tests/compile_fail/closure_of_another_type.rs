//! says: mismatched types
//! says: expected `i64`, found `String`

use flott::prelude::*;

fn main() {
    let env = StreamExecutionEnvironment::new();
    let numbers = env.from_sequence(1, 10);
    numbers.key_by(|n| n % 2).reduce(|a, b| (a + b).to_string()).discard(); //~ here
}
