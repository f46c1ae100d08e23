//! What a program prints, and where to: each test runs itself once more as a program, and reads what that prints.

use std::process::Command;

use flott_datastream::*;

/// Set in the process that is the program.
const PROGRAM: &str = "FLOTT_TEST_PRINTS";

/// The lines that a test prints as a program, to standard output and to standard error, sorted.
fn printed(test: &str, program: impl FnOnce(&StreamExecutionEnvironment)) -> Option<[Vec<String>; 2]> {
    if std::env::var(PROGRAM).is_ok() {
        let env = StreamExecutionEnvironment::new();
        program(&env);
        env.execute("printing").unwrap();
        return None;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("printing::{test}"), "--nocapture", "--test-threads=1"]);
    let output = command.env(PROGRAM, "yes").output().unwrap();
    let lines = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        // What the harness of tests and the log print is none of the program's.
        let own = text.lines().filter_map(|line| line.find("<<").map(|at| line_from(line, at)));
        let mut own: Vec<String> = own.collect();
        own.sort();
        own
    };
    assert!(output.status.success(), "{output:?}");
    Some([lines(output.stdout), lines(output.stderr)])
}

/// The line, without what the harness had begun before it: `test name ... `.
fn line_from(line: &str, at: usize) -> String {
    match line[..at].rfind("... ") {
        Some(harness) => line[harness + 4..].to_owned(),
        None => line.to_owned(),
    }
}

fn words(env: &StreamExecutionEnvironment) -> DataStream<String> {
    env.set_parallelism(1);
    env.from_collection(["<<a>>", "<<b>>"])
}

#[test]
fn values_are_printed_as_they_are() {
    let program = |env: &StreamExecutionEnvironment| _ = words(env).print();
    let Some([out, err]) = printed("values_are_printed_as_they_are", program) else { return };
    assert_eq!((out, err), (vec!["<<a>>".to_owned(), "<<b>>".to_owned()], Vec::new()));
}

#[test]
fn values_are_printed_for_debugging() {
    let program = |env: &StreamExecutionEnvironment| _ = words(env).print_debug();
    let Some([out, _]) = printed("values_are_printed_for_debugging", program) else { return };
    assert_eq!(out, ["\"<<a>>\"", "\"<<b>>\""]);
}

#[test]
fn values_are_printed_under_a_name() {
    let program = |env: &StreamExecutionEnvironment| _ = words(env).print_as("words");
    let Some([out, err]) = printed("values_are_printed_under_a_name", program) else { return };
    assert_eq!((out, err), (vec!["words> <<a>>".to_owned(), "words> <<b>>".to_owned()], Vec::new()));
}

/// With several subtasks, each line tells which.
#[test]
fn values_are_printed_with_their_subtask() {
    let program = |env: &StreamExecutionEnvironment| {
        let all = words(env).broadcast().map(|word| word).parallelism(2);
        let _ = all.print_as("words").parallelism(2);
    };
    let Some([out, _]) = printed("values_are_printed_with_their_subtask", program) else { return };
    assert_eq!(out, ["words:1> <<a>>", "words:1> <<b>>", "words:2> <<a>>", "words:2> <<b>>"]);
}

#[test]
fn values_are_printed_to_standard_error() {
    let program = |env: &StreamExecutionEnvironment| _ = words(env).print_to_err();
    let Some([out, err]) = printed("values_are_printed_to_standard_error", program) else { return };
    assert_eq!((out, err), (Vec::new(), vec!["<<a>>".to_owned(), "<<b>>".to_owned()]));
}
