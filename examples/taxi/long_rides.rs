//! Rides that take longer than two hours, as soon as that is known: by their end, or by a timer.
//!
//! `cargo run -p examples --bin long_rides`

use flott::args::Args;
use flott::prelude::*;
use taxi::{HOUR, Ride, ride_times, rides};

/// The first event of a ride waits for the other one. A timer tells when a ride has taken too long.
#[derive(Clone, Default)]
struct LongRides {
    first: ValueState<Ride>,
    /// It was told already, by the timer.
    told: ValueState<bool>,
}

impl KeyedProcessFunction<u64, Ride> for LongRides {
    type Out = u64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.first = context.value_state("first")?;
        self.told = context.value_state("told")?;
        Ok(())
    }

    fn process_element(&mut self, ride: Ride, ctx: &mut KeyedContext<'_, u64, u64>) -> Result<()> {
        let Some(first) = self.first.take(ctx) else {
            if ride.start {
                ctx.register_event_time_timer(ride.at + 2 * HOUR);
            }
            self.first.set(ctx, ride);
            return Ok(());
        };
        let (start, end) = if ride.start { (&ride, &first) } else { (&first, &ride) };
        if first.start {
            ctx.delete_event_time_timer(first.at + 2 * HOUR);
        }
        if self.told.take(ctx).is_none() && end.at - start.at > 2 * HOUR {
            ctx.collect(ride.id);
        }
        Ok(())
    }

    fn on_timer(&mut self, _: Timestamp, ctx: &mut KeyedContext<'_, u64, u64>) -> Result<()> {
        self.told.set(ctx, true);
        let ride = *ctx.current_key();
        ctx.collect(ride);
        Ok(())
    }
}

fn long(rides: &DataStream<Ride>) -> DataStream<u64> {
    rides
        .assign_timestamps_and_watermarks(ride_times())
        .key_by(|ride| ride.id)
        .process(LongRides::default())
        .uid("long rides")
}

fn main() -> Result<()> {
    let args = Args::new("The taxi rides that take longer than two hours.");
    let args = args.option("rides", "100", "how many rides there are").parse();
    let count = args.get("rides")?;
    let env = args.environment();
    long(&env.from_iter(move || rides(count))).print();
    env.execute("Long Rides")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use flott_testkit::Harness;
    use taxi::{BEGIN, MINUTE};

    use super::*;

    fn harness() -> Harness<Ride, u64> {
        Harness::new(|rides| long(&rides))
    }

    fn event(id: u64, start: bool, at: i64) -> Ride {
        Ride { id, start, at: BEGIN + at, from: (0.0, 0.0), to: (1.0, 1.0), driver: 1 }
    }

    #[test]
    fn only_a_long_ride_is_reported_when_it_ends() {
        let mut harness = harness();
        assert!(harness.push(event(1, true, 0)).unwrap().is_empty());
        assert!(harness.push(event(1, false, 2 * HOUR)).unwrap().is_empty());
        assert!(harness.push(event(2, true, 0)).unwrap().is_empty());
        assert_eq!(harness.push(event(2, false, 2 * HOUR + 1)).unwrap(), [2]);
        assert!(harness.finish().unwrap().is_empty());
    }

    #[test]
    fn the_end_may_come_before_the_start() {
        let mut harness = harness();
        assert!(harness.push(event(1, false, 20 * MINUTE)).unwrap().is_empty());
        assert!(harness.push(event(1, true, 0)).unwrap().is_empty());
        assert!(harness.push(event(2, false, 3 * HOUR)).unwrap().is_empty());
        assert_eq!(harness.push(event(2, true, 0)).unwrap(), [2]);
    }

    #[test]
    fn a_ride_that_does_not_end_is_reported_after_two_hours() {
        // Watermarks come in their interval.
        let push = |harness: &mut Harness<Ride, u64>, ride| {
            let mut results = harness.push(ride).unwrap();
            results.extend(harness.advance(Duration::from_secs(1)).unwrap());
            results
        };
        let mut harness = harness();
        assert!(push(&mut harness, event(1, true, 0)).is_empty());
        assert_eq!(push(&mut harness, event(2, true, 2 * HOUR + 2 * MINUTE)), [1]);
        assert!(push(&mut harness, event(1, false, 3 * HOUR)).is_empty(), "it was told");
        let snapshot = harness.snapshot().unwrap();
        harness.restore(&snapshot, 1).unwrap();
        assert_eq!(push(&mut harness, event(3, true, 5 * HOUR)), [2], "timers are in the snapshot");
    }
}
