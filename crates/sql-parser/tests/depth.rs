//! Nothing that a user can type overflows the stack: what nests too deep, or chains too long, is refused.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use flott_sql_parser::{parse_script, parse_type};

/// The smallest stack that any of our threads has.
const STACK: usize = 2 << 20;

fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    on_stack(STACK, run);
}

fn on_stack(size: usize, run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(size).spawn(run).unwrap().join().unwrap();
}

fn nest(open: &str, core: &str, close: &str, times: usize) -> String {
    format!("{}{core}{}", open.repeat(times), close.repeat(times))
}

const FORMS: [(&str, &str, &str, &str, &str); 14] = [
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
            let sql = format!("{head}{}{tail}", nest(open, core, close, 20_000));
            let error = parse_script(&sql).unwrap_err();
            assert!(error.message.contains("nests deeper"), "{head}{open}: {error}");
        }
        for (open, close) in [("ARRAY<", ">"), ("ROW<a ", ">"), ("MAP<INT, ", ">")] {
            assert!(
                parse_type(&nest(open, "INT", close, 20_000)).unwrap_err().message.contains("nests deeper")
            );
        }
    });
}

#[test]
fn the_deepest_nesting_allowed_can_be_walked() {
    for (head, open, core, close, tail) in FORMS {
        let deepest = (20..80).rev().map(|times| format!("{head}{}{tail}", nest(open, core, close, times)));
        let mut deepest = deepest;
        let deepest = deepest.find(|sql| parse_script(sql).is_ok()).unwrap();
        on_small_stack({
            let deepest = deepest.clone();
            move || drop(parse_script(&deepest).unwrap())
        });
        // The derived walks of an unoptimised build take over 50 KB a level.
        on_stack(8 * STACK, move || {
            let parsed = parse_script(&deepest).unwrap();
            assert_eq!(parsed, parsed.clone());
            assert!(format!("{parsed:?}").len() > 100);
        });
    }
}

#[test]
fn ordinary_depth_is_allowed() {
    on_small_stack(|| {
        for (head, open, core, close, tail) in FORMS {
            parse_script(&format!("{head}{}{tail}", nest(open, core, close, 20))).unwrap();
        }
    });
}

#[test]
fn long_chains_of_and_and_or_are_balanced_and_other_long_chains_refused() {
    on_small_stack(|| {
        let chain = |operand: &str, operator: &str, n: usize| vec![operand; n].join(operator);
        for operator in [" AND ", " OR "] {
            let sql = format!("SELECT * FROM t WHERE {}", chain("a = 1", operator, 10_000));
            let parsed = parse_script(&sql).unwrap();
            assert_eq!(parsed, parsed.clone());
        }
        parse_script(&format!("SELECT {}", chain("1", " + ", 400))).unwrap();
        let error = parse_script(&format!("SELECT {}", chain("1", " + ", 20_000))).unwrap_err();
        assert!(error.message.contains("operators in a row"), "{error}");
        let error = parse_script(&format!("SELECT a {}", "IS NULL ".repeat(20_000))).unwrap_err();
        assert!(error.message.contains("operators in a row"), "{error}");
        let error = parse_script(&chain("SELECT 1", " UNION ALL ", 20_000)).unwrap_err();
        assert!(error.message.contains("set operations in a row"), "{error}");
        let error =
            parse_script(&format!("SELECT {} 1", "1 BETWEEN SYMMETRIC 0 AND ".repeat(40))).unwrap_err();
        assert!(error.line == 1 && error.column > 20, "{error}");
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
        parse_script(&format!("SELECT * FROM t {}", "JOIN u ON TRUE ".repeat(5_000))).unwrap();
    });
}
