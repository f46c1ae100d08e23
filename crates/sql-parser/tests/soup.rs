//! Whatever is typed, nothing panics, and every error has a position inside the script.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::LazyLock;

use flott_sql_parser::ast::Statement;
use flott_sql_parser::{
    KEYWORDS, highlight, is_complete, parse_expression, parse_query, parse_script, parse_type, split_script,
};
use proptest::prelude::*;

const SIGNS: [&str; 40] = [
    "(", ")", "(", ")", "[", "]", "{", "}", "<", ">", "<=", ">=", "<>", "=", ",", ",", ";", ".", "*", "+",
    "-", "/", "%", "||", "|", "?", ":", "=>", "/*+", "*/", "/*", "--\n", "'", "`", "\"", "\\", "!=", "$",
    "\n", "é",
];
const ATOMS: [&str; 16] = [
    "a",
    "t",
    "`b`",
    "'x'",
    "1",
    "1.5",
    "x'0a'",
    "U&'\\0041'",
    "E'\\n'",
    "''",
    "f(",
    "INTERVAL '1' DAY",
    "SELECT a FROM t",
    "CAST(a AS INT)",
    "TABLE t",
    "OPTIONS('a'='b')",
];

/// Words that open the interesting parts of the grammar come often.
const STARTS: [&str; 24] = [
    "SELECT",
    "FROM",
    "WHERE",
    "CREATE TABLE t (",
    "CREATE VIEW v AS",
    "INSERT INTO t",
    "MATCH_RECOGNIZE (",
    "PATTERN (",
    "DEFINE",
    "OVER (",
    "CASE",
    "WHEN",
    "END",
    "JSON_OBJECT(",
    "JSON_VALUE(",
    "ROW<",
    "ARRAY<",
    "WATERMARK FOR",
    "ALTER TABLE t",
    "SHOW",
    "BEGIN STATEMENT SET;",
    "EXPLAIN",
    "GROUP BY",
    "WITH",
];

fn soup_word() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        3 => proptest::sample::select(&SIGNS[..]),
        3 => proptest::sample::select(&ATOMS[..]),
        3 => proptest::sample::select(&STARTS[..]),
        2 => proptest::sample::select(KEYWORDS),
    ]
}

fn soup() -> impl Strategy<Value = String> {
    proptest::collection::vec(soup_word(), 0..40).prop_map(|words| words.join(" "))
}

fn survives(text: &str) {
    let lines = text.split('\n').count() as u64;
    if let Err(error) = parse_script(text) {
        assert!((1..=lines).contains(&error.line), "{error} in {text:?}");
        let line = text.split('\n').nth(error.line as usize - 1).unwrap();
        assert!(error.column >= 1 && error.column <= line.chars().count() as u64 + 1, "{error} in {text:?}");
    }
    for statement in split_script(text) {
        if let Ok(parsed) = statement.parse() {
            let _ = format!("{parsed:?}");
            reads_back(&parsed.statement);
        }
    }
    let _ = (parse_expression(text), parse_type(text), is_complete(text));
    assert_eq!(highlight(text).into_iter().map(|(range, _)| range.len()).sum::<usize>(), text.len());
}

/// A query prints as SQL that is read as the same tree.
fn reads_back(statement: &Statement) {
    if let Statement::Query(query) = statement {
        let printed = query.to_string();
        match parse_query(&printed) {
            Ok(again) => assert_eq!(again.to_string(), printed),
            // With the parentheses that were left out before.
            Err(error) => assert!(error.message.contains("deeper"), "{error} in {printed:?}"),
        }
    }
}

/// The scripts of the golden results, statement by statement.
static SCRIPTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let scripts = paths.iter().map(|path| std::fs::read_to_string(path).unwrap());
    scripts
        .flat_map(|script| {
            split_script(&script).iter().map(|statement| statement.text.to_owned()).collect::<Vec<_>>()
        })
        .collect()
});

#[test]
fn whole_statements_read_back() {
    SCRIPTS.iter().chain(&STATEMENTS.map(str::to_owned)).for_each(|text| survives(text));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// A statement of the golden results with a word or two put in, taken out, or doubled.
    #[test]
    fn mutated_statements(
        which in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), 0..4usize, soup_word()), 1..4),
    ) {
        let mut words: Vec<&str> = which.get(&SCRIPTS).split_inclusive(&[' ', ',', '(', ')', '\n'][..]).collect();
        for (place, change, word) in &changes {
            let at = place.index(words.len().max(1)).min(words.len().saturating_sub(1));
            match change {
                _ if words.is_empty() => words.push(word),
                0 => drop(words.remove(at)),
                1 => words.insert(at, words[at]),
                2 => words[at] = word,
                _ => words.insert(at, word),
            }
        }
        survives(&words.join(" "));
        survives(&words.concat());
    }

    #[test]
    fn token_soup(text in soup()) {
        survives(&text);
        survives(&format!("SELECT {text}"));
    }

    #[test]
    fn character_soup(text in "[ -~\\n\\té😀\u{0}]{0,60}") {
        survives(&text);
    }

    /// A statement cut short anywhere, or with a piece taken out.
    #[test]
    fn damaged_statements(which in 0..STATEMENTS.len(), from in 0usize..400, length in 0usize..30) {
        let text: Vec<char> = STATEMENTS[which].chars().collect();
        let from = from.min(text.len());
        let to = (from + length).min(text.len());
        survives(&text[..from].iter().collect::<String>());
        survives(&text[..from].iter().chain(&text[to..]).collect::<String>());
    }
}

const STATEMENTS: [&str; 5] = [
    "CREATE TABLE t (a INT NOT NULL COMMENT 'x', b AS a + 1, m TIMESTAMP(3) METADATA FROM 'k' VIRTUAL, WATERMARK FOR m AS m - INTERVAL '5' SECOND, PRIMARY KEY (a) NOT ENFORCED) PARTITIONED BY (a) WITH ('k' = 'v') LIKE s (INCLUDING ALL EXCLUDING OPTIONS)",
    "SELECT /*+ X(a) */ a, CASE b WHEN 1, 2 THEN c[1].d ELSE CAST(e AS ROW<f ARRAY<INT>>) END, SUM(x) FILTER (WHERE y) OVER (PARTITION BY z ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t /*+ OPTIONS('a'='b') */ AS u JOIN v FOR SYSTEM_TIME AS OF u.ts ON u.a = v.a, LATERAL TABLE(f(TABLE x PARTITION BY a)) WHERE a BETWEEN SYMMETRIC 1 AND 2 GROUP BY GROUPING SETS ((a), ()) ORDER BY 1 LIMIT 5",
    "SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a ORDER BY ts MEASURES FINAL LAST(A.x) AS x ONE ROW PER MATCH AFTER MATCH SKIP TO FIRST B PATTERN (A{2,3}? (B | C)+ D*) WITHIN INTERVAL '1' HOUR SUBSET S = (A, B) DEFINE A AS A.x > 1) AS m",
    "EXECUTE STATEMENT SET BEGIN INSERT INTO a (b) SELECT JSON_VALUE(j, '$.a' RETURNING INT DEFAULT 0 ON EMPTY) FROM s; INSERT OVERWRITE c PARTITION (d = 'x') VALUES (1, U&'\\0041' UESCAPE '\\'); END",
    "ALTER TABLE t ADD (a INT FIRST, b STRING NOT NULL COMMENT 'x' AFTER a, WATERMARK FOR ts AS ts, CONSTRAINT c PRIMARY KEY (a) NOT ENFORCED)",
];
