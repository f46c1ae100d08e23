//! Jobs that are as parallel as there are slots for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use flott_cluster::client_messages::{ClientAnswer, ClientRequest};
use flott_cluster::scaling::{Bounds, Requirements};
use flott_cluster::{JobClient, JobStatus, Liveness, TaskManagerId};
use flott_plan::{Exchange, JobGraph};
use flott_types::VertexId;

use crate::support::{Plan, World, each_seed, eventually, finish, world_with};

fn cluster(task_managers: u32) -> World {
    world_with(task_managers, 2, |options| {
        options.liveness = Liveness {
            heartbeat_interval: 50,
            heartbeat_timeout: 300,
            start_up_time: 3_600_000,
            ..Liveness::default()
        };
    })
}

const ADAPTIVE: &[(&str, &str)] = &[
    ("jobmanager.scheduler", "adaptive"),
    ("jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout", "50 ms"),
    ("jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout", "10 ms"),
    ("jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling", "20 ms"),
];
const CHECKPOINTS: &[(&str, &str)] = &[
    ("execution.checkpointing.interval", "5 ms"),
    ("execution.checkpointing.tolerable-failed-checkpoints", "1000"),
    ("restart-strategy.type", "fixed-delay"),
    ("restart-strategy.fixed-delay.attempts", "1000"),
    ("restart-strategy.fixed-delay.delay", "1 ms"),
];

/// Rows that are counted by their key: its state is shared out anew with each size.
fn job(parallelism: u32, options: &[&[(&str, &str)]]) -> JobGraph {
    let configuration: Vec<_> = options.iter().copied().flatten().copied().collect();
    let mut plan = Plan::new(&configuration);
    let source = plan.source("source", &[("splits", "4"), ("rows", "50")], parallelism);
    let calc = plan.identity("calc", parallelism);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(source, calc, Exchange::Hash(vec![0]));
    plan.connect(calc, sink, Exchange::Global);
    plan.build()
}

fn want() -> Vec<(i64, i64)> {
    let mut want: Vec<_> = (0..200).map(|v| (v % 10, v)).collect();
    want.sort_unstable();
    want
}

/// Waits until it runs with so many subtasks.
fn runs_with(client: &JobClient, parallelism: usize) {
    let tasks = 2 * parallelism + 1;
    let runs = client.wait_until(Duration::from_secs(20), |info| {
        let running = |task: &_| *task == flott_checkpoint::ExecutionState::Running;
        info.status == JobStatus::Running && info.tasks.len() == tasks && info.tasks.values().all(running)
    });
    assert!(runs, "{parallelism}: {:#?}", client.info());
}

fn require(world: &World, client: &JobClient, of: &[(u32, u32, u32)]) -> Result<(), String> {
    let of =
        of.iter().map(|(vertex, lower, upper)| (VertexId(*vertex), Bounds { lower: *lower, upper: *upper }));
    let requirements: Requirements = of.collect();
    match world
        .cluster
        .dispatcher()
        .call(ClientRequest::Require { job: client.job_id(), requirements })
        .unwrap()
    {
        ClientAnswer::Done => Ok(()),
        ClientAnswer::Refused(failure) => Err(failure.message),
        other => panic!("{other:?}"),
    }
}

fn goes_on(world: &World, client: &JobClient) {
    world.controls.pause_at.store(0, Ordering::SeqCst);
    finish(client);
    assert_eq!(world.committed.rows(), want());
    assert!(eventually(|| world.cluster.slots().0 == world.cluster.slots().1));
}

#[test]
fn a_job_starts_with_the_slots_that_are_there_and_follows_them() {
    let world = cluster(2);
    world.cluster.disconnect(TaskManagerId(1));
    assert!(eventually(|| world.cluster.slots() == (2, 2)));
    world.controls.pause_at.store(20, Ordering::SeqCst);
    let client = world.cluster.submit(&job(4, &[ADAPTIVE, CHECKPOINTS])).unwrap();
    runs_with(&client, 2);
    assert_eq!(world.cluster.slots(), (2, 0));
    // More come, and it grows; what is told of it is of its new size.
    world.cluster.reconnect(TaskManagerId(1));
    runs_with(&client, 4);
    assert_eq!(world.cluster.slots(), (4, 0));
    let metrics = client.metrics();
    assert_eq!(metrics.vertices.iter().map(|vertex| vertex.parallelism).collect::<Vec<_>>(), [4, 4, 1]);
    assert!(client.info().checkpoints.restored_from.is_some());
    // A size of its own is no failure.
    assert!(client.info().exceptions.iter().all(|entry| !entry.failure.message.contains("rescaled")));
    world.cluster.disconnect(TaskManagerId(1));
    runs_with(&client, 2);
    goes_on(&world, &client);
}

#[test]
fn a_job_without_checkpoints_starts_with_less_and_does_not_grow() {
    let world = cluster(2);
    world.cluster.disconnect(TaskManagerId(1));
    assert!(eventually(|| world.cluster.slots() == (2, 2)));
    world.controls.pause_at.store(20, Ordering::SeqCst);
    let client = world.cluster.submit(&job(4, &[ADAPTIVE])).unwrap();
    runs_with(&client, 2);
    world.cluster.reconnect(TaskManagerId(1));
    assert!(eventually(|| world.cluster.slots() == (4, 2)));
    let refused = require(&world, &client, &[(0, 1, 1)]).unwrap_err();
    assert!(refused.contains("'execution.checkpointing.interval'"), "{refused}");
    assert!(!client.wait_until(Duration::from_millis(200), |info| info.attempt.0 > 1));
    world.controls.pause_at.store(0, Ordering::SeqCst);
    finish(&client);
}

#[test]
fn a_user_says_how_parallel_a_job_is() {
    let world = cluster(2);
    world.controls.pause_at.store(20, Ordering::SeqCst);
    let client = world.cluster.submit(&job(2, &[ADAPTIVE, CHECKPOINTS])).unwrap();
    runs_with(&client, 2);
    assert_eq!(client.info().requirements[&VertexId(0)], Bounds { lower: 1, upper: 2 });
    require(&world, &client, &[(0, 1, 4), (1, 1, 4)]).unwrap();
    runs_with(&client, 4);
    require(&world, &client, &[(0, 1, 1), (1, 1, 1)]).unwrap();
    runs_with(&client, 1);
    // Its slots are free for others.
    assert!(eventually(|| world.cluster.slots() == (4, 3)));
    // More than there are slots for is as many as there are.
    require(&world, &client, &[(0, 1, 9), (1, 1, 9)]).unwrap();
    runs_with(&client, 4);
    let attempt = client.info().attempt;
    for (of, why) in [
        ((0, 0, 1), "1 <= lowerBound <= upperBound"),
        ((0, 3, 2), "1 <= lowerBound <= upperBound"),
        ((0, 1, 1_000), "max parallelism 128"),
        ((2, 1, 2), "its parallelism is always 1"),
        ((7, 1, 2), "no vertex"),
    ] {
        let told = require(&world, &client, &[of]).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
    require(&world, &client, &[(0, 1, 9)]).unwrap();
    assert_eq!(client.info().attempt, attempt);
    goes_on(&world, &client);
}

#[test]
fn the_default_scheduler_runs_a_job_as_it_is_planned() {
    let world = cluster(1);
    world.controls.pause_at.store(20, Ordering::SeqCst);
    let client = world.cluster.submit(&job(2, &[CHECKPOINTS])).unwrap();
    runs_with(&client, 2);
    let told = require(&world, &client, &[(0, 1, 1)]).unwrap_err();
    assert!(told.contains("'jobmanager.scheduler' is not Adaptive"), "{told}");
    goes_on(&world, &client);
}

#[test]
fn a_reactive_job_takes_all_slots_that_there_are() {
    let world = cluster(3);
    world.cluster.disconnect(TaskManagerId(2));
    assert!(eventually(|| world.cluster.slots() == (4, 4)));
    world.controls.pause_at.store(20, Ordering::SeqCst);
    let reactive: &[(&str, &str)] = &[("scheduler-mode", "REACTIVE"), ADAPTIVE[3]];
    let client = world.cluster.submit(&job(1, &[reactive, CHECKPOINTS])).unwrap();
    runs_with(&client, 4);
    world.cluster.reconnect(TaskManagerId(2));
    runs_with(&client, 6);
    goes_on(&world, &client);
}

/// Slots come and go, users change their minds, tasks are lost; and nothing is lost or doubled.
#[test]
fn rows_are_written_once_however_often_a_job_is_sized_anew() {
    let sizes = each_seed(0..12, |seed| {
        let world = cluster(2);
        let random =
            |step: u64| (seed * 31 + step * 17 + seed * step).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        world.controls.pause_at.store(5, Ordering::SeqCst);
        let client = world.cluster.submit(&job(4, &[ADAPTIVE, CHECKPOINTS])).unwrap();
        let (mut is_cut, mut seen) = (false, std::collections::BTreeSet::new());
        for step in 0..8 {
            match random(step) % 3 {
                0 if is_cut => world.cluster.reconnect(TaskManagerId(1)),
                0 => world.cluster.disconnect(TaskManagerId(1)),
                _ => {
                    let upper = 1 + (random(step + 100) % 5) as u32;
                    // While the job is between attempts it takes it, too.
                    require(&world, &client, &[(0, 1, upper), (1, 1, upper)]).unwrap();
                }
            }
            is_cut ^= random(step) % 3 == 0;
            world.controls.pause_at.fetch_add(5, Ordering::SeqCst);
            client.wait_until(Duration::from_millis(random(step + 50) % 400), |info| {
                seen.insert(info.tasks.len());
                info.status.is_terminal()
            });
        }
        if is_cut {
            world.cluster.reconnect(TaskManagerId(1));
        }
        goes_on(&world, &client);
        seen.len()
    });
    assert!(sizes.iter().any(|sizes| *sizes > 2), "{sizes:?}");
}
