//! says: `Log: Clone` is not satisfied
//! says: consider annotating `Log` with `#[derive(Clone)]`

use flott::prelude::*;

struct Log;

impl ProcessFunction<i64> for Log {
    type Out = i64;

    fn process_element(&mut self, value: i64, ctx: &mut ProcessContext<'_, i64>) -> Result<()> {
        ctx.collect(value);
        Ok(())
    }
}

fn main() {
    let env = StreamExecutionEnvironment::new();
    env.from_sequence(1, 10).process(Log).discard(); //~ here
}
