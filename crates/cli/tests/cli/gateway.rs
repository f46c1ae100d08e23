//! SQL by HTTP: sessions, statements, and results page by page.

use std::path::Path;

use serde_json::{Value, json};

use crate::rest::Server;

/// A session on a server.
struct Session {
    server: Server,
    path: String,
}

impl Session {
    fn open(folder: &Path, body: &Value) -> Self {
        let server = Server::local(folder);
        let (status, answer) = server.send("POST", "/v1/sessions", "", &body.to_string());
        assert_eq!(status, 200, "{answer}");
        let path = format!("/v1/sessions/{}", answer["sessionHandle"].as_str().unwrap());
        Session { server, path }
    }

    fn post(&self, what: &str, body: &Value) -> (u16, Value) {
        self.server.send("POST", &format!("{}/{what}", self.path), "", &body.to_string())
    }

    /// Executes a statement. Returns the path of its operation.
    fn execute(&self, statement: &str) -> String {
        let (status, answer) = self.post("statements", &json!({ "statement": statement }));
        assert_eq!(status, 200, "{answer}");
        format!("{}/operations/{}", self.path, answer["operationHandle"].as_str().unwrap())
    }

    fn page(&self, operation: &str, token: u64) -> (u16, Value) {
        self.server.get(&format!("{operation}/result/{token}?rowFormat=PLAIN_TEXT"))
    }

    /// All rows of a statement: their kinds and fields.
    fn rows(&self, statement: &str) -> Vec<Value> {
        let operation = self.execute(statement);
        let mut rows = Vec::new();
        let mut next = format!("{operation}/result/0?rowFormat=PLAIN_TEXT");
        loop {
            let (status, page) = self.server.get(&next);
            assert_eq!(status, 200, "{page}");
            rows.extend(page["results"]["data"].as_array().unwrap().iter().cloned());
            match page["nextResultUri"].as_str() {
                Some(uri) => next = uri.to_owned(),
                None => break,
            }
        }
        let (status, answer) = self.server.get(&format!("{operation}/status"));
        assert_eq!((status, &answer["status"]), (200, &json!("FINISHED")));
        rows
    }

    /// The first field of each row.
    fn first(&self, statement: &str) -> Vec<Value> {
        self.rows(statement).iter().map(|row| row["fields"][0].clone()).collect()
    }
}

const ENDLESS: &str = "CREATE TABLE endless (k INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100', \
                       'fields.k.min' = '1', 'fields.k.max' = '3')";

#[test]
fn a_session_has_tables_and_settings_and_gives_results_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let properties = json!({ "sessionName": "mine", "properties": { "pipeline.name": "of a session" } });
    let session = Session::open(folder.path(), &properties);
    let (status, answer) = session.server.get(&session.path);
    assert_eq!((status, &answer["sessionName"]), (200, &json!("mine")));
    assert_eq!(answer["properties"]["pipeline.name"], "of a session", "{answer}");
    // What the cluster keeps secret, no session has.
    assert!(!answer.to_string().contains("key-password"), "{answer}");

    assert_eq!(session.first("CREATE TABLE t (k INT, v STRING) WITH ('connector' = 'blackhole')"), ["OK"]);
    assert_eq!(session.first("SHOW TABLES"), ["t"]);
    let rows = session.rows("SELECT k, COUNT(*) AS n FROM (VALUES (1), (2), (1)) AS t(k) GROUP BY k");
    let mut counts = std::collections::BTreeMap::new();
    for row in &rows {
        let fields = row["fields"].as_array().unwrap();
        let key = fields[0].as_str().unwrap().to_owned();
        match row["kind"].as_str().unwrap() {
            "INSERT" | "UPDATE_AFTER" => counts.insert(key, fields[1].clone()),
            "UPDATE_BEFORE" | "DELETE" => counts.remove(&key),
            other => panic!("{other}"),
        };
    }
    assert_eq!(counts, [("1".to_owned(), json!("2")), ("2".to_owned(), json!("1"))].into());

    // NULL is null, and no text.
    assert_eq!(session.first("SELECT CAST(NULL AS INT) AS nothing"), [Value::Null]);
    let operation = session.execute("SELECT 1 AS a, 'x' AS b");
    let (_, page) = session.page(&operation, 0);
    let columns = &page["results"]["columns"];
    assert_eq!(columns[0]["name"], "a", "{page}");
    assert_eq!(columns[0]["logicalType"], json!({ "type": "INT", "nullable": false }), "{page}");
    assert_eq!(page["isQueryResult"], true);
    // A page may be asked for again, but none before it, nor one after the next.
    assert_eq!(session.page(&operation, 0).1, page);
    assert_eq!(session.page(&operation, 2).0, 400);
    session.page(&operation, 1);
    assert_eq!(session.page(&operation, 0).0, 400);
    session.server.end();
}

#[test]
fn an_insert_is_a_job_that_outlives_its_session_and_a_query_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(folder.path(), &json!({}));
    session.rows(ENDLESS);
    session.rows("CREATE TABLE gone (k INT) WITH ('connector' = 'blackhole')");
    let insert = session.first("INSERT INTO gone SELECT k FROM endless")[0].as_str().unwrap().to_owned();
    let query = session.execute("SELECT k FROM endless");
    let (_, page) = session.page(&query, 0);
    let query_job = page["jobID"].as_str().unwrap().to_owned();
    for job in [&insert, &query_job] {
        session.server.until(&format!("/jobs/{job}/status"), |answer| answer["status"] == "RUNNING");
    }
    assert_eq!(session.first("SHOW JOBS").len(), 2);
    let (status, answer) = session.server.send("DELETE", &session.path, "", "");
    assert_eq!((status, &answer["status"]), (200, &json!("CLOSED")));
    session.server.until(&format!("/jobs/{query_job}/status"), |answer| answer["status"] == "CANCELED");
    assert_eq!(session.server.get(&format!("/jobs/{insert}/status")).1["status"], "RUNNING");
    assert_eq!(session.post("heartbeat", &json!({})).0, 404);
    session.server.end();
}

#[test]
fn a_query_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(folder.path(), &json!({}));
    session.rows(ENDLESS);
    let query = session.execute("SELECT k, COUNT(*) FROM endless GROUP BY k");
    let (_, page) = session.page(&query, 0);
    let job = page["jobID"].as_str().unwrap();
    let (status, answer) = session.server.send("POST", &format!("{query}/cancel"), "", "");
    assert_eq!((status, &answer["status"]), (200, &json!("CANCELED")));
    session.server.until(&format!("/jobs/{job}/status"), |answer| answer["status"] == "CANCELED");
    // What came before may still be read, and then nothing.
    assert_eq!(session.page(&query, 1).1["resultType"], "EOS");
    let (status, answer) = session.server.send("DELETE", &format!("{query}/close"), "", "");
    assert_eq!((status, &answer["status"]), (200, &json!("CLOSED")));
    assert_eq!(session.server.get(&format!("{query}/status")).0, 404);
    session.server.end();
}

#[test]
fn what_is_wrong_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(folder.path(), &json!({}));
    let wrong = |statement: &str| {
        let operation = session.execute(statement);
        // One that fails while it runs may have empty pages before.
        let failed =
            (0..1_000).map(|token| session.page(&operation, token)).find(|(status, _)| *status != 200);
        let (status, answer) = failed.unwrap();
        assert_eq!(session.server.get(&format!("{operation}/status")).1["status"], "ERROR");
        (status, answer["errors"][0].as_str().unwrap().to_owned())
    };
    let (status, told) = wrong("SELECT a FROM nowhere");
    assert!(status == 400 && told.contains("line 1, column 15"), "{told}");
    let (status, told) = wrong("SELECT 1; SELECT 2");
    assert!(status == 400 && told.contains("2 statements"), "{told}");
    assert!(wrong("").1.contains("no statement"));
    assert!(wrong("QUIT").1.contains("shell"));
    // What fails while it runs, is told by the job.
    let (_, told) = wrong("SELECT 1 / (x - 1) FROM (VALUES (1)) AS t(x)");
    assert!(told.to_lowercase().contains("zero"), "{told}");

    let (status, answer) = session.post("configure-session", &json!({ "statement": "USE CATALOG nothing" }));
    assert_eq!(status, 400, "{answer}");
    let refused = [
        json!({ "statement": "SELECT 1", "executionTimeout": 5 }),
        json!({ "statement": "SELECT 1", "executionConfig": { "a": "b" } }),
        json!({ "sql": "SELECT 1" }),
    ];
    for body in &refused {
        assert_eq!(session.post("statements", body).0, 400, "{body}");
    }
    let operation = session.execute("SELECT 1");
    assert_eq!(session.server.get(&format!("{operation}/result/0")).0, 400);
    assert_eq!(session.server.get("/sessions/xyz").0, 400);
    assert_eq!(session.server.get("/sessions/00000000-0000-0000-0000-000000000000").0, 404);
    // A page of somebody else opens none.
    let (status, _) = session.server.send("POST", "/sessions", "Origin: http://evil.example\r\n", "");
    assert_eq!(status, 403);
    session.server.end();
}

#[test]
fn names_and_keywords_are_completed() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(folder.path(), &json!({}));
    session.rows(ENDLESS);
    let complete = |text: &str| {
        let body = json!({ "statement": text, "position": text.len() });
        session.post("complete-statement", &body).1["candidates"].as_array().unwrap().clone()
    };
    assert_eq!(complete("SELECT * FROM endl"), ["endless"]);
    assert!(complete("SEL").contains(&json!("SELECT")));
    assert_eq!(complete("SELECT endless."), ["k"]);
    // A place that is none is no error.
    let body = json!({ "statement": "ä", "position": 1 });
    assert_eq!(session.post("complete-statement", &body).0, 200);
    session.server.end();
}
