//! says: type mismatch in closure arguments
//! says: expected due to this

use flott::prelude::*;

fn main() {
    let env = StreamExecutionEnvironment::new();
    env.from_sequence(1, 10)
        .map(|line: String| line.len() as u64) //~ here
        .discard();
}
