//! says: `Label` is not a function of windows
//! says: of `i64` keyed by `bool`
//! says: behind `aggregate_with` the window holds the result

use flott::prelude::*;

#[derive(Clone)]
struct Label;

impl ProcessWindowFunction<bool, TimeWindow, String> for Label {
    type Out = String;

    fn process(&mut self, texts: &[String], ctx: &mut WindowContext<'_, bool, TimeWindow, String>) -> Result<()> {
        ctx.collect(texts.join(" "));
        Ok(())
    }
}

fn main() {
    let env = StreamExecutionEnvironment::new();
    env.from_sequence(1, 10)
        .key_by(|n| n % 2 == 0)
        .window(TumblingEventTimeWindows::of(Duration::from_secs(1)))
        .process(Label) //~ here
        .discard();
}
