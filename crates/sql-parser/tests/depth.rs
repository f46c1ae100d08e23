//! Nothing that a user can type overflows the stack: what is long is wide in the tree, and what nests too
//! deep is refused.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use flott_sql_parser::ast::Statement;
use flott_sql_parser::{parse_script, parse_type};

/// The smallest stack that any of our threads has.
const STACK: usize = 2 << 20;

fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
}

fn nest(open: &str, core: &str, close: &str, times: usize) -> String {
    format!("{}{core}{}", open.repeat(times), close.repeat(times))
}

const FORMS: [(&str, &str, &str, &str, &str); 23] = [
    ("SELECT ", "a + f(1 + ", "1", ")", ""),
    ("SELECT ", "a IN (", "1", ")", ""),
    ("SELECT ", "a BETWEEN (", "1", ") AND 2", ""),
    ("SELECT ", "JSON_VALUE(a, ", "1", ")", ""),
    ("SELECT ", "SUM(a) OVER (ORDER BY ", "1", ")", ""),
    ("SELECT ", "TRIM(BOTH ", "a", " FROM b)", ""),
    ("SELECT ", "f(TABLE (SELECT ", "1", "))", ""),
    ("SELECT ", "x IN (SELECT ", "1", ")", ""),
    ("WITH ", "a AS (WITH ", "a AS (SELECT 1) SELECT 1", ") SELECT 1", ""),
    ("SELECT ", "(", "1", ")", ""),
    ("SELECT ", "- ", "1", "", ""),
    ("SELECT ", "NOT ", "TRUE", "", ""),
    ("SELECT ", "f(", "1", ")", ""),
    ("SELECT ", "ARRAY[", "1", "]", ""),
    ("SELECT ", "CASE WHEN TRUE THEN ", "1", " END", ""),
    ("SELECT ", "CAST(", "1", " AS INT)", ""),
    ("SELECT ", "(SELECT ", "1", ")", ""),
    ("SELECT ", "a[", "1", "]", ""),
    ("SELECT * FROM ", "(SELECT * FROM ", "t", ")", ""),
    ("SELECT * FROM ", "(", "t JOIN u ON TRUE", ")", ""),
    ("SELECT * FROM t GROUP BY ", "GROUPING SETS (", "a", ")", ""),
    ("", "(", "SELECT 1", ")", ""),
    ("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (", "(", "a", ")", ") DEFINE a AS TRUE)"),
];

#[test]
fn deep_nesting_is_refused() {
    on_small_stack(|| {
        for (head, open, core, close, tail) in FORMS {
            let sql = format!("{head}{}{tail}", nest(open, core, close, 5_000));
            let error = parse_script(&sql).unwrap_err();
            assert!(error.message.contains("nests deeper"), "{head}{open}: {error}");
        }
        for (open, close) in [("ARRAY<", ">"), ("ROW<a ", ">"), ("MAP<INT, ", ">")] {
            assert!(
                parse_type(&nest(open, "INT", close, 5_000)).unwrap_err().message.contains("nests deeper")
            );
        }
    });
}

#[test]
fn the_deepest_nesting_allowed_can_be_walked() {
    on_small_stack(|| {
        for (head, open, core, close, tail) in FORMS {
            let sql = |times: usize| format!("{head}{}{tail}", nest(open, core, close, times));
            let times = (1..260).rev().find(|times| parse_script(&sql(*times)).is_ok()).unwrap();
            assert!(times >= 15, "{head}{open}: {times}");
            let parsed = parse_script(&sql(times)).unwrap();
            assert_eq!(parsed, parsed.clone());
            assert!(format!("{parsed:?}").len() > 100);
            if let Statement::Query(query) = &parsed[0].statement {
                assert!(query.to_string().len() > 5);
            }
        }
    });
}

#[test]
fn long_chains_are_wide() {
    on_small_stack(|| {
        let chain = |operand: &str, operator: &str, n: usize| vec![operand; n].join(operator);
        for operator in [" AND ", " OR ", " || "] {
            let sql = format!("SELECT * FROM t WHERE {}", chain("a", operator, 100_000));
            let parsed = parse_script(&sql).unwrap();
            assert_eq!(parsed, parsed.clone());
            let Statement::Query(query) = &parsed[0].statement else { panic!() };
            assert_eq!(query.to_string(), sql);
        }
        parse_script(&format!("SELECT {}", chain("1", " + ", 400))).unwrap();
        for (sql, column) in [
            (format!("SELECT {}", chain("1", " + ", 20_000)), 2008),
            (format!("SELECT {}", chain("a * b", " - c || d * ", 20_000)), 3000),
            (format!("SELECT {} * 2", chain("a", " || ", 20_000)), 100_000),
        ] {
            let error = parse_script(&sql).unwrap_err();
            assert!(error.message.contains("consecutive and nested operators"), "{error}");
            assert!(error.line == 1 && error.column >= column, "{error}");
        }
        let error = parse_script(&format!("SELECT a {}", "IS NULL ".repeat(20_000))).unwrap_err();
        assert!(error.message.contains("nests deeper"), "{error}");
        let error = parse_script(&chain("SELECT 1", " UNION ALL ", 20_000)).unwrap_err();
        assert!(error.message.contains("set operations in a row"), "{error}");
        let error =
            parse_script(&format!("SELECT * FROM t {}", "JOIN u ON TRUE ".repeat(5_000))).unwrap_err();
        assert!(error.message.contains("tables in one FROM") && error.column > 1_000, "{error}");
        let error = parse_script(&format!("SELECT * FROM {}", chain("t", ", ", 5_000))).unwrap_err();
        assert!(error.message.contains("tables in one FROM"), "{error}");
    });
}

#[test]
fn wide_statements_are_fine() {
    on_small_stack(|| {
        let list = |item: &str, n: usize| vec![item; n].join(", ");
        parse_script(&format!("SELECT {} FROM t WHERE a IN ({})", list("a", 10_000), list("1", 10_000)))
            .unwrap();
        parse_script(&format!("INSERT INTO t VALUES {}", list("(1, 'x')", 10_000))).unwrap();
        parse_script(&format!("SELECT CASE {} END", "WHEN a = 1 THEN 2 ".repeat(10_000))).unwrap();
        parse_script(&format!("SELECT * FROM t {}", "JOIN u ON TRUE ".repeat(190))).unwrap();
    });
}
