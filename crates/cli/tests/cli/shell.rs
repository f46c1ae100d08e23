//! The shell on a terminal: scripts in Python play the user.

use std::path::Path;
use std::process::Command;

fn play(script: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli").join(script);
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("python3")
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_flott"))
        .arg(folder.path())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn a_session() {
    play("shell.py");
}

#[test]
fn the_terminal_goes_away() {
    play("terminal_gone.py");
}
