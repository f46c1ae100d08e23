//! The command line of programs.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use flott::args::{Args, Given};
use flott::prelude::*;

fn parse(words: &[&str]) -> Result<Option<Given>> {
    let args = Args::new("Counts words.").option("port", "9999", "the server's port");
    args.try_parse_from(words.iter().copied())
}

fn given(words: &[&str]) -> Given {
    parse(words).unwrap().unwrap()
}

fn refused(words: &[&str]) -> String {
    parse(words).unwrap_err().to_string()
}

#[test]
fn every_program_takes_the_same_options_and_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    std::fs::write(&file, "parallelism:\n  default: 2\npipeline.max-parallelism: 8\n").unwrap();
    let file = file.to_str().unwrap();
    let env = given(&["--config", file]).environment();
    assert_eq!((env.parallelism().unwrap(), env.get("pipeline.max-parallelism").as_deref()), (2, Some("8")));
    let all = given(&[
        "-Dpipeline.max-parallelism=16",
        "--config",
        file,
        "--parallelism=4",
        "in",
        "--port",
        "1",
        "--",
        "-x",
    ]);
    let env = all.environment();
    assert_eq!((env.parallelism().unwrap(), env.get("pipeline.max-parallelism").as_deref()), (4, Some("16")));
    assert_eq!(
        (all.get::<u16>("port").unwrap(), all.positional()),
        (1, &["in".to_owned(), "-x".to_owned()][..])
    );
    assert_eq!(given(&[]).get::<u16>("port").unwrap(), 9_999);
    assert!(parse(&["--help"]).unwrap().is_none());
}

#[test]
fn errors_are_reported() {
    assert!(refused(&["--prt", "1"]).contains("did you mean --port?"));
    assert!(refused(&["--restor", "latest"]).contains("did you mean --restore?"));
    assert!(refused(&["-D", "paralelism.default=1"]).contains("did you mean 'parallelism.default'?"));
    assert!(refused(&["-D", "parallelism.default"]).contains("KEY=VALUE"));
    assert!(refused(&["--parallelism"]).contains("takes a number"));
    let error = given(&["--port", "many"]).get::<u16>("port").unwrap_err().to_string();
    assert!(error.contains("--port is 'many'"), "{error}");
}

/// Counts up to `to` in a keyed state.
fn count(env: &StreamExecutionEnvironment) -> Vec<u64> {
    let counts = env.from_collection([1_u64, 1, 1]).uid("ones").key_by(|_| 0).sum(|n| n).uid("count");
    counts.execute_and_collect("args count").unwrap().collect::<Result<_>>().unwrap()
}

#[test]
fn the_latest_of_a_first_start_is_a_new_start() {
    let folder = tempfile::tempdir().unwrap();
    let dir = format!("execution.checkpointing.dir={}", folder.path().display());
    let env = given(&["-D", &dir, "--restore", "latest"]).environment();
    assert_eq!(count(&env), [1, 2, 3]);
    let env = given(&["--restore", "latest"]).environment();
    env.from_sequence(1, 2).discard();
    let error = env.execute("no folder").unwrap_err().to_string();
    assert!(error.contains("execution.checkpointing.dir"), "{error}");
}
