//! Generated taxi rides and fares: the input of the taxi exercises.
//!
//! A ride has two events, its start and its end. Rides begin every 20 seconds; one in three takes longer than
//! two hours.

use flott::prelude::*;
use serde::{Deserialize, Serialize};

/// A ride has started or ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ride {
    /// Which ride.
    pub id: u64,
    /// Whether it starts; it ends otherwise.
    pub start: bool,
    /// When that was.
    pub at: Timestamp,
    /// Longitude and latitude of the ride's start.
    pub from: (f64, f64),
    /// Longitude and latitude of its end.
    pub to: (f64, f64),
    /// Who drives.
    pub driver: u64,
}

/// What a ride has cost.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fare {
    /// Which ride.
    pub ride: u64,
    /// When it was paid.
    pub at: Timestamp,
    /// Who drove.
    pub driver: u64,
    /// In cents, without the tip.
    pub amount: u64,
    /// In cents.
    pub tip: u64,
}

/// In milliseconds.
pub const MINUTE: i64 = 60_000;
/// In milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// When the first ride begins: 2026-01-01T00:00 UTC.
pub const BEGIN: Timestamp = 1_767_225_600_000;

/// Whether a place is in New York City.
pub fn is_in_new_york((longitude, latitude): (f64, f64)) -> bool {
    (-74.05..=-73.7).contains(&longitude) && (40.5..=41.0).contains(&latitude)
}

/// When a ride begins and ends.
fn times(ride: u64) -> (Timestamp, Timestamp) {
    let start = BEGIN + ride as i64 * 20_000;
    (start, start + (ride as i64 * 37 % 180 + 1) * MINUTE)
}

fn place(ride: u64) -> (f64, f64) {
    // One in ten is far out.
    let far = if ride % 10 == 9 { 1.0 } else { 0.0 };
    (-74.0 + (ride % 29) as f64 / 100.0, 40.55 + (ride % 41) as f64 / 100.0 + far)
}

/// The events of this many rides, in the order in which they happen.
pub fn rides(count: u64) -> impl Iterator<Item = Ride> {
    let mut events: Vec<Ride> = (0..count)
        .flat_map(|id| {
            let (start, end) = times(id);
            let (from, to, driver) = (place(id), place(id * 7), id % 50);
            [(true, start), (false, end)].map(|(start, at)| Ride { id, start, at, from, to, driver })
        })
        .collect();
    events.sort_by_key(|ride| ride.at);
    events.into_iter()
}

/// The fares of this many rides, paid when they begin.
pub fn fares(count: u64) -> impl Iterator<Item = Fare> {
    (0..count).map(|ride| {
        let amount = 300 + ride * 13 % 4_000;
        Fare { ride, at: times(ride).0, driver: ride % 50, amount, tip: amount * (ride % 4) / 20 }
    })
}

/// Rides come in order, but for a minute.
pub fn ride_times() -> WatermarkStrategy<Ride> {
    WatermarkStrategy::for_bounded_out_of_orderness(Duration::from_secs(60))
        .with_timestamp_assigner(|ride: &Ride, _| ride.at)
}

/// Fares come in order.
pub fn fare_times() -> WatermarkStrategy<Fare> {
    WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|fare: &Fare, _| fare.at)
}
