//! A program's REST server, as a script with `curl` or Flink's command line uses it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use flott_cluster::JobStatus;
use flott_datastream::*;
use serde_json::{Value, json};

use crate::support::{Feed, LONG, Seen, environment, wait_until};

/// Status and body of an answer.
fn ask(address: SocketAddr, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

/// The outcome of a request that takes its time; asked again if that was too early, because values may come
/// before the last of the tasks has said that it runs.
fn outcome(address: SocketAddr, path: &str, body: &Value) -> Value {
    let mut last = Value::Null;
    assert!(wait_until(|| {
        last = one_outcome(address, path, body);
        !last["failure-cause"]["stack-trace"].as_str().is_some_and(|why| why.contains("is not running"))
    }));
    last
}

fn one_outcome(address: SocketAddr, path: &str, body: &Value) -> Value {
    let (status, answer) = ask(address, "POST", path, body);
    assert_eq!(status, 202, "{answer}");
    let job = path.rsplit_once('/').unwrap().0;
    let request = format!("{job}/savepoints/{}", answer["request-id"].as_str().unwrap());
    let mut operation = Value::Null;
    assert!(wait_until(|| {
        let (status, answer) = ask(address, "GET", &request, &Value::Null);
        assert_eq!(status, 200, "{answer}");
        operation = answer["operation"].clone();
        answer["status"]["id"] == "COMPLETED"
    }));
    operation
}

fn start(feed: &Feed<i64>, savepoint: Option<&str>) -> (JobClient, SocketAddr, Seen<i64>) {
    let env = environment(1, savepoint);
    env.set("rest.port", 0);
    let sums = feed.stream(&env).key_by(|_| 0u8).reduce(|a, b| a + b).uid("sum");
    let seen = Seen::of(&sums);
    let job = env.execute_async("sums").unwrap();
    let address = job.executor().rest_address().unwrap();
    (job, address, seen)
}

#[test]
fn a_job_is_stopped_from_outside_and_continues() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().to_str().unwrap();
    let feed = Feed::new();
    let (job, address, seen) = start(&feed, None);
    feed.push([1, 2]);
    assert_eq!(seen.take(2, &job), [1, 3]);
    assert!(job.wait_until(LONG, |info| info.status == JobStatus::Running));

    let id = job.job_id().to_string();
    let (_, jobs) = ask(address, "GET", "/jobs", &Value::Null);
    assert_eq!(jobs, json!({ "jobs": [{ "id": id, "status": "RUNNING" }] }));
    let (_, jobs) = ask(address, "GET", "/v1/jobs/overview", &Value::Null);
    assert_eq!((&jobs["jobs"][0]["name"], &jobs["jobs"][0]["end-time"]), (&json!("sums"), &json!(-1)));
    let (_, overview) = ask(address, "GET", "/overview", &Value::Null);
    assert_eq!(overview["jobs-running"], 1);

    let savepoint =
        outcome(address, &format!("/v1/jobs/{id}/savepoints"), &json!({ "target-directory": target }));
    assert!(savepoint["location"].as_str().unwrap().contains("savepoint-"), "{savepoint}");
    assert_eq!(job.status(), JobStatus::Running);

    let body = json!({ "targetDirectory": target, "drain": false });
    let stopped = outcome(address, &format!("/v1/jobs/{id}/stop"), &body);
    assert!(job.wait_until(LONG, |info| info.status == JobStatus::Finished));
    let (_, details) = ask(address, "GET", &format!("/jobs/{id}"), &Value::Null);
    assert_eq!(details["state"], "FINISHED");
    assert!(details["timestamps"]["RUNNING"].is_i64(), "{details}");

    let (next, address, seen) = start(&feed, stopped["location"].as_str());
    feed.push([10]);
    assert_eq!(seen.take(1, &next), [13]);
    let (status, _) = ask(address, "PATCH", &format!("/jobs/{}?mode=cancel", next.job_id()), &Value::Null);
    assert_eq!(status, 202);
    assert_eq!(next.wait_for(LONG), Some(JobStatus::Canceled));
}

#[test]
fn what_cannot_be_done_is_told() {
    let feed = Feed::<i64>::new();
    let (job, address, _) = start(&feed, None);
    let id = job.job_id();
    let tell = |method: &str, path: &str| {
        let (status, answer) = ask(address, method, path, &Value::Null);
        (status, answer["errors"][0].as_str().unwrap().to_owned())
    };
    assert_eq!(tell("GET", "/nothing").0, 404);
    assert_eq!(tell("GET", "/jobs/7").0, 400);
    let other = "0".repeat(32);
    assert_eq!(tell("GET", &format!("/jobs/{other}")), (404, format!("Job {other} not found")));
    assert_eq!(tell("GET", &format!("/jobs/{id}/savepoints/1")).0, 400);
    assert_eq!(tell("GET", &format!("/jobs/{id}/savepoints/{other}")).0, 404);
    assert_eq!(tell("PATCH", &format!("/jobs/{id}?mode=stop")).0, 410);
    // No folder is named, and none is configured.
    let (status, cause) = tell("POST", &format!("/jobs/{id}/savepoints"));
    assert!(status == 400 && cause.contains("[target-directory] must be provided"), "{cause}");

    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"nonsense\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    job.cancel();
}

#[test]
fn a_port_that_is_taken_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let env = environment(1, None);
    env.set("rest.bind-address", "127.0.0.1");
    env.set("rest.port", listener.local_addr().unwrap().port());
    env.from_sequence(1, 3).discard();
    let error = env.execute("taken").unwrap_err();
    assert!(error.to_string().contains("the REST server cannot listen on 127.0.0.1"), "{error}");
}
