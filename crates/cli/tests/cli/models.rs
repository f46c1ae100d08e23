//! Models: ML_PREDICT with a service that the test plays.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use expect_test::expect;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::support::{Run, execute};

/// What a request was: its path, its headers and what it says.
#[derive(Clone)]
struct Asked {
    path: String,
    headers: BTreeMap<String, String>,
    body: Value,
}

type Answer = dyn Fn(usize, &Asked) -> (u16, String) + Send + Sync;

/// A service on a port of its own; it ends with the process.
struct Service {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Service {
    /// `answer` gets the number of the request and the request, and gives status and text.
    fn start(answer: impl Fn(usize, &Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (all, answer): (_, Arc<Answer>) = (asked.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (all, answer) = (all.clone(), answer.clone());
                // Who asks may hang up.
                thread::spawn(move || serve(stream, &all, &*answer).ok());
            }
        });
        Service { port, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }

    /// CREATE MODEL for it.
    fn model(&self, path: &str, output: &str, options: &str) -> String {
        format!(
            "CREATE MODEL m INPUT (q STRING) OUTPUT ({output}) WITH ('provider' = 'openai',
               'endpoint' = 'http://127.0.0.1:{}/v1/{path}', 'api-key' = 'sesame', 'model' = 'parrot'{options});",
            self.port
        )
    }
}

fn serve(mut stream: TcpStream, all: &Mutex<Vec<Asked>>, answer: &Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let header = |line: &String| {
        line.split_once(':').map(|(key, value)| (key.to_lowercase(), value.trim().to_owned()))
    };
    let headers: BTreeMap<String, String> = lines.iter().skip(1).filter_map(header).collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let asked = Asked { path, headers, body: serde_json::from_slice(&body).unwrap_or_default() };
    let number = {
        let mut all = all.lock();
        all.push(asked.clone());
        all.len() - 1
    };
    let (status, text) = answer(number, &asked);
    write!(
        stream,
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\nretry-after: 0\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
}

/// A chat that says the last message again, loudly.
fn parrot(asked: &Asked) -> String {
    let said = asked.body["messages"][1]["content"].as_str().unwrap_or_default().to_uppercase();
    json!({ "choices": [{ "message": { "content": said } }] }).to_string()
}

const TABLE: &str =
    "CREATE VIEW t (id, b) AS VALUES (1, 'one'), (2, CAST(NULL AS STRING)), (3, 'three'), (4, 'one');";

fn batch(sql: &str) -> Run {
    execute(&format!("SET 'execution.runtime-mode' = 'batch'; {sql}"))
}

#[test]
fn a_chat_answers_for_each_row() {
    let service = Service::start(|_, asked| (200, parrot(asked)));
    let options = ", 'temperature' = '0.5', 'max-tokens' = '7', 'stop' = 'x,y', 'system-prompt' = 'Shout.'";
    let model = service.model("chat/completions", "a STRING", options);
    let run = batch(&format!("{TABLE} {model} SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b))"));
    expect![[r#"
        +----+-------+-------+
        | id |     b |     a |
        +----+-------+-------+
        |  1 | one   | ONE   |
        |  3 | three | THREE |
        |  4 | one   | ONE   |
        +----+-------+-------+
        3 rows in set
    "#]]
    .assert_eq(&run.out);
    let asked = service.asked();
    assert_eq!(asked.len(), 3, "a row without text is not asked about");
    assert_eq!(asked[0].path, "/v1/chat/completions");
    assert_eq!(asked[0].headers["authorization"], "Bearer sesame");
    let one = asked.iter().find(|asked| asked.body["messages"][1]["content"] == "one").unwrap();
    let wanted = json!({
        "model": "parrot", "temperature": 0.5, "max_tokens": 7, "stop": ["x", "y"],
        "messages": [{ "role": "system", "content": "Shout." }, { "role": "user", "content": "one" }],
    });
    assert_eq!(one.body, wanted);
}

#[test]
fn a_stream_is_answered_in_its_order() {
    let service = Service::start(|_, asked| (200, parrot(asked)));
    let model = service.model("chat/completions", "a STRING", "");
    let rows: Vec<String> = (0..50).map(|i| format!("({i}, 'w{i}')")).collect();
    let table = format!("CREATE VIEW t (id, b) AS VALUES {};", rows.join(", "));
    let query = "SELECT id, a FROM ML_PREDICT(INPUT => TABLE t, MODEL => MODEL m, ARGS => DESCRIPTOR(b),
                 CONFIG => MAP['async', 'true', 'max-concurrent-operations', '4'])";
    let run = execute(&format!("SET 'parallelism.default' = '1'; {table} {model} {query}"));
    let found: Vec<String> = run.out.lines().filter(|line| line.contains(" W")).map(str::to_owned).collect();
    assert_eq!(found.len(), 50, "{}{}", run.out, run.err);
    for (i, line) in found.iter().enumerate() {
        assert!(line.contains(&format!(" W{i} ")), "{i}: {line}");
    }
}

#[test]
fn an_embedding_is_an_array_and_choices_are_rows() {
    let service = Service::start(|_, asked| {
        let length = asked.body["input"].as_str().map_or(0, str::len);
        (200, json!({ "data": [{ "embedding": [length, 0.5] }] }).to_string())
    });
    let model = service.model("embeddings/", "e ARRAY<FLOAT>", ", 'dimension' = '2'");
    let query = "SELECT id, e FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b)) WHERE id < 4";
    let run = batch(&format!("{TABLE} {model} {query}"));
    expect![[r#"
        +----+------------+
        | id |          e |
        +----+------------+
        |  1 | [3.0, 0.5] |
        |  3 | [5.0, 0.5] |
        +----+------------+
        2 rows in set
    "#]]
    .assert_eq(&run.out);
    let bodies: Vec<Value> = service.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies.len(), 2, "the filter comes first");
    assert!(bodies.contains(&json!({ "model": "parrot", "dimensions": 2, "input": "one" })), "{bodies:?}");

    let service = Service::start(|_, _| {
        let choice = |text: Value| json!({ "message": { "content": text } });
        (200, json!({ "choices": [choice(json!("a")), choice(Value::Null)] }).to_string())
    });
    let model = service.model("chat/completions", "a STRING", ", 'n' = '2'");
    let query =
        "SELECT id, a, CHAR_LENGTH(a) AS n FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b)) WHERE id = 1";
    let run = batch(&format!("{TABLE} {model} {query}"));
    expect![[r#"
        +----+---+---+
        | id | a | n |
        +----+---+---+
        |  1 | a | 1 |
        |  1 |   | 0 |
        +----+---+---+
        2 rows in set
    "#]]
    .assert_eq(&run.out);
}

#[test]
fn what_fails_is_asked_again_or_told_without_the_key() {
    // Busy at first.
    let service = Service::start(|number, asked| match number {
        0 | 1 => (429, "slow down".to_owned()),
        2 => (503, "not now".to_owned()),
        _ => (200, parrot(asked)),
    });
    let query = "SELECT id, a FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b)) WHERE id = 1";
    let run = batch(&format!("{TABLE} {} {query}", service.model("chat/completions", "a STRING", "")));
    assert!(run.out.contains("ONE"), "{}{}", run.out, run.err);
    assert_eq!(service.asked().len(), 4);

    // Wrong for good: once, and the key that the service repeats is masked.
    let refuses = |_: usize, _: &Asked| (401, "{\"error\": \"the key sesame is wrong\"}".to_owned());
    let service = Service::start(refuses);
    let run = batch(&format!("{TABLE} {} {query}", service.model("chat/completions", "a STRING", "")));
    assert_eq!((run.code, service.asked().len()), (1, 1), "{}", run.err);
    assert!(run.err.contains("401") && run.err.contains("the key ****** is wrong"), "{}", run.err);
    assert!(run.err.contains("model default_catalog.default_database.m"), "{}", run.err);
    assert!(!run.err.contains("sesame"), "{}", run.err);

    // Tried as often as allowed.
    let service = Service::start(|_, _| (500, "broken".to_owned()));
    let options = ", 'retry-num' = '2'";
    let run = batch(&format!("{TABLE} {} {query}", service.model("chat/completions", "a STRING", options)));
    assert_eq!((run.code, service.asked().len()), (1, 3), "{}", run.err);

    // Left out.
    let service = Service::start(refuses);
    let options = ", 'error-handling-strategy' = 'ignore'";
    let model = service.model("chat/completions", "a STRING", options);
    let run = batch(&format!(
        "{TABLE} {model} SELECT COUNT(*) AS n FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b))"
    ));
    assert!(run.out.contains("|   0 |") || run.out.contains("| 0 |"), "{}{}", run.out, run.err);
}

#[test]
fn a_model_is_checked_before_anything_runs() {
    let refused = |create: &str| {
        let run =
            batch(&format!("{TABLE} {create} SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b))"));
        assert_eq!(run.code, 1, "{}", run.out);
        assert!(!run.err.contains("sesame"), "{}", run.err);
        run.err
    };
    let model = |columns: &str, options: &str| {
        format!("CREATE MODEL m {columns} WITH ('provider' = 'openai', 'api-key' = 'sesame'{options});")
    };
    let text = "INPUT (q STRING) OUTPUT (a STRING)";
    let chat = ", 'model' = 'x', 'endpoint' = 'http://127.0.0.1:9/chat/completions'";
    let told = [
        refused(&model(text, "")),
        refused(&model(text, ", 'model' = 'x', 'endpoint' = 'http://127.0.0.1:9/else'")),
        refused(&model("INPUT (q STRING) OUTPUT (a INT)", chat)),
        refused(&model("INPUT (q STRING) OUTPUT (a STRING, b STRING)", chat)),
        refused(&model(text, &format!("{chat}, 'temperatur' = '1'"))),
        refused(&model(text, &format!("{chat}, 'max-context-size' = '1'"))),
        refused("CREATE MODEL m INPUT (q STRING) OUTPUT (a STRING) WITH ('provider' = 'nobody');"),
    ];
    expect![[r#"
        [ERROR] line 1, column 240: model default_catalog.default_database.m: the option 'endpoint' is missing
        [ERROR] line 1, column 295: model default_catalog.default_database.m: option 'endpoint' is 'http://127.0.0.1:9/else'; expected a URL that ends with '/chat/completions' or '/embeddings'
        [ERROR] line 1, column 304: output column a should be STRING, but is a INT (model default_catalog.default_database.m)
        [ERROR] line 1, column 317: Model should have exactly one output physical column, but actually has 2 physical columns (model default_catalog.default_database.m)
        [ERROR] line 1, column 327: model default_catalog.default_database.m has no option 'temperatur'; did you mean 'temperature'? It has: api-key, dimension, endpoint, error-handling-strategy, max-tokens, model, n, presence-penalty, provider, response-format, retry-fallback-strategy, retry-num, seed, stop, system-prompt, temperature, top-p
        [ERROR] line 1, column 333: model default_catalog.default_database.m: the option 'max-context-size' = '1' is not built yet; there is: texts are sent whole: cut them with SUBSTR
        [ERROR] line 1, column 218: Unable to create a model provider for model 'default_catalog.default_database.m': there is no provider 'nobody'; there is: 'openai'
    "#]].assert_eq(&told.concat());
}
