//! says: Counter: Clone` is not satisfied
//! says: consider annotating `Counter` with `#[derive(Clone)]`

use flott::prelude::*;

struct Counter(i64);

impl Counter {
    fn next(&mut self) -> i64 {
        self.0 += 1;
        self.0
    }
}

fn main() {
    let env = StreamExecutionEnvironment::new();
    let mut counter = Counter(0);
    env.from_sequence(1, 10)
        .map(move |n| n + counter.next()) //~ here
        .discard();
}
