//! Each ride with its fare, whichever comes first: one waits for the other in the state of the ride.
//!
//! `cargo run -p examples --bin rides_and_fares`

use flott::args::Args;
use flott::prelude::*;
use taxi::{Fare, Ride, fares, rides};

/// The one that came first waits in state for the other.
#[derive(Clone, Default)]
struct Match {
    ride: ValueState<Ride>,
    fare: ValueState<Fare>,
}

impl KeyedCoProcessFunction<u64, Ride, Fare> for Match {
    type Out = (Ride, Fare);

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.ride = context.value_state("ride")?;
        self.fare = context.value_state("fare")?;
        Ok(())
    }

    fn process_first(&mut self, ride: Ride, ctx: &mut KeyedContext<'_, u64, Self::Out>) -> Result<()> {
        match self.fare.take(ctx) {
            Some(fare) => ctx.collect((ride, fare)),
            None => self.ride.set(ctx, ride),
        }
        Ok(())
    }

    fn process_second(&mut self, fare: Fare, ctx: &mut KeyedContext<'_, u64, Self::Out>) -> Result<()> {
        match self.ride.take(ctx) {
            Some(ride) => ctx.collect((ride, fare)),
            None => self.fare.set(ctx, fare),
        }
        Ok(())
    }
}

fn matched(rides: &DataStream<Ride>, fares: &DataStream<Fare>) -> DataStream<(Ride, Fare)> {
    let starts = rides.filter(|ride| ride.start).key_by(|ride| ride.id);
    starts.connect(&fares.key_by(|fare| fare.ride)).process(Match::default()).uid("match")
}

fn main() -> Result<()> {
    let args = Args::new("Each taxi ride with its fare.");
    let args = args.option("rides", "100", "how many rides there are").parse();
    let count = args.get("rides")?;
    let env = args.environment();
    let (rides, fares) = (env.from_iter(move || rides(count)), env.from_iter(move || fares(count)));
    matched(&rides, &fares).print_debug();
    env.execute("Rides and Fares")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use flott_testkit::{Harness, TwoInputs};

    use super::*;

    fn harness() -> TwoInputs<Ride, Fare, (Ride, Fare)> {
        Harness::with_two_inputs(|rides, fares| matched(&rides, &fares))
    }

    fn ride(id: u64) -> Ride {
        Ride { id, start: true, at: 0, from: (0.0, 0.0), to: (1.0, 1.0), driver: 1 }
    }

    fn fare(ride: u64) -> Fare {
        Fare { ride, at: 0, driver: 1, amount: 1_000, tip: 150 }
    }

    #[test]
    fn either_may_come_first() {
        let mut harness = harness();
        assert!(harness.push_first(ride(1)).unwrap().is_empty());
        assert!(harness.push_second(fare(2)).unwrap().is_empty());
        assert_eq!(harness.push_second(fare(1)).unwrap(), [(ride(1), fare(1))]);
        assert_eq!(harness.push_first(ride(2)).unwrap(), [(ride(2), fare(2))]);
    }

    #[test]
    fn what_waits_waits_through_a_restart_at_another_parallelism() {
        let mut harness = harness();
        harness.push_first(ride(1)).unwrap();
        harness.push_second(fare(2)).unwrap();
        let snapshot = harness.snapshot().unwrap();
        harness.restore(&snapshot, 2).unwrap();
        assert_eq!(harness.push_second(fare(1)).unwrap(), [(ride(1), fare(1))]);
        assert_eq!(harness.push_first(ride(2)).unwrap(), [(ride(2), fare(2))]);
    }
}
