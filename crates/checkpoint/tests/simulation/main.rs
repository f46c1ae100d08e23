//! Seeded simulation of the whole protocol.
//!
//! A run is a random job (up to four vertices of up to three subtasks; sources, keyed counters that emit
//! their totals at the end, two-phase sinks) under random conditions: slow links, messages between JobManager
//! and tasks that are lost, duplicated and overtaken, failing snapshots and manifest writes, failing tasks, a
//! JobManager that is replaced, savepoints and stops on request. The tasks run in TaskManagers that die and
//! come back, and whose connections are cut for a time, so that the two sides disagree; other jobs take
//! slots. A JobManager that was replaced may live on without knowing it. Sinks commit in their subtasks, or
//! once for the job, or both; commits fail, also half-way, and are retried, and a JobManager is lost between
//! a checkpoint and its commits. A job that continues from a savepoint does so at another parallelism, and one
//! from a checkpoint too. Barriers are aligned, or overtake what waits in the channels that allow it, at once
//! or after a time; what they overtook is replayed.
//!
//! At some step the faults stop. Then the job must reach its end, and its sinks must have committed what an
//! undisturbed run writes. At every step: no slot has two owners, neither according to the JobManager nor in
//! the TaskManager; no attempt is deployed while an earlier one is alive in a valid session; no checkpoint
//! completes without every task's acknowledgement, or before it is durable; nothing is committed for the job
//! before the subtasks' commits of that checkpoint, nor out of order; every request is answered once; a job
//! that ends in any other way says why.
//!
//! A seed is a schedule. A failing one is printed; `FLOTT_SIM_SEED=<seed> cargo test -p flott-checkpoint
//! --test simulation` runs it alone. `FLOTT_SIM_RUNS=<n>` runs this many, from a seed that `FLOTT_SIM_FIRST`
//! gives; `make simulation` runs ten thousand. The schedule of a seed changes when the simulation changes, so
//! a defect that it finds becomes an event-by-event test of the state machine that had it.

#![expect(clippy::panic, reason = "a test that cannot go on has failed")]

mod durable;
mod global;
mod job;
mod jobmanager;
mod sink;
mod task;
mod taskmanager;
mod tasks;
mod weather;
mod world;

use std::env;

use flott_checkpoint::restart::Strategy;
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
    sum.deposed += one.deposed;
    sum.rescales += one.rescales;
    sum.deaths += one.deaths;
    sum.dismissals += one.dismissals;
    sum.losses += one.losses;
    sum.shortages += one.shortages;
    sum.uncommitted += one.uncommitted;
    sum.no_slots += one.no_slots;
    sum.global += one.global;
    sum.halves += one.halves;
    sum.global_restored += one.global_restored;
    sum.overtaken += one.overtaken;
    sum.replayed += one.replayed;
    sum.replayed_elsewhere += one.replayed_elsewhere;
}

#[test]
fn committed_output_is_that_of_an_undisturbed_run() {
    if let Some(seed) = number("FLOTT_SIM_SEED") {
        let stats =
            run(seed, Mutation::None).unwrap_or_else(|error| panic!("FLOTT_SIM_SEED={seed}: {error}"));
        println!("{stats:?}");
        return;
    }
    let (first, runs) = (number("FLOTT_SIM_FIRST").unwrap_or(0), number("FLOTT_SIM_RUNS").unwrap_or(2_000));
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
    at_least(sum.deposed, 0.1);
    at_least(sum.deaths, 0.2);
    at_least(sum.dismissals, 0.5);
    at_least(sum.losses, 0.2);
    at_least(sum.uncommitted, 0.3);
    at_least(sum.rescales, 0.005);
    at_least(sum.global, 1.0);
    at_least(sum.halves, 0.1);
    at_least(sum.global_restored, 0.1);
    at_least(sum.overtaken, 1.0);
    at_least(sum.replayed, 0.07);
    at_least(sum.replayed_elsewhere, 0.004);
}

/// A task fails, or the JobManager is replaced, at each step of some jobs.
#[test]
fn a_failure_at_every_step() {
    for seed in 0..8 {
        for step in 0..200 {
            let mut rng = SmallRng::seed_from_u64(seed);
            let job = Job::random(&mut rng);
            let slots = World::random_slots(&mut rng);
            let fault = match rng.random_range(0..4) {
                0 => Fault::JobManager { lives: false },
                1 => Fault::TaskManager { which: rng.random_range(0..slots.len()), back_in: 50 },
                _ => Fault::Task(rng.random_range(0..job.tasks.len())),
            };
            let weather = Weather { faults: vec![(step, fault)], ..Weather::calm() };
            let mut world = World::build(job, slots, weather, rng, Mutation::None);
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

/// A cluster that has not the slots ends the job, and the job says what was missing.
#[test]
fn a_job_without_slots_fails_and_says_so() {
    for seed in 0..50 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let job = Job::random(&mut rng);
        let slots = vec![1; job.width().saturating_sub(1).max(1) as usize];
        let is_short = slots.len() < job.width() as usize;
        let mut world = World::build(job, slots, Weather::calm(), rng, Mutation::None);
        (world.gives_up, world.strategy) = (true, Strategy::None);
        world.restart();
        match world.run() {
            Ok(()) => assert_eq!(world.failed, is_short, "seed {seed}"),
            Err(error) => panic!("seed {seed}: {error}"),
        }
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
        Mutation::Unfenced,
        Mutation::LossUntold,
        Mutation::AnySession,
        Mutation::CommitOnce,
        Mutation::RegisterEarly,
        Mutation::GlobalForgotten,
        Mutation::GlobalFirst,
        Mutation::GlobalUnawaited,
        Mutation::HandedOverOnce,
        Mutation::KeptForgotten,
        Mutation::KeptTooLittle,
    ];
    for mutation in mistakes {
        let caught = (0..1_000).find_map(|seed| run(seed, mutation).err().map(|error| (seed, error)));
        let Some((seed, error)) = caught else { panic!("{mutation:?} is not caught") };
        let short: String = error.chars().take(100).collect();
        println!("{mutation:?}: caught by seed {seed}: {short}");
    }
}
