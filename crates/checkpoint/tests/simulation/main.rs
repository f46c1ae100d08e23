//! Seeded simulation of the whole protocol.
//!
//! A run is a random job (up to four vertices of up to three subtasks; sources, keyed counters that tell their totals at the end, two-phase
//! sinks) under random weather: slow links, messages between JobManager and tasks that are lost, doubled and overtaken,
//! failing snapshots and manifest writes, failing tasks, a JobManager that is replaced, savepoints and stops on
//! request. At some step the weather becomes calm. Then the job must reach its end, and what its sinks have committed must be
//! what an undisturbed run writes.
//!
//! A seed is a schedule. A failing one is printed; `FLOTT_SIM_SEED=<seed> cargo test -p flott-checkpoint --test simulation` runs
//! it alone. `FLOTT_SIM_RUNS=<n>` runs so many, from a seed that `FLOTT_SIM_FIRST` gives.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod job;
mod jobmanager;
mod task;
mod weather;
mod world;

use std::env;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::job::Job;
use crate::weather::{Fault, Mutation, Weather};
use crate::world::{Stats, World};

fn run(seed: u64, mutation: Mutation) -> Result<Stats, String> {
    let mut world = World::new(seed, mutation);
    world.run().map(|()| world.stats)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

fn add(sum: &mut Stats, one: Stats) {
    sum.steps += one.steps;
    sum.completed += one.completed;
    sum.aborted += one.aborted;
    sum.restarts += one.restarts;
    sum.jobmanagers += one.jobmanagers;
    sum.stops += one.stops;
}

#[test]
fn committed_output_is_that_of_an_undisturbed_run() {
    if let Some(seed) = number("FLOTT_SIM_SEED") {
        let stats =
            run(seed, Mutation::None).unwrap_or_else(|error| panic!("FLOTT_SIM_SEED={seed}: {error}"));
        println!("{stats:?}");
        return;
    }
    let (first, runs) = (number("FLOTT_SIM_FIRST").unwrap_or(0), number("FLOTT_SIM_RUNS").unwrap_or(10_000));
    let half = first + runs / 2;
    let go = |seeds: std::ops::Range<u64>| {
        let mut sum = Stats::default();
        for seed in seeds {
            match run(seed, Mutation::None) {
                Ok(stats) => add(&mut sum, stats),
                Err(error) => panic!("FLOTT_SIM_SEED={seed}: {error}"),
            }
        }
        sum
    };
    let sum = std::thread::scope(|scope| {
        let other = scope.spawn(|| go(half..first + runs));
        let mut sum = go(first..half);
        match other.join() {
            Ok(stats) => add(&mut sum, stats),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        sum
    });
    println!("{runs} runs: {sum:?}");
    // The weather must be bad enough for the result to mean something.
    let at_least = |count: u32, per_run: f64| assert!(f64::from(count) >= per_run * runs as f64, "{sum:?}");
    at_least(sum.completed, 1.5);
    at_least(sum.aborted, 0.5);
    at_least(sum.restarts, 0.5);
    at_least(sum.jobmanagers, 0.2);
    at_least(sum.stops, 0.02);
}

/// A task fails, or the JobManager is replaced, at each step of some jobs.
#[test]
fn a_failure_at_every_step() {
    for seed in 0..8 {
        for step in 0..200 {
            let mut rng = SmallRng::seed_from_u64(seed);
            let job = Job::random(&mut rng);
            let fault = match rng.random_range(0..3) {
                0 => Fault::JobManager,
                _ => Fault::Task(rng.random_range(0..job.tasks.len())),
            };
            let weather = Weather {
                calm_at: 0,
                loss: 0.0,
                double: 0.0,
                write_failure: 0.0,
                snapshot_failure: 0.0,
                link_speed: 0.3,
                faults: vec![(step, fault)],
            };
            let mut world = World::build(job, weather, rng, Mutation::None);
            if let Err(error) = world.run() {
                panic!("seed {seed}, fault at step {step}: {error}");
            }
        }
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..20 {
        let runs = [(); 2].map(|()| format!("{:?}", run(seed, Mutation::None)));
        assert_eq!(runs[0], runs[1]);
    }
}

/// That the property can fail: each mistake must be caught by some of the first seeds.
#[test]
fn mistakes_are_caught() {
    let mistakes = [
        Mutation::CommitOnAck,
        Mutation::NotifyBeforeDurable,
        Mutation::NoBlocking,
        Mutation::ReuseIds,
        Mutation::SkipOnRestore,
        Mutation::FinishAgain,
    ];
    for mutation in mistakes {
        let caught = (0..400).filter(|seed| run(*seed, mutation).is_err()).count();
        println!("{mutation:?}: caught by {caught} of 400 seeds");
        assert!(caught > 0, "{mutation:?} is not caught");
    }
}
