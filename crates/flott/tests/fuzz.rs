//! Scripts that almost make sense: none panics, none is answered with a defect of ours, and what can be planned runs or fails
//! with an error.
//!
//! The corpus are the scripts of `tests/conformance`. The last statement of one is changed token by token, with tokens and pieces
//! of the others and with values at the edge; the statements before it stay, so that the names in it mean something. Three
//! things are tried: the parser, the planner (the plan must survive being written and read), and the run of bounded queries.
//!
//! `cargo test` tries the same statements each time; `make fuzz` others for ten minutes each (`FLOTT_FUZZ_SECONDS`).
//! `FLOTT_FUZZ_SEED` repeats a run.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "helpers of tests")]
#![expect(clippy::disallowed_methods, reason = "how long it tries is real time")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flott::cluster::JobStatus;
use flott::plan::JobGraph;
use flott::sql::{Environment, Outcome, parse_script, split_script};
use flott::{Error, ErrorKind};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// Values at the edge of their types, and what is rare in the corpus.
const EDGES: [&str; 40] = [
    "NULL",
    "''",
    "'é😀'",
    "0",
    "-1",
    "2147483647",
    "-2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "99999999999999999999999999999999999999",
    "1e308",
    "1e-400",
    "0.1",
    "CAST('NaN' AS DOUBLE)",
    "CAST(NULL AS INT)",
    "CAST(NULL AS STRING)",
    "TRUE",
    "x'00ff'",
    "DATE '0001-01-01'",
    "DATE '9999-12-31'",
    "TIMESTAMP '1969-12-31 23:59:59.999999999'",
    "TIME '23:59:59.999'",
    "INTERVAL '1' MONTH",
    "INTERVAL '-999' DAY(3)",
    "INTERVAL '0' SECOND",
    "ARRAY[1, NULL]",
    "ARRAY[ARRAY['a']]",
    "MAP['a', 1]",
    "ROW(1, 'a')",
    "PARSE_JSON('{\"a\": [1, null]}')",
    "DISTINCT",
    "*",
    "(SELECT 1)",
    "(SELECT MAX(1))",
    "COUNT(*)",
    "ROW_NUMBER() OVER (ORDER BY 1)",
    "CURRENT_TIMESTAMP",
    "PROCTIME()",
    "OR",
    "NOT",
];

/// A script of the corpus: what defines names, and the statement that uses them.
struct Script {
    definitions: String,
    tokens: Vec<String>,
}

struct Fuzzer {
    scripts: Vec<Script>,
    random: SmallRng,
    /// When it is over: after so much time, else after so many statements.
    deadline: Option<Instant>,
    most: u32,
    tried: u32,
    accepted: u32,
}

impl Fuzzer {
    fn new(name: &str, most: u32) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let (seed, seconds) = (number("FLOTT_FUZZ_SEED").unwrap_or(7), number("FLOTT_FUZZ_SECONDS"));
        eprintln!("{name}: seed {seed}");
        Fuzzer {
            scripts: corpus(),
            random: SmallRng::seed_from_u64(seed),
            deadline: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)),
            most,
            tried: 0,
            accepted: 0,
        }
    }

    /// The next script: definitions and a changed statement. `None` when the time is over.
    fn next(&mut self) -> Option<(String, String)> {
        let over = match self.deadline {
            Some(deadline) => Instant::now() > deadline,
            None => self.tried >= self.most,
        };
        if over {
            eprintln!("{} statements, {} of them accepted", self.tried, self.accepted);
            assert!(self.accepted > self.tried / 100, "almost nothing can be planned any more");
            return None;
        }
        self.tried += 1;
        let script = self.scripts.choose(&mut self.random)?;
        let mut tokens = script.tokens.clone();
        // Mostly one: what is changed more is refused by the parser.
        for _ in 0..*[1, 1, 1, 2, 3].choose(&mut self.random)? {
            let other = &self.scripts.choose(&mut self.random)?.tokens;
            change(&mut tokens, other, &mut self.random);
        }
        Some((script.definitions.clone(), tokens.join(" ")))
    }
}

/// One change of a statement.
fn change(tokens: &mut Vec<String>, other: &[String], random: &mut SmallRng) {
    if tokens.is_empty() || other.is_empty() {
        return;
    }
    let at = random.random_range(0..tokens.len());
    match random.random_range(0..8) {
        0 => _ = tokens.remove(at),
        1 => tokens.insert(at, tokens[at].clone()),
        2 => tokens[at] = (*EDGES.choose(random).unwrap()).to_owned(),
        3 => tokens[at].clone_from(other.choose(random).unwrap()),
        4 => tokens.insert(at, other.choose(random).unwrap().clone()),
        5 => {
            let with = random.random_range(0..tokens.len());
            tokens.swap(at, with);
        }
        // A piece in parentheses for another one, so that the brackets still match.
        6 => {
            if let (Some(mine), Some(theirs)) = (piece(tokens, random), piece(other, random)) {
                tokens.splice(mine, other[theirs].iter().cloned());
            }
        }
        // One more level around it.
        _ => {
            if let Some(mine) = piece(tokens, random) {
                tokens.insert(mine.end, ")".to_owned());
                tokens.insert(mine.start, "(".to_owned());
            }
        }
    }
}

/// Where something in parentheses is.
fn piece(tokens: &[String], random: &mut SmallRng) -> Option<std::ops::Range<usize>> {
    let opened: Vec<usize> = (0..tokens.len()).filter(|at| tokens[*at] == "(").collect();
    let start = *opened.choose(random)?;
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(start..at + 1);
        }
    }
    None
}

fn corpus() -> Vec<Script> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let data = root.join("queries/data").canonicalize().unwrap();
    let mut files = Vec::new();
    sql_files(&root.join("queries"), &mut files);
    sql_files(&root.join("functions"), &mut files);
    files.sort();
    let scripts = files.iter().filter_map(|file| {
        let text = fs::read_to_string(file).unwrap().replace("${DATA}", &data.display().to_string());
        let statements = split_script(&text);
        let (last, before) = statements.split_last()?;
        // Nothing is written, and nothing that runs in the background is left behind.
        let writes = |text: &str| text.trim_start().to_ascii_uppercase().starts_with("INSERT");
        let definitions = before.iter().filter(|statement| !writes(statement.text));
        let definitions: Vec<&str> = definitions.map(|statement| statement.text).collect();
        Some(Script { definitions: definitions.join(";\n"), tokens: tokens(last.text) })
    });
    let scripts: Vec<Script> = scripts.collect();
    assert!(scripts.len() > 1_000, "{} scripts", scripts.len());
    scripts
}

fn sql_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sql_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            found.push(path);
        }
    }
}

/// Words, numbers, quoted things and signs.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let len = match first {
            '\'' | '`' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(len);
        if !first.is_whitespace() {
            tokens.push(token.to_owned());
        }
        rest = behind;
    }
    tokens
}

/// An answer that a user may get. A defect of ours is none, nor is one that takes too long.
fn survives<T>(script: &str, attempt: impl FnOnce() -> Result<T, Error>) -> Option<T> {
    let begun = Instant::now();
    let answer = catch_unwind(AssertUnwindSafe(attempt));
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?} for\n{script}", begun.elapsed());
    match answer {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            assert!(error.kind() != ErrorKind::Internal, "{error}\nfor\n{script}");
            None
        }
        Err(_) => panic!("a panic for\n{script}"),
    }
}

/// A session in which the definitions were executed, as far as they can be.
fn environment(definitions: &str) -> Environment {
    let mut environment = Environment::local().unwrap();
    for statement in parse_script(definitions).unwrap_or_default() {
        _ = environment.session.execute(&statement);
    }
    environment
}

/// Plans a script; the graph of a query.
fn plan(environment: &mut Environment, script: &str) -> Option<JobGraph> {
    let statements = survives(script, || parse_script(script))?;
    let mut last = None;
    for statement in &statements {
        last = survives(script, || environment.session.execute(statement));
    }
    let Some(Outcome::Query(job)) = last else { return None };
    let graph = job.graph;
    let json = survives(script, || graph.to_json())?;
    let again = survives(script, || JobGraph::from_json(&json)?.to_json());
    assert!(
        again.as_ref() == Some(&json),
        "the plan is another when it has been written and read, for\n{script}"
    );
    Some(graph)
}

#[test]
fn the_planner_survives_what_almost_makes_sense() {
    let mut fuzzer = Fuzzer::new("planner", 2_000);
    while let Some((definitions, statement)) = fuzzer.next() {
        fuzzer.accepted += u32::from(plan(&mut environment(&definitions), &statement).is_some());
    }
}

#[test]
fn queries_that_almost_make_sense_run_or_fail_with_an_error() {
    let mut fuzzer = Fuzzer::new("queries", 500);
    while let Some((definitions, statement)) = fuzzer.next() {
        let mut environment = environment(&definitions);
        let script = format!("{definitions};\n{statement}");
        let Some(graph) = plan(&mut environment, &statement) else { continue };
        let Some(job) = survives(&script, || environment.cluster.submit(&graph)) else { continue };
        fuzzer.accepted += 1;
        // Somebody takes the rows; an unbounded query is given up soon.
        let results = job.results();
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until && !job.status().is_terminal() {
            match &results {
                Some(results) => _ = results.next_within(Duration::from_millis(20)),
                None => _ = job.wait_for(Duration::from_millis(20)),
            }
        }
        if !job.status().is_terminal() {
            job.cancel();
            assert!(job.wait_for(Duration::from_secs(30)).is_some(), "cannot be cancelled:\n{script}");
        }
        if job.status() == JobStatus::Failed {
            survives(&script, || job.wait());
        }
    }
}
