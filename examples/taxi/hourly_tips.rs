//! For each hour the driver with the most tips: a window for each driver, and one over their results.
//!
//! `cargo run -p examples --bin hourly_tips`

use flott::args::Args;
use flott::prelude::*;
use taxi::{Fare, fare_times, fares};

/// The end of the hour, the driver, the sum of the tips.
type Tips = (Timestamp, u64, u64);

const HOUR: Duration = Duration::from_secs(3_600);

/// Adds the end of the hour to a driver's sum.
#[derive(Clone)]
struct WithHour;

impl ProcessWindowFunction<u64, TimeWindow, (u64, u64)> for WithHour {
    type Out = Tips;

    fn process(
        &mut self,
        sums: &[(u64, u64)],
        ctx: &mut WindowContext<'_, u64, TimeWindow, Tips>,
    ) -> Result<()> {
        let end = ctx.window().end;
        for (driver, tips) in sums {
            ctx.collect((end, *driver, *tips));
        }
        Ok(())
    }
}

fn best(fares: &DataStream<Fare>) -> DataStream<Tips> {
    fares
        .assign_timestamps_and_watermarks(fare_times())
        .map(|fare| (fare.driver, fare.tip))
        .key_by(|(driver, _)| *driver)
        .window(TumblingEventTimeWindows::of(HOUR))
        .reduce_with(|sum, next| (sum.0, sum.1 + next.1), WithHour)
        .uid("tips of a driver")
        // The sums of an hour come with the last timestamp of that hour, so these windows are the same hours.
        .window_all(TumblingEventTimeWindows::of(HOUR))
        .max_by(|(_, _, tips)| *tips)
        .uid("best of an hour")
}

fn main() -> Result<()> {
    let args = Args::new("For each hour the taxi driver who got most in tips.");
    let args = args.option("rides", "1000", "how many rides there are").parse();
    let count = args.get("rides")?;
    let env = args.environment();
    best(&env.from_iter(move || fares(count))).print_debug();
    env.execute("Hourly Tips")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use flott_testkit::Harness;
    use taxi::{BEGIN, HOUR, MINUTE};

    use super::*;

    #[test]
    fn the_best_of_each_hour() {
        let mut harness = Harness::new(|fares| best(&fares));
        let fare =
            |driver, minute, tip| Fare { ride: 1, at: BEGIN + minute * MINUTE, driver, amount: 1_000, tip };
        for fare in [fare(1, 1, 100), fare(2, 5, 150), fare(1, 59, 100)] {
            assert!(harness.push(fare).unwrap().is_empty());
        }
        // Watermarks come in their interval.
        let mut results = harness.push(fare(3, 61, 20)).unwrap();
        results.extend(harness.advance(Duration::from_secs(1)).unwrap());
        assert_eq!(results, [(BEGIN + HOUR, 1, 200)]);
        assert_eq!(harness.finish().unwrap(), [(BEGIN + 2 * HOUR, 3, 20)]);
    }
}
