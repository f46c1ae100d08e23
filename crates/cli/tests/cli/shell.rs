//! The shell on a terminal: `shell.py` plays the user.

use std::path::Path;
use std::process::Command;

#[test]
fn a_session() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/shell.py");
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
