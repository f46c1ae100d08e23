//! says: mismatched types
//! says: expected `u64`, found `&str`

use flott::prelude::*;

#[derive(Clone, Default)]
struct Count {
    count: ValueState<u64>,
}

impl KeyedProcessFunction<bool, i64> for Count {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.count = context.value_state("count")?;
        Ok(())
    }

    fn process_element(&mut self, _: i64, ctx: &mut KeyedContext<'_, bool, i64>) -> Result<()> {
        self.count.set(ctx, "one"); //~ here
        Ok(())
    }
}

fn main() {
    let env = StreamExecutionEnvironment::new();
    env.from_sequence(1, 10).key_by(|n| n % 2 == 0).process(Count::default()).discard();
}
