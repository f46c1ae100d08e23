//! What programs are configured with, and what is wrong with it.

use flott_datastream::configuration::Load;
use flott_datastream::{DataStream, OutputTag, Result, StreamExecutionEnvironment};
use flott_types::Configuration;

use crate::support::{Feed, Seen, environment, stop};

fn executed(env: &StreamExecutionEnvironment) -> String {
    env.from_sequence(1, 2).discard();
    env.execute("configured").unwrap_err().to_string()
}

#[test]
fn a_misspelt_key_is_refused_with_the_nearest() {
    let env = StreamExecutionEnvironment::new();
    env.set("execution.checkpointing.intervall", "1 s");
    let error = executed(&env);
    assert!(error.contains("did you mean 'execution.checkpointing.interval'?"), "{error}");
    let env = StreamExecutionEnvironment::new();
    env.set("execution.checkpointing.interval", "often");
    let error = executed(&env);
    assert!(error.contains("is 'often'; expected a duration"), "{error}");
    let env = StreamExecutionEnvironment::new();
    env.set_parameter("parallelism.default", "2");
    assert!(executed(&env).contains("use `set`"));
}

#[test]
fn a_file_and_definitions_are_read_as_sql_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    std::fs::write(
        &file,
        "parallelism.default: 3\npipeline:\n  max-parallelism: 32\njobmanager.memory.process.size: 1g\n",
    )
    .unwrap();
    let mut load = Load::new(Some(&file)).unwrap();
    assert_eq!(load.notes.len(), 1);
    load.define("parallelism.default=5").unwrap();
    let env = StreamExecutionEnvironment::with_configuration(load.configuration);
    assert_eq!((env.parallelism().unwrap(), env.get("pipeline.max-parallelism").as_deref()), (5, Some("32")));
    std::fs::write(&file, "paralelism.default: 3\n").unwrap();
    let error = Load::new(Some(&file)).unwrap_err().to_string();
    assert!(
        error.contains("config.yaml") && error.contains("did you mean 'parallelism.default'?"),
        "{error}"
    );
}

#[test]
fn a_restored_job_has_the_max_parallelism_of_its_state() {
    let program = |env: &StreamExecutionEnvironment| {
        let feed = Feed::new();
        let sums: DataStream<(u32, i64)> =
            feed.stream(env).key_by(|(key, _)| *key).sum(|(_, value)| value).uid("sum");
        (feed, Seen::of(&sums), env.execute_async("keyed"))
    };
    let folder = tempfile::tempdir().unwrap();
    // 16, as the environment of the tests has it.
    let (feed, seen, job) = program(&environment(1, None));
    let job = job.unwrap();
    feed.push((0..20).map(|key| (key, 1)));
    seen.take(20, &job);
    let savepoint = stop(&job, &folder);

    let restored = |parallelism: u32, max: Option<u32>| {
        let env = StreamExecutionEnvironment::with_configuration(Configuration::default());
        env.set_parallelism(parallelism).set("execution.state-recovery.path", &savepoint);
        if let Some(max) = max {
            env.set_max_parallelism(max);
        }
        program(&env)
    };
    let (feed, seen, job) = restored(3, None);
    let job = job.unwrap();
    feed.push((0..20).map(|key| (key, 1)));
    assert_eq!(seen.take(20, &job), (0..20).map(|key| (key, 2)).collect::<Vec<_>>());
    job.cancel();

    let (_, _, job) = restored(1, Some(64));
    let error = job.and_then(|job| job.execution_result()).unwrap_err().to_string();
    assert!(error.contains("max parallelism 16, the job has 64"), "{error}");
    let (_, _, job) = restored(17, None);
    let error = job.and_then(|job| job.execution_result()).unwrap_err().to_string();
    assert!(error.contains("to at most 16"), "{error}");
}

#[test]
fn a_collection_is_read_in_its_order_by_one_subtask() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(4);
    let numbers = env.from_collection(0..10_000_i64);
    let numbers: Vec<i64> = numbers.execute_and_collect("in order").unwrap().collect::<Result<_>>().unwrap();
    assert!(numbers.is_sorted() && numbers.len() == 10_000);
    let error = env.from_collection(["a"]).parallelism(2).map(|text: String| text);
    let error = error.execute_and_collect("two").err().unwrap().to_string();
    assert!(error.contains("only with one subtask"), "{error}");
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(4);
    let parallel = env.from_parallel_collection(0..100).map(|n: i64| n);
    assert_eq!(parallel.execute_and_collect("parallel").unwrap().count(), 100);
}

#[test]
fn an_option_in_an_option_is_refused_and_not_changed() {
    let env = StreamExecutionEnvironment::new();
    env.from_collection([Some(Some(1)), Some(None)]).discard();
    let error = format!("{:?}", env.execute("options").unwrap_err());
    assert!(
        error.contains("value 1 of the collection") && error.contains("cannot be distinguished from None"),
        "{error}"
    );
}

#[test]
fn a_side_output_that_is_read_as_another_type_names_tag_and_types() {
    let env = StreamExecutionEnvironment::new();
    let (written, read) = (OutputTag::<String>::new("odd"), OutputTag::<i64>::new("odd"));
    let numbers = env.from_sequence(1, 3).flat_map(move |n: i64, out| {
        out.output(&written, n.to_string());
        out.collect(n);
    });
    numbers.discard();
    numbers.side_output(&read).discard();
    let error = env.execute("sides").unwrap_err().to_string();
    assert!(error.contains("side output 'odd'") && error.contains("alloc::string::String"), "{error}");
    assert!(error.contains("is read as i64"), "{error}");
}
