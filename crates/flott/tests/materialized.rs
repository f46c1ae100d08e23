//! Materialized tables: what runs for them, and what is left when nobody runs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test must not meet ends it")]
#![expect(clippy::disallowed_methods, reason = "files appear in real time")]

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use flott::cluster::JobClient;
use flott::sql::{CatalogObject, Environment, Outcome, parse_script};
use flott::types::{Configuration, Result};

/// A session whose catalogs lie in a folder.
fn session(folder: &Path) -> Environment {
    session_with_savepoints(folder, "savepoints")
}

/// One whose jobs write savepoints into this folder.
fn session_with_savepoints(folder: &Path, savepoints: &str) -> Environment {
    let mut configuration = Configuration::default();
    let store = folder.join("store");
    for (key, value) in [
        ("table.catalog-store.kind", "file".to_owned()),
        ("table.catalog-store.file.path", store.display().to_string()),
        ("parallelism.default", "1".to_owned()),
        ("execution.checkpointing.interval", "50ms".to_owned()),
        ("execution.checkpointing.dir", folder.join("checkpoints").display().to_string()),
        ("execution.checkpointing.savepoint-dir", folder.join(savepoints).display().to_string()),
    ] {
        configuration.set(key, &value).unwrap();
    }
    Environment::new(flott::connectors::builtin(), configuration).unwrap()
}

fn try_run(environment: &mut Environment, script: &str) -> Result<Vec<JobClient>> {
    let mut jobs = Vec::new();
    for statement in parse_script(script)? {
        match environment.session.execute(&statement)? {
            Outcome::Materialized(work) => jobs.extend(environment.materialize(*work)?),
            Outcome::Insert(job) => environment.cluster.submit(&job.graph)?.wait()?,
            Outcome::Done | Outcome::Table(_) => {}
            other => panic!("{other:?}"),
        }
    }
    Ok(jobs)
}

fn run(environment: &mut Environment, script: &str) -> Vec<JobClient> {
    try_run(environment, script).unwrap()
}

/// What is wrong with a statement.
fn fails(environment: &mut Environment, statement: &str) -> String {
    match try_run(environment, statement) {
        Ok(_) => panic!("{statement} works"),
        Err(error) => error.to_string(),
    }
}

/// Catalogs and a table that gets more files.
fn create_source(environment: &mut Environment, folder: &Path) {
    fs::create_dir_all(folder.join("in")).unwrap();
    let (root, input) = (folder.join("catalog"), folder.join("in"));
    run(
        environment,
        &format!(
            "CREATE CATALOG c WITH ('type' = 'filesystem', 'path' = '{}');
             USE CATALOG c;
             CREATE TABLE orders (id INT, dow STRING) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv',
               'source.monitor-interval' = '10ms');",
            root.display(),
            input.display()
        ),
    );
}

/// All lines of the visible files of a folder, sorted.
fn lines(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) {
            continue;
        }
        match entry.path().is_dir() {
            true => found.extend(lines(&entry.path())),
            false => {
                found.extend(fs::read_to_string(entry.path()).unwrap_or_default().lines().map(str::to_owned))
            }
        }
    }
    found.sort();
    found
}

fn wait_for(folder: &Path, wanted: &[&str]) {
    for _ in 0..1_000 {
        if lines(folder) == wanted {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    assert_eq!(lines(folder), wanted);
}

/// What the catalog has noted of a table.
fn status(environment: &Environment, name: &str) -> String {
    let path = environment.session.path_of(name).unwrap();
    match environment.session.catalogs().permanent(&path).unwrap() {
        Some(CatalogObject::Table(table)) => format!("{:?}", table.materialized.as_ref().unwrap().status),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_continuous_table_goes_on_from_its_savepoint_in_another_session() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    let mut first = session(folder.path());
    create_source(&mut first, folder.path());
    fs::write(input.join("1.csv"), "1,mon\n2,tue\n").unwrap();
    let create = format!(
        "CREATE MATERIALIZED TABLE doubled WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv')
         FRESHNESS = INTERVAL '5' SECOND AS SELECT id * 2 AS twice, dow FROM orders",
        output.display()
    );
    let jobs = run(&mut first, &create);
    assert_eq!(jobs.len(), 1);
    assert_eq!(status(&first, "doubled"), format!("Activated {{ job: Some(\"{}\") }}", jobs[0].job_id()));
    assert!(
        jobs[0].name().starts_with("Materialized_table_`c`.`default_database`.`doubled`"),
        "{}",
        jobs[0].name()
    );
    wait_for(&output, &["2,mon", "4,tue"]);
    run(&mut first, "ALTER MATERIALIZED TABLE doubled SUSPEND");
    assert!(jobs[0].status().is_terminal());
    assert!(
        status(&first, "doubled").starts_with("Suspended { savepoint: Some("),
        "{}",
        status(&first, "doubled")
    );
    let again = fails(&mut first, "ALTER MATERIALIZED TABLE doubled SUSPEND");
    assert!(again.contains("already been suspended"), "{again}");
    drop(first);

    // Nothing of the first session is left but files.
    let mut second = session(folder.path());
    fs::write(input.join("2.csv"), "3,wed\n").unwrap();
    run(&mut second, "USE CATALOG c");
    let resumed = run(&mut second, "ALTER MATERIALIZED TABLE doubled RESUME");
    wait_for(&output, &["2,mon", "4,tue", "6,wed"]);

    // Another query begins at the beginning, with a column more.
    let other = run(
        &mut second,
        "ALTER MATERIALIZED TABLE doubled AS SELECT id AS twice, dow, 'new' AS why FROM orders",
    );
    assert!(resumed[0].status().is_terminal());
    wait_for(&output, &["1,mon,new", "2,mon", "2,tue,new", "3,wed,new", "4,tue", "6,wed"]);
    let narrower = fails(&mut second, "ALTER MATERIALIZED TABLE doubled AS SELECT dow FROM orders");
    assert!(narrower.contains("drop column is unsupported"), "{narrower}");
    let table = fails(&mut second, "DROP TABLE doubled");
    assert!(table.contains("does not exist"), "{table}");
    run(&mut second, "DROP MATERIALIZED TABLE doubled");
    other[0].wait_for(Duration::from_secs(20));
    assert!(other[0].status().is_terminal());
    let path = second.session.path_of("doubled").unwrap();
    assert!(second.session.catalogs().permanent(&path).unwrap().is_none());
}

#[test]
fn a_table_whose_job_cannot_start_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut environment = session(folder.path());
    create_source(&mut environment, folder.path());
    let create = "CREATE MATERIALIZED TABLE nowhere FRESHNESS = INTERVAL '5' SECOND AS SELECT id FROM orders";
    assert!(try_run(&mut environment, create).is_err());
    let path = environment.session.path_of("nowhere").unwrap();
    assert!(environment.session.catalogs().permanent(&path).unwrap().is_none());
}

#[test]
fn another_query_takes_the_place_of_a_job_that_has_ended_and_not_of_one_that_cannot_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "no folder for savepoints").unwrap();
    let mut environment = session_with_savepoints(folder.path(), "file");
    create_source(&mut environment, folder.path());
    let create = "CREATE MATERIALIZED TABLE ids WITH ('connector' = 'blackhole')
        FRESHNESS = INTERVAL '5' SECOND AS SELECT id FROM orders";
    let jobs = run(&mut environment, create);
    let other = "ALTER MATERIALIZED TABLE ids AS SELECT id + 1 AS id FROM orders";
    let shown = |environment: &Environment| {
        let path = environment.session.path_of("ids").unwrap();
        format!("{:?}", environment.session.catalogs().permanent(&path).unwrap())
    };
    let before = shown(&environment);
    fails(&mut environment, other);
    assert_eq!(shown(&environment), before);
    jobs.iter().for_each(|job| job.cancel());
    jobs.iter().for_each(|job| assert!(job.wait().is_err()));
    assert_eq!(run(&mut environment, other).len(), 1);
    assert!(shown(&environment).contains("id + 1"));
    run(&mut environment, "DROP MATERIALIZED TABLE ids");
}

#[test]
fn what_would_write_the_table_again_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut environment = session(folder.path());
    create_source(&mut environment, folder.path());
    for statement in [
        "CREATE MATERIALIZED TABLE again WITH ('connector' = 'blackhole')
             FRESHNESS = INTERVAL '1' HOUR REFRESH_MODE = FULL AS SELECT id FROM orders",
        "CREATE MATERIALIZED TABLE again WITH ('connector' = 'blackhole')
             FRESHNESS = INTERVAL '1' HOUR AS SELECT id FROM orders",
    ] {
        let why = fails(&mut environment, statement);
        assert!(why.contains("not written anew at regular times"), "{why}");
    }
    run(
        &mut environment,
        "CREATE MATERIALIZED TABLE ids WITH ('connector' = 'blackhole')
             FRESHNESS = INTERVAL '5' SECOND AS SELECT id FROM orders",
    );
    let why = fails(&mut environment, "ALTER MATERIALIZED TABLE ids REFRESH");
    assert!(why.contains("not written anew at regular times"), "{why}");
    run(&mut environment, "DROP MATERIALIZED TABLE ids");
}

fn create_ids(environment: &mut Environment, output: &Path) -> Vec<JobClient> {
    run(
        environment,
        &format!(
            "CREATE MATERIALIZED TABLE ids WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv')
             FRESHNESS = INTERVAL '5' SECOND AS SELECT id FROM orders",
            output.display()
        ),
    )
}

#[test]
fn a_job_that_has_ended_goes_on_from_its_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    let mut environment = session(folder.path());
    create_source(&mut environment, folder.path());
    fs::write(input.join("1.csv"), "1,mon\n").unwrap();
    let jobs = create_ids(&mut environment, &output);
    wait_for(&output, &["1"]);
    let resume = "ALTER MATERIALIZED TABLE ids RESUME";
    let running = fails(&mut environment, resume);
    assert!(running.contains("already been resumed"), "{running}");
    assert!(status(&environment, "ids").contains(&jobs[0].job_id().to_string()));
    jobs[0].cancel();
    assert!(jobs[0].wait().is_err());
    let why = fails(&mut environment, "ALTER MATERIALIZED TABLE ids SUSPEND");
    assert!(why.contains("RESUME lets it go"), "{why}");
    fs::write(input.join("2.csv"), "2,tue\n").unwrap();
    let again = run(&mut environment, resume);
    assert!(status(&environment, "ids").contains(&again[0].job_id().to_string()));
    wait_for(&output, &["1", "2"]);
    run(&mut environment, "DROP MATERIALIZED TABLE ids");
}

#[test]
fn of_two_sessions_that_resume_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    let mut first = session(folder.path());
    create_source(&mut first, folder.path());
    fs::write(input.join("1.csv"), "1,mon\n").unwrap();
    create_ids(&mut first, &output);
    wait_for(&output, &["1"]);
    run(&mut first, "ALTER MATERIALIZED TABLE ids SUSPEND");
    let mut second = session(folder.path());
    run(&mut second, "USE CATALOG c");
    let statement = parse_script("ALTER MATERIALIZED TABLE ids RESUME").unwrap().remove(0);
    let mut works = Vec::new();
    for environment in [&mut first, &mut second] {
        match environment.session.execute(&statement).unwrap() {
            Outcome::Materialized(work) => works.push(*work),
            other => panic!("{other:?}"),
        }
    }
    let late = works.pop().unwrap();
    let job = first.materialize(works.pop().unwrap()).unwrap().unwrap();
    assert!(second.materialize(late).is_err());
    let noted = format!("Activated {{ job: Some(\"{}\") }}", job.job_id());
    assert_eq!((status(&first, "ids"), status(&second, "ids")), (noted.clone(), noted));
    fs::write(input.join("2.csv"), "2,tue\n").unwrap();
    wait_for(&output, &["1", "2"]);
    run(&mut first, "DROP MATERIALIZED TABLE ids");
}

#[test]
fn what_would_lose_sight_of_its_job_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut environment = session(folder.path());
    create_source(&mut environment, folder.path());
    run(
        &mut environment,
        "CREATE DATABASE other; USE other;
         CREATE MATERIALIZED TABLE ids WITH ('connector' = 'blackhole')
           FRESHNESS = INTERVAL '5' SECOND AS SELECT id FROM default_database.orders;",
    );
    for (statement, wanted) in [
        (
            "CREATE OR REPLACE TABLE ids WITH ('connector' = 'blackhole') AS SELECT 1 AS a",
            "is a materialized table",
        ),
        ("USE default_database; DROP DATABASE other CASCADE", "holds the materialized table ids"),
    ] {
        let why = fails(&mut environment, statement);
        assert!(why.contains(wanted), "{why}");
    }
    run(&mut environment, "DROP MATERIALIZED TABLE other.ids; DROP DATABASE other CASCADE");
    run(&mut environment, "CREATE TEMPORARY TABLE ids (id INT) WITH ('connector' = 'blackhole')");
    let create = "CREATE MATERIALIZED TABLE ids WITH ('connector' = 'blackhole')
        FRESHNESS = INTERVAL '5' SECOND AS SELECT id FROM orders";
    let why = fails(&mut environment, create);
    assert!(why.contains("which would get the rows"), "{why}");
    let path = environment.session.path_of("ids").unwrap();
    assert!(environment.session.catalogs().permanent(&path).unwrap().is_none());
}
