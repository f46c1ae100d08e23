//! Runs the binary.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What a run left.
#[derive(Debug)]
pub struct Run {
    pub out: String,
    pub err: String,
    /// 128 + signal if one ended it.
    pub code: i32,
}

/// The command with these arguments, in a folder, with nothing of the user's environment that could change
/// it.
pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flott"));
    command.args(args).current_dir(folder).env_remove("FLOTT_CONF_DIR").env_remove("FLOTT_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end.
pub fn run_in(folder: &Path, args: &[&str]) -> Run {
    wait(command(folder, args).spawn().unwrap())
}

/// Runs to the end in no folder in particular.
pub fn run(args: &[&str]) -> Run {
    run_in(Path::new("/"), args)
}

/// `flott sql -q -e`
pub fn execute(sql: &str) -> Run {
    run(&["sql", "-q", "-e", sql])
}

/// Runs with a text on standard input.
pub fn run_with_input(args: &[&str], input: &str) -> Run {
    let mut child = command(Path::new("/"), args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    wait(child)
}

/// Waits for the end.
pub fn wait(child: Child) -> Run {
    use std::os::unix::process::ExitStatusExt;
    let output = child.wait_with_output().unwrap();
    let code = output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { out: text(output.stdout), err: text(output.stderr), code }
}

/// Sends a signal: `INT`, `TERM`, `KILL`.
pub fn signal(child: &Child, name: &str) {
    let done = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap();
    assert!(done.success(), "kill -{name}");
}

/// The status of an answer of HTTP, and what it says as JSON.
pub(crate) fn get(address: &str, path: &str) -> (u16, serde_json::Value) {
    let answer = ask(address, "GET", path, "");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

/// The answer to a request of HTTP, with its head.
pub(crate) fn ask(address: &str, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
