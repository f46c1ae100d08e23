//! `flott state`

use std::path::Path;

use crate::restore::{prepare, start, wait_for_checkpoint};
use crate::support::{Run, execute, run_in, signal, wait};

/// The checkpoint of a job that was killed.
fn checkpoint(folder: &Path) -> String {
    prepare(folder);
    let child = start(folder, "2");
    let jobs = wait_for_checkpoint(folder, &[]);
    signal(&child, "KILL");
    wait(child);
    format!("checkpoints/{}", jobs[0])
}

#[test]
fn a_checkpoint_is_shown_and_checked_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint(folder.path());
    let state = |args: &[&str]| run_in(folder.path(), &[&["state"], args].concat());
    let Run { out, err, code } = state(&["show", &path]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for expected in
        ["checkpoint ", " of job ", "Source-default_catalog.default_database.u", "list splits: 2 entries"]
    {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    let Run { out, code, .. } = state(&["check", &path]);
    assert!(code == 0 && out.contains("is whole"), "{out}");
    let Run { out, code, .. } = state(&["diff", &path, &path]);
    assert_eq!((code, out.as_str()), (0, "the states are the same\n"));
    // The tables that it prints are tables.
    let Run { out, code, .. } = state(&["show", "--sql", &path]);
    assert!(code == 0 && out.contains("'state.name' = 'splits'"), "{out}");
    let Some((tables, _)) = out.split_once("-- Sink") else { panic!("{out}") };
    let name = tables.rsplit("CREATE TABLE ").next().unwrap().split(' ').next().unwrap();
    let Run { out, err, code } = execute(&format!("{tables} SELECT COUNT(*) FROM {name};"));
    assert!(code == 0 && out.contains("2"), "{out}{err}");
}

#[test]
fn a_savepoint_is_made_of_the_state_of_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint(folder.path());
    let state = |args: &[&str]| run_in(folder.path(), &[&["state"], args].concat());
    let Run { out, .. } = state(&["show", &path]);
    let uid = out.lines().find(|line| line.starts_with("Source-")).unwrap();
    let Run { out, err, code } = state(&[
        "edit",
        &path,
        "--to",
        "new",
        "--rename",
        &format!("{uid}=numbers"),
        "--replace",
        &format!("{uid}={path}"),
    ]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("wrote the savepoint "), "{out}");
    let Run { out, code, .. } = state(&["show", "new"]);
    assert!(code == 0 && out.contains("\nnumbers\n") && !out.contains(uid), "{out}");
    let Run { out, code, .. } = state(&["check", "new"]);
    assert!(code == 0 && out.contains("is whole"), "{out}");
    for (args, why) in [
        (["--to", "new", "--remove", uid], "is not empty"),
        (["--to", "newer", "--remove", "nobody"], "no operator 'nobody'"),
        (["--to", "newer", "--rename", uid], "expected OLD=NEW"),
    ] {
        let Run { err, code, .. } = state(&[&["edit", &path], &args[..]].concat());
        assert!(code == 1 && err.contains(why), "{err}");
    }
}

#[test]
fn what_is_no_snapshot_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["show", "check"] {
        let Run { out, err, code } = run_in(folder.path(), &["state", command, "nothing"]);
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(err.contains("there is no snapshot in 'nothing'"), "{err}");
    }
}
