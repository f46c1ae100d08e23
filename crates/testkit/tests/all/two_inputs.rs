//! Functions of two streams, one of them broadcast, in a harness.

use flott_datastream::{
    BroadcastContext, BroadcastProcessFunction, BroadcastState, DataStream, ReadOnlyContext, Result,
    RuntimeContext,
};
use flott_testkit::{Harness, TwoInputs};

/// Subtracts the discounts of a broadcast stream from prices.
#[derive(Clone, Default)]
struct Discounts {
    discounts: BroadcastState<String, i64>,
}

impl BroadcastProcessFunction<(String, i64), (String, i64)> for Discounts {
    type Out = (String, i64);

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.discounts = context.broadcast_state("discounts")?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (product, price): (String, i64),
        ctx: &mut ReadOnlyContext<'_, Self::Out>,
    ) -> Result<()> {
        let discount = self.discounts.get(ctx, &product).copied().unwrap_or(0);
        ctx.collect((product, price - discount));
        Ok(())
    }

    fn process_broadcast_element(
        &mut self,
        (product, discount): (String, i64),
        ctx: &mut BroadcastContext<'_, Self::Out>,
    ) -> Result<()> {
        self.discounts.insert(ctx, product, discount);
        Ok(())
    }
}

fn discounts() -> TwoInputs<(String, i64), (String, i64), (String, i64)> {
    Harness::with_two_inputs(|prices: DataStream<(String, i64)>, discounts: DataStream<(String, i64)>| {
        prices.connect_broadcast(&discounts).process(Discounts::default()).uid("discounts")
    })
}

fn tea(amount: i64) -> (String, i64) {
    ("tea".to_owned(), amount)
}

#[test]
fn a_broadcast_stream_is_the_second_input() {
    let mut harness = discounts().parallelism(2);
    assert_eq!(harness.push_first(tea(10)).unwrap(), [tea(10)]);
    assert!(harness.push_second(tea(3)).unwrap().is_empty());
    assert_eq!(harness.push_first(tea(10)).unwrap(), [tea(7)]);
    let snapshot = harness.snapshot().unwrap();
    harness.push_second(tea(9)).unwrap();
    assert_eq!(harness.push_first(tea(10)).unwrap(), [tea(1)]);

    // What was pushed into either input after the snapshot is forgotten.
    harness.restore(&snapshot, 3).unwrap();
    assert_eq!(harness.push_first(tea(10)).unwrap(), [tea(7)]);
    assert!(harness.finish().unwrap().is_empty());
}

#[test]
fn event_time_is_that_of_the_slower_input() {
    let mut harness = Harness::with_two_inputs(|a: DataStream<i64>, b: DataStream<i64>| {
        let windows =
            flott_datastream::window::TumblingEventTimeWindows::of(std::time::Duration::from_millis(10));
        a.union(&b).key_by(|_| 0).window(windows).sum(|n| n)
    });
    harness.push_first_at(1, 5).unwrap();
    harness.push_second_at(2, 5).unwrap();
    assert!(harness.watermark_first(20).unwrap().is_empty());
    assert_eq!(harness.watermark_second(20).unwrap(), [3]);
}
