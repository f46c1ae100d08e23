//! The programs as they are started by hand, with a socket server for their input.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output};

/// Runs a program that reads these lines from a socket; what it prints, sorted.
fn run(program: &str, arguments: &[&str], lines: &str) -> Vec<String> {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port().to_string();
    let mut command = Command::new(program);
    command.args(["127.0.0.1", &port]).args(arguments);
    let Output { status, stdout, stderr } = std::thread::scope(|scope| {
        scope.spawn(move || {
            let (mut client, _) = server.accept().unwrap();
            client.write_all(lines.as_bytes()).unwrap();
        });
        command.output().unwrap()
    });
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let printed = String::from_utf8(stdout).unwrap();
    // Where there are several subtasks, each line begins with the number of one.
    let mut printed: Vec<String> = printed
        .lines()
        .map(|line| line.split_once("> ").map_or(line, |(_, value)| value).to_owned())
        .collect();
    printed.sort();
    printed
}

#[test]
fn word_count_counts_words() {
    let printed = run(env!("CARGO_BIN_EXE_word_count"), &[], "to be or not\nto be\n");
    let expected =
        [r#"("be", 1)"#, r#"("be", 2)"#, r#"("not", 1)"#, r#"("or", 1)"#, r#"("to", 1)"#, r#"("to", 2)"#];
    assert_eq!(printed, expected);
}

#[test]
fn fraud_detection_raises_an_alert() {
    let printed = run(env!("CARGO_BIN_EXE_fraud_detection"), &[], "1,0.5\n2,600\n1,600.00\n");
    assert_eq!(printed, ["account 1: 600.00 after a small amount"]);
}
