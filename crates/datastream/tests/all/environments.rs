//! What an environment tells and takes: listeners, typed configuration, its plan, streams that are collected.

use std::sync::Arc;
use std::time::Duration;

use flott_datastream::*;
use parking_lot::Mutex;

use crate::support::environment;

/// Notes what it is told.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl JobListener for Notes {
    fn on_job_submitted(&self, job: std::result::Result<&JobClient, &Error>) {
        self.0.lock().push(match job {
            Ok(job) => format!("submitted {}", job.name()),
            Err(error) => format!("refused: {error}"),
        });
    }

    fn on_job_executed(&self, result: std::result::Result<&JobExecutionResult, &Error>) {
        self.0.lock().push(match result {
            Ok(_) => "executed".to_owned(),
            Err(error) => format!("failed: {error}"),
        });
    }
}

#[test]
fn listeners_know_of_every_job() {
    let (env, notes) = (environment(1, None), Notes::default());
    let take = || std::mem::take(&mut *notes.0.lock());
    env.set_restart_strategy(RestartStrategy::None);
    env.register_job_listener(notes.clone());
    env.from_sequence(1, 3).discard();
    env.execute("three").unwrap();
    assert_eq!(take(), ["submitted three", "executed"]);

    env.from_sequence(1, 3).discard();
    env.execute_async("asynchronous").unwrap().wait().unwrap();
    assert_eq!(take(), ["submitted asynchronous"]);

    env.from_sequence(1, 3).try_map(|_| Err::<i64, _>(Error::invalid("no numbers"))).discard();
    env.execute("failing").unwrap_err();
    let told = take();
    assert!(told[0] == "submitted failing" && told[1].contains("no numbers"), "{told:?}");

    env.execute("nothing").unwrap_err();
    assert!(take()[0].starts_with("refused: the program has no new operators"));

    env.clear_job_listeners().from_sequence(1, 3).discard();
    env.execute("alone").unwrap();
    assert!(take().is_empty());
}

#[test]
fn typed_configuration_sets_the_keys() {
    let env = environment(1, None);
    env.checkpoint_config()
        .set_checkpoint_interval(Duration::from_secs(2))
        .set_checkpointing_mode(CheckpointingMode::AtLeastOnce)
        .enable_unaligned_checkpoints(true)
        .set_aligned_checkpoint_timeout(Duration::from_millis(250))
        .set_checkpoint_timeout(Duration::from_secs(60))
        .set_min_pause_between_checkpoints(Duration::from_millis(500))
        .set_max_concurrent_checkpoints(2)
        .set_tolerable_checkpoint_failure_number(3)
        .set_retained_checkpoints(4)
        .set_externalized_checkpoint_retention(ExternalizedCheckpointRetention::DeleteOnCancellation)
        .set_checkpoint_storage("/checkpoints")
        .set_default_savepoint_dir("/savepoints");
    env.set_restart_strategy(RestartStrategy::ExponentialDelay {
        initial: Duration::from_millis(10),
        max: Duration::from_secs(1),
        multiplier: 1.5,
        reset_after: Duration::from_secs(60),
    });
    for (key, value) in [
        ("execution.checkpointing.interval", "2000 ms"),
        ("execution.checkpointing.mode", "AT_LEAST_ONCE"),
        ("execution.checkpointing.unaligned.enabled", "true"),
        ("execution.checkpointing.aligned-checkpoint-timeout", "250 ms"),
        ("execution.checkpointing.timeout", "60000 ms"),
        ("execution.checkpointing.min-pause", "500 ms"),
        ("execution.checkpointing.max-concurrent-checkpoints", "2"),
        ("execution.checkpointing.tolerable-failed-checkpoints", "3"),
        ("execution.checkpointing.num-retained", "4"),
        ("execution.checkpointing.externalized-checkpoint-retention", "DELETE_ON_CANCELLATION"),
        ("execution.checkpointing.dir", "/checkpoints"),
        ("execution.checkpointing.savepoint-dir", "/savepoints"),
        ("restart-strategy.type", "exponential-delay"),
        ("restart-strategy.exponential-delay.backoff-multiplier", "1.5"),
    ] {
        assert_eq!(env.get(key).as_deref(), Some(value), "{key}");
    }
    env.set_restart_strategy(RestartStrategy::FailureRate {
        max_failures: 3,
        interval: Duration::from_secs(60),
        delay: Duration::ZERO,
    });
    assert_eq!(env.get("restart-strategy.failure-rate.max-failures-per-interval").as_deref(), Some("3"));
}

#[test]
fn a_restart_strategy_is_followed() {
    let env = environment(1, None);
    env.set_restart_strategy(RestartStrategy::FixedDelay { attempts: 2, delay: Duration::ZERO });
    env.from_sequence(1, 3).try_map(|_| Err::<i64, _>(Error::external("never"))).discard();
    let job = env.execute_async("failing").unwrap();
    let error = job.wait().unwrap_err();
    assert!(error.to_string().contains("it has been restarted 2 times"), "{error}: {:?}", job.info());
}

#[test]
fn the_plan_is_flinks_json() {
    let env = environment(2, None);
    let words: DataStream<(String, i64)> = env.from_collection([("a", 1)]);
    words
        .key_by_ref(|(word, _)| word)
        .sum(|(_, count)| count)
        .name("counts")
        .description("how often each word has come")
        .print_debug()
        .description("to the screen");
    let plan: serde_json::Value = serde_json::from_str(&env.execution_plan().unwrap()).unwrap();
    let nodes = plan["nodes"].as_array().unwrap();
    let texts = |key: &str| nodes.iter().map(|node| node[key].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(texts("pact"), ["Data Source", "Operator", "Operator", "Data Sink"]);
    assert_eq!(texts("contents")[2..], ["how often each word has come", "to the screen"]);
    assert_eq!(texts("type")[0], "Source: Collection Source");
    let parallelism: Vec<_> = nodes.iter().map(|node| node["parallelism"].as_u64().unwrap()).collect();
    assert_eq!(parallelism, [1, 1, 2, 2]);
    let ships: Vec<_> =
        nodes[1..].iter().map(|node| node["predecessors"][0]["ship_strategy"].as_str().unwrap()).collect();
    assert_eq!(ships, ["FORWARD", "HASH", "FORWARD"]);
    // Looking at it changes nothing.
    env.execute("words").unwrap();
}

#[test]
fn a_limit_cancels_an_endless_job() {
    let env = environment(1, None);
    let (sender, receiver) = std::sync::mpsc::channel();
    let numbers = env.from_channel(receiver).map(|n: i64| n + 1);
    [1, 2, 3].into_iter().for_each(|n| sender.send(n).unwrap());
    assert_eq!(numbers.execute_and_collect_limit("numbers", 2).unwrap(), [2, 3]);
    drop(sender);
    let env = environment(1, None);
    assert_eq!(env.from_sequence(1, 2).execute_and_collect_limit("short", 10).unwrap(), [1, 2]);
}

#[test]
fn a_stream_is_collected_next_to_sinks() {
    let env = environment(1, None);
    let numbers = env.from_sequence(1, 6);
    let (seen, own) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let sunk = own.clone();
    numbers.add_sink(move |n| {
        sunk.lock().push(n);
        Ok(())
    });
    let odd = numbers.filter(|n| n % 2 == 1).collect_async();
    let job = env.execute_async("both").unwrap();
    seen.lock().extend(odd.map(Result::unwrap));
    job.wait().unwrap();
    assert_eq!((&seen.lock()[..], &own.lock()[..]), (&[1, 3, 5][..], &[1, 2, 3, 4, 5, 6][..]));
}

#[test]
fn a_stream_that_is_not_executed_or_one_of_several_is_told() {
    let env = environment(1, None);
    let mut early = env.from_sequence(1, 6).collect_async();
    let error = early.next().unwrap().unwrap_err();
    assert!(error.to_string().contains("call `execute_async` before"), "{error}");
    let other = env.from_sequence(1, 6).collect_async();
    let error = env.execute_async("two").err().unwrap();
    assert!(error.to_string().contains("this one has several"), "{error}");
    drop(other);
}

#[test]
fn a_reinterpreted_stream_keeps_its_keys() {
    let env = environment(3, None);
    let numbers = env.from_sequence(1, 60).key_by(|n| n % 10).map_with_state(|n, count: &mut Option<u64>| {
        *count = Some(count.unwrap_or(0) + 1);
        (n % 10, *count)
    });
    let keyed = numbers.reinterpret_as_keyed_stream(|(key, _)| *key);
    let most = keyed.map_with_state(|(key, count), most: &mut Option<u64>| {
        *most = (*most).max(count);
        (key, *most)
    });
    let plan: serde_json::Value = serde_json::from_str(&env.execution_plan().unwrap()).unwrap();
    let exchanges = plan.to_string().matches("HASH").count();
    assert_eq!(exchanges, 1);
    let mut values = most.execute_and_collect("most").unwrap().collect::<Result<Vec<_>>>().unwrap();
    values.sort();
    let of = |key: i64| {
        values.iter().filter(|(of, _)| *of == key).map(|(_, most)| most.unwrap()).collect::<Vec<_>>()
    };
    (0..10).for_each(|key| assert_eq!(of(key), [1, 2, 3, 4, 5, 6]));
}

#[test]
fn a_wrongly_reinterpreted_stream_is_refused() {
    let env = environment(3, None);
    env.set_restart_strategy(RestartStrategy::None);
    let sums = env.from_sequence(1, 60).rebalance().map(|n| n).reinterpret_as_keyed_stream(|n| n % 10);
    sums.reduce(|a, b| a + b).discard();
    let error = env.execute("wrong").unwrap_err();
    assert!(error.to_string().contains("use `key_by`"), "{error}");

    let env = environment(3, None);
    let keyed = env.from_sequence(1, 60).key_by(|n| n % 10).reduce(|a, b| a + b);
    keyed.reinterpret_as_keyed_stream(|n| *n).reduce(|a, _| a).parallelism(2).discard();
    let error = env.execute("wrong").unwrap_err();
    assert!(error.to_string().contains("both must have as many"), "{error}");
}
