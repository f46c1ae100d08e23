//! says: `Log` is not a function on a stream of `i64`
//! says: does not implement `ProcessFunction<i64>`

use flott::prelude::*;

#[derive(Clone)]
struct Log;

impl ProcessFunction<String> for Log {
    type Out = String;

    fn process_element(&mut self, value: String, ctx: &mut ProcessContext<'_, String>) -> Result<()> {
        ctx.collect(value);
        Ok(())
    }
}

fn main() {
    let env = StreamExecutionEnvironment::new();
    env.from_sequence(1, 10).process(Log).discard(); //~ here
}
