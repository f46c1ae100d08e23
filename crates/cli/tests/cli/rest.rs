//! The REST interface, asked from outside, and compared with what a Flink 2.3 answers for the same job:
//! `rest/flink.json` has its answers with the types in place of the values.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{command, signal, wait};

/// A job that runs until it is ended, and where it is asked about.
pub(crate) struct Server {
    child: Option<Child>,
    address: String,
    /// The rest of what it says, read so that it never waits.
    told: Option<std::thread::JoinHandle<String>>,
}

const JOB: &str = "SET 'pipeline.name' = 'counts';
    CREATE TABLE s (k INT, v BIGINT, ts AS LOCALTIMESTAMP, WATERMARK FOR ts AS ts) WITH (
        'connector' = 'datagen', 'rows-per-second' = '1000', 'fields.k.min' = '1', 'fields.k.max' = '10');
    CREATE TABLE t (k INT, n BIGINT, s BIGINT) WITH ('connector' = 'blackhole');
    INSERT INTO t SELECT k, COUNT(*), SUM(v) FROM s GROUP BY k;";
/// One more, so that the process goes on when the first has ended.
const ANOTHER: &str = "SET 'pipeline.name' = 'another'; INSERT INTO t SELECT k, v, v FROM s;";

impl Server {
    fn start(folder: &Path, script: &str) -> Self {
        let checkpoints = format!("execution.checkpointing.dir={}", folder.join("checkpoints").display());
        let options = [
            "rest.port=0",
            "parallelism.default=2",
            "execution.checkpointing.interval=1 s",
            "security.ssl.rest.key-password=geheim",
            &checkpoints,
        ];
        let mut args = vec!["sql"];
        options.iter().for_each(|option| args.extend(["-D", option]));
        args.extend(["-e", script]);
        Server::of(folder, &args)
    }

    /// A cluster of its own, which also plans SQL.
    pub(crate) fn local(folder: &Path) -> Self {
        Server::of(folder, &["local", "-Drest.port=0", "-Dsecurity.ssl.rest.key-password=geheim"])
    }

    fn of(folder: &Path, args: &[&str]) -> Self {
        let mut child = command(folder, args).spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(told.read_line(&mut line).unwrap() > 0, "it ended without an address");
            if let Some((_, address)) = line.split_once("REST: http://") {
                break address.trim().to_owned();
            }
        };
        let told = std::thread::spawn(move || {
            let mut rest = String::new();
            told.read_to_string(&mut rest).unwrap();
            rest
        });
        Server { child: Some(child), address, told: Some(told) }
    }

    /// Sends a request with these further lines of its head.
    pub(crate) fn send(&self, method: &str, path: &str, head: &str, body: &str) -> (u16, Value) {
        self.send_to(&self.address, method, path, head, body)
    }

    /// Asks the server under a name.
    fn send_to(&self, host: &str, method: &str, path: &str, head: &str, body: &str) -> (u16, Value) {
        let (status, body) = self.exchange(host, method, path, head, body);
        (status, serde_json::from_str(&body).unwrap())
    }

    /// The same, and the answer as it is.
    fn exchange(&self, host: &str, method: &str, path: &str, head: &str, body: &str) -> (u16, String) {
        let (status, _, body) = self.exchange_all(host, method, path, head, body);
        (status, body)
    }

    /// The same with the head of the answer.
    pub(crate) fn exchange_all(
        &self,
        host: &str,
        method: &str,
        path: &str,
        head: &str,
        body: &str,
    ) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), body.to_owned())
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        self.send("GET", path, "", "")
    }

    /// Asks until the answer is as it should be.
    pub(crate) fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut answer = Value::Null;
        let held = (0..3_000).any(|_| {
            answer = self.get(path).1;
            let held = holds(&answer);
            if !held {
                std::thread::park_timeout(Duration::from_millis(10));
            }
            held
        });
        assert!(held, "{path} stays {answer:#}");
        answer
    }

    /// The id of the job once it runs, and has completed a checkpoint.
    fn running_job(&self) -> String {
        let counts = |jobs: &Value| {
            let mut all = jobs["jobs"].as_array()?.iter();
            let job = all.find(|job| job["name"] == "counts" && job["state"] == "RUNNING")?;
            job["jid"].as_str().map(str::to_owned)
        };
        let job = counts(&self.until("/jobs/overview", |jobs| counts(jobs).is_some())).unwrap();
        self.until(&format!("/jobs/{job}"), |job| {
            let vertices = job["vertices"].as_array();
            vertices
                .is_some_and(|all| !all.is_empty() && all.iter().all(|vertex| vertex["status"] == "RUNNING"))
        });
        self.until(&format!("/jobs/{job}/checkpoints"), |all| all["counts"]["completed"].as_u64() >= Some(1));
        job
    }

    pub(crate) fn end(mut self) -> String {
        let child = self.child.take().unwrap();
        signal(&child, "TERM");
        wait(child);
        self.told.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// The types in place of the values; ids of vertices as keys are all one.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(number) => if number.is_f64() { "float" } else { "int" }.into(),
        Value::String(_) => "str".into(),
        // One that has ended tells the most of a checkpoint.
        Value::Array(all) => {
            let telling = all.iter().find(|value| value.get("external_path").is_some()).or(all.first());
            telling.map(shape).into_iter().collect()
        }
        Value::Object(all) => {
            let is_id = |key: &str| key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
            let name = |key: &String| if is_id(key) { "{vertexid}".to_owned() } else { key.clone() };
            Value::Object(all.iter().map(|(key, value)| (name(key), shape(value))).collect())
        }
    }
}

/// What differs between our shape and Flink's. Whole numbers and fractions are both numbers; what may be
/// missing is null or an empty list in one of them; what cannot be computed is the text "NaN".
fn differences(at: &str, ours: &Value, theirs: &Value, all: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for key in ours.keys().filter(|key| !theirs.contains_key(*key)) {
                all.push(format!("{at}/{key} is not in Flink's answer"));
            }
            for (key, theirs) in theirs {
                match ours.get(key) {
                    Some(ours) => differences(&format!("{at}/{key}"), ours, theirs, all),
                    None => all.push(format!("{at}/{key} is missing")),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            if let (Some(ours), Some(theirs)) = (ours.first(), theirs.first()) {
                differences(&format!("{at}[]"), ours, theirs, all);
            }
        }
        (Value::String(ours), Value::String(theirs)) => {
            let number = |kind: &str| kind == "int" || kind == "float";
            let name = at.rsplit('/').next().unwrap_or("");
            let may_be_nan = name.starts_with('p') || name == "accumulated-busy-time";
            let alike = ours == theirs
                || (number(ours) && number(theirs))
                || (may_be_nan && (number(ours) || number(theirs)))
                || ours == "null"
                || theirs == "null";
            if !alike {
                all.push(format!("{at} is {ours}, and {theirs} in Flink"));
            }
        }
        (Value::String(ours), _) if ours == "null" => {}
        (_, Value::String(theirs)) if theirs == "null" => {}
        (ours, theirs) => all.push(format!("{at} is {ours}, and {theirs} in Flink")),
    }
}

#[test]
fn answers_have_the_shape_of_flinks() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &format!("{JOB} {ANOTHER}"));
    let job = server.running_job();
    let recorded: BTreeMap<String, Value> = serde_json::from_str(include_str!("rest/flink.json")).unwrap();
    let mut seen = Vec::new();
    let mut all = Vec::new();
    let mut compare = |name: &str, (status, answer): (u16, Value)| {
        let flink = &recorded[name];
        seen.push(name.to_owned());
        assert_eq!(json!(status), flink["status"], "{name}: {answer}");
        differences(name, &shape(&answer), &flink["answer"], &mut all);
        answer
    };
    let detail = server.get(&format!("/jobs/{job}")).1;
    let vertices = detail["vertices"].as_array().unwrap();
    let vertex = vertices.last().unwrap()["id"].as_str().unwrap();
    let member = server.get("/taskmanagers").1["taskmanagers"][0]["id"].as_str().unwrap().to_owned();
    let done = |checkpoint: &&Value| checkpoint["status"] == "COMPLETED";
    let checkpoints = server.get(&format!("/jobs/{job}/checkpoints")).1;
    let checkpoint = checkpoints["history"].as_array().unwrap().iter().find(done).unwrap()["id"].clone();
    // At once: only the last ones are remembered.
    let details = format!("/jobs/{job}/checkpoints/details/{checkpoint}");
    compare("GET /jobs/{jobid}/checkpoints/details/{checkpointid}", server.get(&details));
    compare(
        "GET /jobs/{jobid}/checkpoints/details/{checkpointid}/subtasks/{vertexid}",
        server.get(&format!("{details}/subtasks/{vertex}")),
    );
    let plain = |path: &&str| !path.contains(' ') && !path.contains("{checkpointid}");
    for name in recorded.keys() {
        let Some(path) = name.strip_prefix("GET ").filter(plain) else { continue };
        let path =
            path.replace("{jobid}", &job).replace("{vertexid}", vertex).replace("{taskmanagerid}", &member);
        // Below /v1 it is the same.
        compare(name, server.get(&format!("/v1{path}")));
        compare(name, server.get(&path));
    }
    compare("missing log", server.get("/jobmanager/logs/nothing"));
    compare("missing taskmanager", server.get("/taskmanagers/nothing/logs"));
    compare("missing job", server.get("/jobs/00000000000000000000000000000000"));
    compare("bad id", server.get("/jobs/xyz"));
    compare("missing path", server.get("/nothing"));
    compare("missing vertex", server.get(&format!("/jobs/{job}/vertices/{}", "f".repeat(32))));
    compare("bad mode", server.send("PATCH", &format!("/jobs/{job}?mode=foo"), "", ""));
    let begin =
        |what: &str, body: Value| server.send("POST", &format!("/jobs/{job}/{what}"), "", &body.to_string());
    compare("savepoint without target", begin("savepoints", json!({ "cancel-job": false })));
    compare("savepoint bad trigger", server.get(&format!("/jobs/{job}/savepoints/{}", "0".repeat(32))));
    let target = folder.path().join("savepoints").display().to_string();
    let ended = |what: &str, begun: &Value| {
        let id = begun["request-id"].as_str().unwrap();
        let path = format!("/jobs/{job}/{what}/{id}");
        server.until(&path, |answer| answer["status"]["id"] == "COMPLETED");
        // The answer is told as often as it is asked for.
        server.get(&path)
    };
    let begun = compare("POST savepoint", begin("savepoints", json!({ "target-directory": target })));
    let answer = compare("GET savepoint status", ended("savepoints", &begun));
    let place = answer["operation"]["location"].as_str().unwrap();
    assert!(place.contains(&target), "{answer}");
    let begun = compare("POST checkpoint", begin("checkpoints", json!({ "checkpointType": "FULL" })));
    let answer = compare("GET checkpoint status", ended("checkpoints", &begun));
    assert!(answer["operation"]["checkpointId"].as_u64() > Some(0), "{answer}");
    compare("GET /jobs/{jobid}/checkpoints after savepoint", server.get(&format!("/jobs/{job}/checkpoints")));
    let begun = compare("POST stop", begin("stop", json!({ "targetDirectory": target, "drain": false })));
    compare("GET stop status", ended("savepoints", &begun));
    server.until(&format!("/jobs/{job}/status"), |answer| answer["status"] == "FINISHED");
    compare("GET /jobs/{jobid} finished", server.get(&format!("/jobs/{job}")));
    compare(
        "GET /jobs/{jobid}/execution-result finished",
        server.get(&format!("/jobs/{job}/execution-result")),
    );
    compare("cancel ended", server.send("PATCH", &format!("/jobs/{job}?mode=cancel"), "", ""));
    assert_eq!(server.send("DELETE", &format!("/jobs/{job}"), "", "").0, 405);
    assert_eq!(all, Vec::<String>::new());
    // Whether it is caught in between is chance.
    let left: Vec<_> = recorded.keys().filter(|name| !seen.contains(name)).collect();
    assert_eq!(left, ["GET savepoint status in progress"]);
}

#[test]
fn a_job_is_cancelled_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), JOB);
    let job = server.running_job();
    let path = format!("/jobs/{job}");
    // A page in a browser says where it comes from.
    let (status, answer) = server.send("PATCH", &path, "Origin: http://evil.example\r\n", "");
    assert_eq!(status, 403, "{answer}");
    // One whose name leads to this machine says so of both.
    let rebound = "Origin: http://evil.example:8081\r\n";
    for (method, head) in [("GET", ""), ("PATCH", rebound)] {
        let (status, answer) = server.send_to("evil.example:8081", method, &path, head, "");
        assert_eq!(status, 403, "{answer}");
    }
    assert_eq!(server.send_to("localhost:8081", "GET", &path, "", "").0, 200);
    assert_eq!(server.get(&path).1["state"], "RUNNING");
    let own = format!("Origin: http://{}\r\n", server.address);
    assert_eq!(server.send("PATCH", &path, &own, "").0, 202);
    wait(server.child.take().unwrap());
    let told = server.told.take().unwrap().join().unwrap();
    assert!(told.contains(&format!("Job {job} was cancelled.")), "{told}");
}

/// They can submit jobs: a page in a browser must not get at them, under whatever name it finds this machine.
#[test]
fn messages_of_clients_are_taken_only_under_names_that_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), JOB);
    let message = |host: &str, more: &str| {
        let version = env!("CARGO_PKG_VERSION");
        let head = format!("flott-version: {version}\r\n{more}");
        server.exchange(host, "POST", "/flott/messages", &head, "no message")
    };
    for path in ["/flott/messages", "/v1/flott/messages"] {
        let rebound = "Origin: http://evil.example:8081\r\n";
        let (status, answer) = server.exchange("evil.example:8081", "POST", path, rebound, "");
        assert!(status == 403 && answer.contains("not known by that name"), "{status}: {answer}");
    }
    for (host, head) in [("evil.example", ""), ("localhost", "Origin: http://evil.example\r\n")] {
        let (status, answer) = message(host, head);
        assert_eq!(status, 403, "{host}: {answer}");
    }
    // Under its own name it is read, and is none.
    let (status, answer) = message("localhost:8081", "");
    assert_eq!(status, 400, "{answer}");
}

#[test]
fn secrets_are_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), JOB);
    let entries = server.get("/jobmanager/config").1;
    let entry = entries
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["key"] == "security.ssl.rest.key-password")
        .unwrap();
    assert_eq!(entry["value"], "******");
    assert!(!server.end().contains("geheim"));
}

#[test]
fn a_port_that_is_taken_keeps_nobody_from_working() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("rest.port={}", taken.local_addr().unwrap().port());
    let run =
        crate::support::run(&["sql", "-D", "rest.bind-address=127.0.0.1", "-D", &port, "-e", "SELECT 1"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.err.contains("the REST server cannot listen on 127.0.0.1:"), "{run:?}");
    let run = crate::support::run(&["sql", "-D", "rest.port=many", "-e", "SELECT 1"]);
    assert_ne!(run.code, 0, "{run:?}");
    assert!(run.err.contains("option 'rest.port' is 'many', and not a port"), "{run:?}");
}

/// With the dashboard or without: there is a page, it may load only what is from here, and whoever finds this
/// machine under another name gets none.
#[test]
fn the_first_page_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::local(folder.path());
    let (status, head, body) = server.exchange_all("localhost", "GET", "/", "", "");
    assert_eq!(status, 200, "{body}");
    let head = head.to_lowercase();
    assert!(head.contains("content-type: text/html"), "{head}");
    assert!(head.contains("content-security-policy: default-src 'none'; script-src 'self'"), "{head}");
    assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    // It loads scripts, or says why it has none.
    let script = body.split('"').find(|part| part.starts_with("./assets/") && part.ends_with(".js"));
    match script {
        Some(script) => {
            let path = script.trim_start_matches('.');
            let (status, head, _) = server.exchange_all("localhost", "GET", path, "", "");
            assert_eq!(status, 200, "{head}");
            assert!(head.to_lowercase().contains("immutable"), "{head}");
        }
        None => assert!(body.contains("without the dashboard") && body.contains("jobs/overview"), "{body}"),
    }
    let (status, _, body) = server.exchange_all("evil.example", "GET", "/", "", "");
    assert_eq!(status, 403, "{body}");
    server.end();
}

/// Flink's own pages begin with applications; each of our jobs is one.
#[test]
fn every_job_is_an_application() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), JOB);
    let job = server.running_job();
    let all = server.get("/applications/overview").1;
    let one = &all["applications"][0];
    assert_eq!(
        (&one["id"], &one["status"], &one["name"]),
        (&json!(job), &json!("RUNNING"), &json!("counts"))
    );
    assert_eq!(one["jobs"], json!({ "RUNNING": 1 }));
    assert_eq!(one["end-time"], -1);
    let (status, detail) = server.get(&format!("/applications/{job}"));
    assert_eq!(status, 200, "{detail}");
    assert_eq!(detail["jobs"][0]["jid"], json!(job));
    assert!(detail["timestamps"]["RUNNING"].as_i64() > Some(0), "{detail}");
    assert_eq!(server.get(&format!("/applications/{}", "0".repeat(32))).0, 404);
    assert_eq!(server.get("/applications/xyz").0, 400);
    let (status, answer) = server.get("/jobmanager/environment");
    assert!(status == 200 && answer["jvm"]["arch"].is_string(), "{answer}");
    server.end();
}
