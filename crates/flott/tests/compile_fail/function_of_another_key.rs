//! says: `Count` is not a function on a stream of `i64` keyed by `bool`
//! says: its type parameters are the types of the key and of the records

use flott::prelude::*;

#[derive(Clone)]
struct Count;

impl KeyedProcessFunction<String, i64> for Count {
    type Out = i64;

    fn process_element(&mut self, _: i64, _: &mut KeyedContext<'_, String, i64>) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let env = StreamExecutionEnvironment::new();
    env.from_sequence(1, 10).key_by(|n| n % 2 == 0).process(Count).discard(); //~ here
}
