//! Only the rides that start and end in New York City.
//!
//! `cargo run -p examples --bin ride_cleansing`

use flott::args::Args;
use flott::prelude::*;
use taxi::{Ride, is_in_new_york, rides};

fn cleanse(rides: &DataStream<Ride>) -> DataStream<Ride> {
    rides.filter(|ride| is_in_new_york(ride.from) && is_in_new_york(ride.to))
}

fn main() -> Result<()> {
    let args = Args::new("The taxi rides that start and end in New York City.");
    let args = args.option("rides", "100", "how many rides there are").parse();
    let count = args.get("rides")?;
    let env = args.environment();
    cleanse(&env.from_iter(move || rides(count))).print_debug();
    env.execute("Ride Cleansing")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use flott_testkit::Harness;

    use super::*;

    #[test]
    fn rides_that_leave_the_city_are_left_out() {
        let mut harness = Harness::new(|rides| cleanse(&rides));
        let ride = |id, from, to| Ride { id, start: true, at: 0, from, to, driver: 1 };
        let (inside, outside) = ((-73.9, 40.7), (-73.9, 41.7));
        assert_eq!(harness.push(ride(1, inside, inside)).unwrap().len(), 1);
        for (from, to) in [(inside, outside), (outside, inside), (outside, outside)] {
            assert!(harness.push(ride(2, from, to)).unwrap().is_empty());
        }
    }
}
