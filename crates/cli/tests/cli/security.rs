//! HTTPS, and users with roles.

use std::path::Path;

use crate::cluster::{Process, TABLES, numbers, until};
use crate::support::{Run, command, run_in, wait};

const VIEWER: &str = "viewer-token-0123456789";
const OPERATOR: &str = "operator-token-0123456789";
const ADMIN: &str = "admin-token-0123456789";

fn store(name: &str) -> String {
    format!("{}/../../tests/services/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A cluster of one process, and where it is.
fn start(folder: &Path, more: &[&str]) -> (Process, String) {
    std::fs::write(
        folder.join("users"),
        format!("# name role token\nvera viewer {VIEWER}\noskar operator {OPERATOR}\nada admin {ADMIN}\n"),
    )
    .unwrap();
    let keys = format!("-Dsecurity.ssl.rest.keystore={}", store("broker.pem"));
    let args = [
        "local",
        "-Drest.port=0",
        "-Drest.bind-address=127.0.0.1",
        "-Dsecurity.ssl.rest.enabled=true",
        "-Drest.authentication.token-file=users",
        &keys,
    ];
    let (process, told) = Process::start(folder, &[&args[..], more].concat(), &["REST: "]);
    (process, told[0].clone())
}

#[test]
fn users_do_what_their_roles_allow_and_others_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    numbers(folder);
    let (process, url) = start(folder, &[]);
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let ca = store("ca.pem");
    let run = |token: &str, args: &[&str]| -> Run {
        let mut all = vec![args[0], "-m", &url, "--ca", &ca];
        if !token.is_empty() {
            all.extend(["--token", token]);
        }
        all.extend(&args[1..]);
        run_in(folder, &all)
    };
    // Without a token, with one that nobody has, without knowing the authority, and without TLS.
    for token in ["", "another-token-0123456789"] {
        let refused = run(token, &["list"]);
        assert!(refused.code == 1 && refused.err.contains("401"), "{refused:?}");
    }
    let stranger = run_in(folder, &["list", "-m", &url, "--token", VIEWER]);
    assert!(stranger.code == 1 && stranger.err.contains("ertificate"), "{stranger:?}");
    let plain = run_in(folder, &["list", "-m", &url.replace("https", "http"), "--token", VIEWER]);
    assert_eq!(plain.code, 1, "{plain:?}");

    let job = format!("{TABLES} INSERT INTO drain SELECT d, n FROM endless;");
    std::fs::write(folder.join("job.sql"), job).unwrap();
    for token in [VIEWER, OPERATOR] {
        let refused = run(token, &["run", "-d", "job.sql"]);
        assert!(refused.code == 1 && refused.err.contains("needs the role 'admin'"), "{refused:?}");
    }
    let begun = run(ADMIN, &["run", "-d", "job.sql"]);
    assert_eq!(begun.code, 0, "{begun:?}");
    let job = begun.err.split_once("Job ID: ").unwrap().1.lines().next().unwrap();
    until(|| run(VIEWER, &["list"]).out.contains(&format!(" : {job} : ")));
    let refused = run(VIEWER, &["cancel", job]);
    assert!(refused.code == 1 && refused.err.contains("needs the role 'operator'"), "{refused:?}");
    let cancelled = run(OPERATOR, &["cancel", job]);
    assert_eq!(cancelled.code, 0, "{cancelled:?}");
    until(|| run(VIEWER, &["list", "-a"]).out.contains("(CANCELED)"));

    // The environment is where others do not see a token, and rows come by the same way.
    let mut query = command(
        folder,
        &["sql", "-q", "--cluster", &url, "--ca", &ca, "--output", "csv", "-e", "SELECT 1 AS x"],
    );
    let query = wait(query.env("FLOTT_TOKEN", ADMIN).spawn().unwrap());
    assert_eq!((query.code, query.out.as_str()), (0, "x\n1\n"), "{query:?}");
    let told = process.end();
    assert!(![VIEWER, OPERATOR, ADMIN].iter().any(|token| told.contains(token)), "{told}");
}

#[test]
fn what_protects_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("users"), "eve root eves-secret-0123456789\n").unwrap();
    let local = |option: &str| run_in(folder, &["local", "-Drest.port=0", option]);
    let run = local("-Drest.authentication.token-file=users");
    assert!(run.code == 1 && run.err.contains("line 1: the role is none of"), "{run:?}");
    assert!(!run.err.contains("eves-secret"), "{run:?}");
    let run = local("-Dsecurity.ssl.rest.enabled=true");
    assert!(run.code == 1 && run.err.contains("'security.ssl.rest.keystore' is missing"), "{run:?}");
}
