//! TaskManagers that are lost and come back, and jobs that wait for slots.

use std::sync::atomic::Ordering;
use std::time::Duration;

use flott_cluster::{JobClient, JobStatus, Liveness, TaskManagerId};
use flott_plan::{Exchange, JobGraph};

use crate::support::{Plan, World, eventually, finish, world, world_with};

/// Silence is noticed soon, and slots that are missing may come.
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

fn job(parallelism: u32, more: &[(&str, &str)]) -> JobGraph {
    let restarts = [
        ("execution.checkpointing.interval", "5 ms"),
        ("execution.checkpointing.tolerable-failed-checkpoints", "1000"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "1000"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
    ];
    let configuration: Vec<_> = restarts.iter().chain(more).copied().collect();
    let mut plan = Plan::new(&configuration);
    let source = plan.source("source", &[("splits", "4"), ("rows", "50")], parallelism);
    let calc = plan.identity("calc", parallelism);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(source, calc, Exchange::Hash(vec![0]));
    plan.connect(calc, sink, Exchange::Rebalance);
    plan.build()
}

fn want() -> Vec<(i64, i64)> {
    let mut want: Vec<_> = (0..200).map(|v| (v % 10, v)).collect();
    want.sort_unstable();
    want
}

fn waits_for(client: &JobClient) -> String {
    assert!(eventually(|| client.info().waits_for.is_some()), "{:#?}", client.info());
    client.info().waits_for.unwrap_or_default()
}

fn runs(client: &JobClient) {
    let all_run = client.wait_until(Duration::from_secs(10), |info| {
        info.status == JobStatus::Running
            && info.tasks.values().all(|task| *task == flott_checkpoint::ExecutionState::Running)
    });
    assert!(all_run, "{:#?}", client.info());
}

/// A job of four slots, half way.
fn half_way(world: &World) -> JobClient {
    world.controls.pause_at.store(20, Ordering::SeqCst);
    let client = world.cluster.submit(&job(4, &[])).unwrap();
    runs(&client);
    assert!(client.wait_until(Duration::from_secs(10), |info| info.checkpoints.completed > 2));
    client
}

fn goes_on(world: &World, client: &JobClient) {
    world.controls.pause_at.store(0, Ordering::SeqCst);
    finish(client);
    assert_eq!(world.committed.rows(), want());
}

#[test]
fn a_lost_task_manager_takes_its_slots_along_and_the_job_waits_for_others() {
    let world = cluster(2);
    let client = half_way(&world);
    world.cluster.disconnect(TaskManagerId(1));
    let missing = waits_for(&client);
    assert!(missing.contains("needs 4 slots") && missing.contains("has 2 of them"), "{missing}");
    assert_eq!(client.status(), JobStatus::Restarting);
    assert_eq!(world.cluster.slots(), (2, 0));
    let told = client.info().exceptions.front().unwrap().failure.message.clone();
    assert!(told.starts_with("TaskManager 1 is lost: it was silent for 300 ms"), "{told}");
    // It comes back without its tasks, and the job gets the slots that it lacks.
    world.cluster.reconnect(TaskManagerId(1));
    runs(&client);
    assert_eq!((client.info().waits_for, world.cluster.slots()), (None, (4, 0)));
    goes_on(&world, &client);
    assert!(eventually(|| world.cluster.slots() == (4, 4)));
}

#[test]
fn the_slots_of_another_task_manager_do_as_well() {
    let world = cluster(3);
    let client = half_way(&world);
    world.cluster.disconnect(TaskManagerId(0));
    assert!(client.wait_until(Duration::from_secs(10), |info| info.attempt.0 > 1), "{:#?}", client.info());
    runs(&client);
    assert_eq!(world.cluster.slots(), (4, 0));
    goes_on(&world, &client);
}

#[test]
fn a_message_that_is_lost_ends_the_session_though_the_silence_was_short() {
    let world = cluster(2);
    let client = half_way(&world);
    let completed = client.info().checkpoints.completed;
    world.cluster.disconnect(TaskManagerId(1));
    // Its acknowledgements are missed.
    client.wait_until(Duration::from_millis(60), |info| info.checkpoints.completed > completed + 5);
    world.cluster.reconnect(TaskManagerId(1));
    assert!(client.wait_until(Duration::from_secs(10), |info| info.attempt.0 > 1), "{:#?}", client.info());
    runs(&client);
    goes_on(&world, &client);
}

#[test]
fn a_job_waits_for_the_slots_of_another() {
    let world = world(1, 2);
    world.controls.hold.store(true, Ordering::SeqCst);
    let first = world.cluster.submit(&job(2, &[])).unwrap();
    runs(&first);
    let second = world.cluster.submit(&job(1, &[])).unwrap();
    let missing = waits_for(&second);
    assert!(missing.contains("needs 1 slot ") && missing.contains("of which 0 are free"), "{missing}");
    assert_eq!(second.status(), JobStatus::Created);
    first.cancel();
    runs(&second);
    world.controls.hold.store(false, Ordering::SeqCst);
    finish(&second);
}

#[test]
fn a_job_waits_a_bounded_time_and_says_what_is_missing() {
    let world = world(1, 2);
    world.controls.hold.store(true, Ordering::SeqCst);
    let first = world.cluster.submit(&job(2, &[])).unwrap();
    runs(&first);
    let impatient = [("slot.request.timeout", "20 ms"), ("restart-strategy.type", "none")];
    let second = world.cluster.submit(&job(1, &impatient)).unwrap();
    let error = second.wait().unwrap_err().to_string();
    assert!(error.contains("job 'test' needs 1 slot "), "{error}");
    assert!(error.contains("has waited for 20 ms ('slot.request.timeout')"), "{error}");
    // One that waits is cancelled at once.
    let third = world.cluster.submit(&job(1, &[])).unwrap();
    waits_for(&third);
    third.cancel();
    assert_eq!(third.wait_for(Duration::from_secs(10)), Some(JobStatus::Canceled));
}
