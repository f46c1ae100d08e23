//! says: `Sale` cannot be a record of a stream
//! says: derive `serde::Serialize` and `serde::Deserialize` for `Sale`

use flott::prelude::*;

struct Sale {
    amount: u64,
}

fn main() {
    let env = StreamExecutionEnvironment::new();
    env.from_sequence(1, 10).map(|n| Sale { amount: n as u64 }).discard(); //~ here
}
