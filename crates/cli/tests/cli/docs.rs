//! The examples of `docs/sql` are run, and print what their pages say.
//!
//! A page is one session in an empty folder. Each block of SQL is run in its turn; the block of text right below it is all that it
//! prints, and one that prints nothing has none. A block that fails does not end the page: the next ones go on as if it had not been.
//!
//! `UPDATE_EXPECT=1` writes what is printed into the pages.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{read_to_string, write};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::command;

/// What a page takes for granted: one subtask, so that the order of rows is the same each time; each INSERT has ended before the next
/// block.
const OPTIONS: [&str; 8] = [
    "sql",
    "-q",
    "-D",
    "parallelism.default=1",
    "-D",
    "table.dml-sync=true",
    "-D",
    "table.local-time-zone=UTC",
];

/// An option that there is not: the warning about it stands between the outputs of two blocks.
const MARK: &str = "documentation.block-";

/// A part of a page.
enum Part {
    /// Everything but examples.
    Prose(String),
    /// A block of SQL and what it prints.
    Example { sql: String, output: String },
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sql")
}

/// Compares with a file, or writes it with `UPDATE_EXPECT=1`.
pub fn expect(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        write(path, actual).unwrap();
    }
    let expected = read_to_string(path).unwrap_or_default();
    let differing = expected.lines().zip(actual.lines()).position(|(expected, actual)| expected != actual);
    let line = differing.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    assert!(
        expected == actual,
        "{}, line {}: written is\n{}\nbut it is\n{}\nUPDATE_EXPECT=1 rewrites the page",
        path.display(),
        line + 1,
        expected.lines().skip(line).take(12).collect::<Vec<_>>().join("\n"),
        actual.lines().skip(line).take(12).collect::<Vec<_>>().join("\n"),
    );
}

/// What each script prints when they are run one after the other in one session.
pub fn outputs(scripts: &[String], options: &[&str]) -> Vec<String> {
    let mut outputs: Vec<String> = Vec::new();
    let mut failed: Vec<usize> = Vec::new();
    while outputs.len() < scripts.len() {
        let folder = tempfile::tempdir().unwrap();
        let begun = outputs.len();
        let mut script = String::new();
        for (index, sql) in scripts.iter().enumerate().filter(|(index, _)| !failed.contains(index)) {
            let _ = writeln!(script, "SET '{MARK}{index}' = '';\n{sql}");
        }
        write(folder.path().join("page.sql"), &script).unwrap();
        let (printed, code) = print(folder.path(), options, &["-f", "page.sql"]);
        let printed = blocks(&printed);
        let last = printed.keys().copied().max().unwrap();
        for index in begun..=last {
            outputs.push(printed.get(&index).cloned().unwrap_or_default());
        }
        if code != 0 {
            failed.push(last);
            outputs[last] = failing(scripts, &failed, last, options);
        }
    }
    outputs
}

/// What a block that fails prints: alone, so that places in the message count from its own first line.
fn failing(scripts: &[String], failed: &[usize], index: usize, options: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let before = scripts[..index].iter().enumerate().filter(|(index, _)| !failed.contains(index));
    let mut init: String = before.map(|(_, sql)| sql.as_str()).collect();
    let _ = writeln!(init, "SET '{MARK}{index}' = '';");
    write(folder.path().join("init.sql"), init).unwrap();
    let (printed, code) = print(folder.path(), options, &["-i", "init.sql", "-e", scripts[index].trim_end()]);
    assert_ne!(code, 0, "fails on its page, and not alone:\n{}", scripts[index]);
    blocks(&printed).remove(&index).unwrap()
}

/// Runs, with standard output and standard error in one.
fn print(folder: &Path, options: &[&str], args: &[&str]) -> (String, i32) {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let args: Vec<&str> = OPTIONS.iter().chain(options).chain(args).copied().collect();
    let mut command = command(folder, &args);
    command.stdout(Stdio::from(writer.try_clone().unwrap())).stderr(Stdio::from(writer));
    let mut child = command.spawn().unwrap();
    // The command keeps the pipe's writing end open.
    drop(command);
    let mut printed = String::new();
    reader.read_to_string(&mut printed).unwrap();
    (printed, child.wait().unwrap().code().unwrap())
}

/// What stands behind each mark.
fn blocks(printed: &str) -> BTreeMap<usize, String> {
    let mut blocks = BTreeMap::new();
    let mut current: Option<&mut String> = None;
    for line in printed.split_inclusive('\n') {
        let mark = line.split_once(MARK).and_then(|(_, rest)| rest.split_once('\'')?.0.parse::<usize>().ok());
        match (mark, &mut current) {
            (Some(index), _) => current = Some(blocks.entry(index).or_default()),
            (None, Some(block)) => block.push_str(line),
            // What was run before, to get there.
            (None, None) => {}
        }
    }
    blocks
}

fn parse(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut prose = String::new();
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        if line.trim_end() != "```sql" {
            prose.push_str(line);
            continue;
        }
        parts.push(Part::Prose(std::mem::take(&mut prose)));
        let sql = lines.by_ref().take_while(|line| line.trim_end() != "```").collect();
        let mut blank = String::new();
        while let Some(line) = lines.next_if(|line| line.trim().is_empty()) {
            blank.push_str(line);
        }
        let mut output = String::new();
        if lines.next_if(|line| line.trim_end() == "```text").is_some() {
            output = lines.by_ref().take_while(|line| line.trim_end() != "```").collect();
        } else {
            prose = blank;
        }
        parts.push(Part::Example { sql, output });
    }
    parts.push(Part::Prose(prose));
    parts
}

fn render(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        let _ = match part {
            Part::Prose(prose) => write!(text, "{prose}"),
            Part::Example { sql, output } if output.is_empty() => write!(text, "```sql\n{sql}```\n"),
            Part::Example { sql, output } => write!(text, "```sql\n{sql}```\n\n```text\n{output}```\n"),
        };
    }
    text
}

fn check(page: &Path) {
    let text = read_to_string(page).unwrap();
    let mut parts = parse(&text);
    assert_eq!(render(&parts), text, "{} is not in the form in which it would be written", page.display());
    let examples: Vec<String> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Prose(_) => None,
            Part::Example { sql, .. } => Some(sql.clone()),
        })
        .collect();
    let mut printed = outputs(&examples, &[]).into_iter();
    for part in &mut parts {
        if let Part::Example { output, .. } = part {
            *output = printed.next().unwrap();
        }
    }
    expect(page, &render(&parts));
}

#[test]
fn every_example_prints_what_its_page_says() {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.sort();
    assert!(!pages.is_empty());
    let failures: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|page| (page, scope.spawn(|| check(page)))).collect();
        running.into_iter().filter_map(|(page, check)| check.join().err().map(|_| page)).collect()
    });
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn a_failing_block_is_told_and_passed_over() {
    let scripts = [
        "CREATE VIEW v AS SELECT 1 AS a;\n",
        "\nSELECT b FROM v;\n",
        "SELECT a FROM v;\n",
        "SELECT c FROM v;\n",
    ];
    let outputs = outputs(&scripts.map(str::to_owned), &["--output", "csv"]);
    let failed =
        |column: &str, place: &str| format!("[ERROR] Column '{column}' not found in any table at {place}\n");
    assert_eq!(
        outputs,
        [
            String::new(),
            failed("b", "line 2, column 8"),
            "a\n1\n".to_owned(),
            failed("c", "line 1, column 8")
        ]
    );
}

#[test]
fn pages_are_read_and_written_back() {
    let text =
        "a\n\n```sql\nSELECT 1;\n```\n\n```text\n1\n```\n\n```sql\nUSE d;\n```\n\nb\n\n```text\nc\n```\n";
    let parts = parse(text);
    let outputs: Vec<_> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Example { output, .. } => Some(output.as_str()),
            Part::Prose(_) => None,
        })
        .collect();
    assert_eq!(outputs, ["1\n", ""]);
    assert_eq!(render(&parts), text);
}
