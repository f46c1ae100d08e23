//! Functions that are tested.

use std::time::Duration;

use flott_datastream::{
    KeyedContext, KeyedProcessFunction, OutputTag, Result, RuntimeContext, TimeDomain, Timestamp, ValueState,
};

/// Counts values per key, and emits `key=count` when nothing has arrived for a minute, in event time if
/// records have timestamps. Negative values go to a side output.
#[derive(Clone)]
pub struct Visits {
    pub negative: OutputTag<i64>,
    count: ValueState<u64>,
    timer: ValueState<Timestamp>,
}

pub const PAUSE: Duration = Duration::from_secs(60);

pub fn visits() -> Visits {
    Visits {
        negative: OutputTag::new("negative"),
        count: ValueState::default(),
        timer: ValueState::default(),
    }
}

impl KeyedProcessFunction<String, (String, i64)> for Visits {
    type Out = String;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.count = context.value_state("count")?;
        self.timer = context.value_state("timer")?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (_, value): (String, i64),
        ctx: &mut KeyedContext<'_, String, String>,
    ) -> Result<()> {
        if value < 0 {
            let negative = self.negative.clone();
            ctx.output(&negative, value);
            return Ok(());
        }
        let count = self.count.get(ctx).copied().unwrap_or(0);
        self.count.set(ctx, count + 1);
        let before = self.timer.take(ctx);
        let pause = PAUSE.as_millis() as i64;
        let at = match ctx.timestamp() {
            Some(timestamp) => {
                before.into_iter().for_each(|at| ctx.delete_event_time_timer(at));
                ctx.register_event_time_timer(timestamp + pause);
                timestamp + pause
            }
            None => {
                before.into_iter().for_each(|at| ctx.delete_processing_time_timer(at));
                let at = ctx.current_processing_time() + pause;
                ctx.register_processing_time_timer(at);
                at
            }
        };
        self.timer.set(ctx, at);
        Ok(())
    }

    fn on_timer(&mut self, _: Timestamp, ctx: &mut KeyedContext<'_, String, String>) -> Result<()> {
        assert!(matches!(ctx.time_domain(), Some(TimeDomain::EventTime | TimeDomain::ProcessingTime)));
        let count = self.count.take(ctx).unwrap_or(0);
        self.timer.clear(ctx);
        let line = format!("{}={count}", ctx.current_key());
        ctx.collect(line);
        Ok(())
    }
}
