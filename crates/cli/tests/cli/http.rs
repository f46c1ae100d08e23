//! Tables that are files behind HTTP: read in ranges, and only read.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use crate::support::command;

/// A server of one file, `/data/a b.csv`, which gives ranges; whatever else is asked for is not there. In other
/// folders it is of another kind: `/whole` without ranges, `/weak` with a name of the version that is no condition,
/// `/get` without HEAD.
fn serve(content: Arc<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let content = content.clone();
            std::thread::spawn(move || while answer(&stream, &content).is_some() {});
        }
    });
    place
}

/// Answers one request; `None` if there is none.
fn answer(mut stream: &TcpStream, content: &[u8]) -> Option<()> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let request = lines.next()?;
    let headers: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    let mut words = request.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let range = headers.iter().find_map(|line| {
        let (from, to) = line
            .to_ascii_lowercase()
            .strip_prefix("range: bytes=")?
            .split_once('-')
            .map(|(from, to)| (from.to_owned(), to.to_owned()))?;
        Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?))
    });
    let folder = path.strip_suffix("/a%20b.csv").filter(|_| matches!(method, "GET" | "HEAD"));
    let range = range.filter(|_| folder != Some("/whole"));
    let is_weak = folder == Some("/weak");
    let has_condition = headers.iter().any(|line| line.to_ascii_lowercase().starts_with("if-match"));
    let refused = match (folder, method) {
        (Some("/data" | "/whole"), _) | (Some("/get"), "GET") => None,
        (Some("/weak"), _) => has_condition.then_some("412 Precondition Failed"),
        (Some("/get"), _) => Some("405 Method Not Allowed"),
        _ => Some("404 Not Found"),
    };
    if let Some(status) = refused {
        return write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").ok();
    }
    let size = content.len();
    let (status, from, to, told) = match range {
        Some((from, to)) => {
            let to = to.min(size - 1);
            ("206 Partial Content", from, to + 1, format!("Content-Range: bytes {from}-{to}/{size}\r\n"))
        }
        None => ("200 OK", 0, size, String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: {}\"one\"\r\nLast-Modified: Mon, 30 Nov 2020 10:00:00 GMT\r\n{told}\r\n",
        to - from,
        if is_weak { "W/" } else { "" }
    );
    stream.write_all(head.as_bytes()).ok()?;
    if method == "GET" { stream.write_all(&content[from..to]).ok() } else { Some(()) }
}

fn run(script: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let head = "SET 'sql-client.execution.result-mode' = 'tableau';";
    let output = command(folder.path(), &["sql", "-q", "-e", &format!("{head}\n{script}")]).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn a_table_behind_http_is_read_in_ranges_and_not_written() {
    let rows = 40_000;
    let content: String = (0..rows).map(|row| format!("{row},name of {row}\n")).collect();
    assert!(content.len() > 512 << 10, "several pieces");
    let place = serve(Arc::new(content.into_bytes()));
    let table = |path: &str| {
        format!(
            "CREATE TABLE t (id BIGINT, name STRING, fp STRING METADATA FROM 'file.path') WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '{path}');"
        )
    };
    let file = format!("{place}/data/a%20b.csv");
    for folder in ["data", "whole", "weak", "get"] {
        let file = format!("{place}/{folder}/a%20b.csv");
        let sums = format!(
            "SET 'execution.runtime-mode' = 'batch'; SELECT COUNT(*), SUM(id), MAX(fp) = '{file}' FROM t;"
        );
        let (told, errors) = run(&format!("{} {sums}", table(&file)));
        let cells: Vec<&str> = told.split_whitespace().collect();
        let expected = format!("| {rows} | {} | TRUE |", rows * (rows - 1) / 2);
        assert!(cells.join(" ").contains(&expected), "{folder}: {told}{errors}");
    }
    let (_, errors) = run(&format!("{} SELECT * FROM t;", table(&format!("{place}/data"))));
    assert!(errors.contains(&format!("there is no file at {place}/data; folders and patterns")), "{errors}");
    let insert = "INSERT INTO t VALUES (1, 'a');".replace("VALUES (1, 'a')", "(id, name) VALUES (1, 'a')");
    let written = table(&file).replace(", fp STRING METADATA FROM 'file.path'", "");
    let (_, errors) = run(&format!("{written} {insert}"));
    assert!(errors.contains("what is behind HTTP can only be read"), "{errors}");
    let (_, errors) =
        run(&format!("SET 'execution.checkpointing.dir' = '{place}/data'; {written} SELECT * FROM t;"));
    assert!(errors.contains("what is behind HTTP can only be read"), "{errors}");
}
