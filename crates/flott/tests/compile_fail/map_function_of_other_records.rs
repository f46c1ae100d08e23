//! says: `Length` is not a `MapFunction` of `i64`
//! says: closures go to the method without `_with`

use flott::prelude::*;

#[derive(Clone)]
struct Length;

impl MapFunction<String> for Length {
    type Out = u64;

    fn map(&mut self, value: String) -> Result<u64> {
        Ok(value.len() as u64)
    }
}

fn main() {
    let env = StreamExecutionEnvironment::new();
    env.from_sequence(1, 10)
        .map_with(Length) //~ here
        .discard();
}
