//! However long or deep a statement is, it is planned, or refused with its place. Nothing overflows a thread's stack.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use flott_plan::JobGraph;

use super::support::Shell;

/// The smallest stack that any of our threads has.
const STACK: usize = 2 << 20;

fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
}

/// Plans a query, writes its plan and reads it again. The error, if it is refused.
fn planned(shell: &mut Shell, query: &str) -> Result<JobGraph, String> {
    let graph = shell.try_job(query)?;
    let json = graph.to_json().map_err(|error| error.to_string())?;
    let read = JobGraph::from_json(&json).map_err(|error| error.to_string())?;
    assert!(read == graph);
    Ok(graph)
}

fn chain(operand: &str, operator: &str, times: usize) -> String {
    vec![operand; times].join(operator)
}

fn nest(open: &str, core: &str, close: &str, times: usize) -> String {
    format!("{}{core}{}", open.repeat(times), close.repeat(times))
}

/// The longest of all are for the chains alone: each of the others takes its time in a debug build.
#[test]
fn chains_of_100_000_are_planned() {
    on_small_stack(|| {
        let mut shell = Shell::with_tables();
        assert_eq!(shell.run("CREATE VIEW e AS SELECT a > 1 AS e FROM t"), "");
        for query in [
            format!("SELECT {} FROM e", chain("e", " AND ", 100_000)),
            format!("SELECT {} FROM t", chain("b", " || ", 13_000)),
        ] {
            let planned = planned(&mut shell, &query);
            assert!(planned.is_ok(), "{query:.60}: {:?}", planned.err());
        }
    });
}

/// What is long is planned.
#[test]
fn what_is_long_is_planned() {
    on_small_stack(|| {
        let mut shell = Shell::with_tables();
        for n in [40, 1_500] {
            let list = (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
            let branches: String = (0..n).map(|i| format!("WHEN {i} THEN {} ", i % 7)).collect();
            for query in [
                format!("SELECT {} FROM t", chain("(a > 1)", " AND ", n)),
                format!("SELECT a FROM t WHERE {}", chain("a = 1", " AND ", n)),
                format!("SELECT a FROM t WHERE {}", chain("a = 1", " OR ", n)),
                format!("SELECT a FROM t WHERE NOT ({} OR c = 1)", chain("a = 1", " AND ", n)),
                format!("SELECT {} FROM t", chain("b", " || ", n)),
                format!("SELECT a FROM t WHERE a IN ({list})"),
                format!("SELECT a FROM t WHERE a NOT IN ({list}, c)"),
                format!("SELECT CASE a {branches} END FROM t"),
                format!("SELECT CASE WHEN a = 1 THEN 2 {} END FROM t", "WHEN c = 1 THEN 2 ".repeat(n)),
                format!("SELECT COALESCE({}) FROM t", chain("a", ", ", n)),
            ] {
                let planned = planned(&mut shell, &query);
                assert!(planned.is_ok(), "{n} {:.60}: {:?}", query, planned.err());
            }
        }
    });
}

/// Operators whose order matters, set operations and joins are planned up to a bound, and refused with their place beyond it.
#[test]
fn what_makes_a_plan_high_is_refused_beyond_a_bound() {
    on_small_stack(|| {
        let mut shell = Shell::with_tables();
        for (n, fits) in [(20, true), (1_000, false), (40_000, false)] {
            for query in [
                format!("SELECT {} FROM t", chain("a", " + ", n)),
                format!("SELECT {} FROM t", chain("a", " + c * ", n)),
                format!("SELECT {} FROM t", chain("b", " || 'x' || ", n) + " || CAST(a * c AS STRING) * 2"),
                chain("SELECT a FROM t", " UNION ALL ", n),
                chain("SELECT a FROM t", " EXCEPT ", n),
                format!(
                    "SELECT 1 FROM t {}",
                    (0..n).map(|i| format!("JOIN u u{i} ON t.a = u{i}.a ")).collect::<String>()
                ),
                format!("SELECT 1 FROM {}", (0..n).map(|i| format!("t t{i}")).collect::<Vec<_>>().join(", ")),
                format!("SELECT a {} FROM t", "IS NULL ".repeat(n)),
                format!("SELECT a {} FROM t", "= 1 = TRUE ".repeat(n)),
            ] {
                match planned(&mut shell, &query) {
                    Ok(_) => assert!(fits, "{n} {query:.60}"),
                    Err(error) => {
                        let typed = error.contains("Cannot apply") || error.contains("conversion");
                        assert!(!fits || typed, "{n} {query:.60}: {error:.200}");
                        assert!(error.contains(" at line 1, column "), "{n} {query:.60}: {error:.200}");
                    }
                }
            }
        }
    });
}

/// What nests, with what stands around it.
const FORMS: [(&str, &str, &str, &str, &str); 22] = [
    ("SELECT ", "(", "a", ")", " FROM t"),
    ("SELECT ", "- ", "a", "", " FROM t"),
    ("SELECT ", "NOT ", "(a > 1)", "", " FROM t"),
    ("SELECT ", "(1 + ", "a", ")", " FROM t"),
    ("SELECT ", "(a > 1 AND ", "TRUE", ")", " FROM t"),
    ("SELECT ", "ABS(", "a", ")", " FROM t"),
    ("SELECT ", "COALESCE(a, ", "a", ")", " FROM t"),
    ("SELECT ", "UPPER(", "b", ")", " FROM t"),
    ("SELECT ", "CAST(CAST(", "a", " AS BIGINT) AS INT)", " FROM t"),
    ("SELECT ", "CASE WHEN a > 1 THEN a ELSE ", "a", " END", " FROM t"),
    ("SELECT ", "a + CASE a WHEN 1 THEN ", "a", " END", " FROM t"),
    ("SELECT ", "ARRAY[", "a", "]", " FROM t"),
    ("SELECT ", "ROW(a, ", "a", ")", " FROM t"),
    ("SELECT ", "ARRAY[a, a][", "1", "]", " FROM t"),
    ("SELECT ", "(SELECT MAX(a) + ", "1", " FROM u)", " FROM t"),
    ("SELECT a FROM t WHERE ", "EXISTS (SELECT 1 FROM u WHERE ", "TRUE", ")", ""),
    ("SELECT * FROM ", "(SELECT a + 1 AS a FROM ", "t", ")", ""),
    ("SELECT * FROM ", "(SELECT a + a AS a FROM ", "t", ") WHERE a > 1", ""),
    ("SELECT * FROM ", "(", "t JOIN u ON TRUE", ")", ""),
    ("SELECT a FROM t GROUP BY ", "GROUPING SETS (", "a", ")", ""),
    ("", "(", "SELECT a FROM t", ")", ""),
    ("SELECT CAST(NULL AS ", "ARRAY<", "INT", ">", ")"),
];

#[test]
fn what_nests_is_planned_or_refused_with_its_place() {
    on_small_stack(|| {
        let mut shell = Shell::with_tables();
        for (head, open, core, close, tail) in FORMS {
            let mut deepest = 0;
            for n in [1, 10, 15, 18, 19, 20, 21, 22, 24, 60, 94, 95, 96, 190, 191, 3_000] {
                let query = format!("{head}{}{tail}", nest(open, core, close, n));
                match planned(&mut shell, &query) {
                    Ok(_) => deepest = n,
                    Err(error) => {
                        assert!(error.contains(" at line 1, column "), "{n} {query:.60}: {error:.300}")
                    }
                }
            }
            let least = match open {
                "GROUPING SETS (" => 1,
                _ => 15,
            };
            assert!(deepest >= least, "{head}{open}: {deepest}");
        }
    });
}

/// Views and common table expressions bring together what each text alone does not show.
#[test]
fn views_within_views_are_planned_or_refused() {
    on_small_stack(|| {
        let mut shell = Shell::with_tables();
        let mut last = String::new();
        for i in 0..400 {
            let below = if i == 0 { "t".to_owned() } else { format!("v{}", i - 1) };
            last = shell.run(&format!("CREATE VIEW v{i} AS SELECT a + 1 AS a FROM {below} WHERE a > 1"));
            if !last.is_empty() {
                assert!(i >= 20, "{i}: {last}");
                break;
            }
        }
        assert!(last.contains("levels"), "{last}");
        let tables: String =
            (1..2_000).map(|i| format!(", c{i} AS (SELECT a + 1 AS a FROM c{})", i - 1)).collect();
        let error =
            shell.try_job(&format!("WITH c0 AS (SELECT a FROM t) {tables} SELECT * FROM c1999")).unwrap_err();
        assert!(error.contains("nested relations") && error.contains(" at line 1"), "{error}");
    });
}

/// What computes an operand several times does not double a tree at every level.
#[test]
fn what_copies_does_not_explode() {
    on_small_stack(|| {
        let mut shell = Shell::with_tables();
        let between = format!("SELECT TRUE {} FROM t", "BETWEEN SYMMETRIC (a > 1) AND TRUE ".repeat(60));
        let case = format!("SELECT {} FROM t", nest("CASE ", "a", " WHEN 1 THEN 1 WHEN 2 THEN 2 END", 60));
        for query in [between, case] {
            let error = shell.try_job(&query).unwrap_err();
            assert!(error.contains("name its parts in a subquery at line 1"), "{error}");
        }
        let doubled = nest("(SELECT a + a AS a FROM ", "t", ") WHERE a > 3", 18);
        planned(&mut shell, &format!("SELECT * FROM {doubled}")).unwrap();
    });
}

#[test]
fn many_grouping_sets_and_many_columns_of_one_name() {
    let mut shell = Shell::with_tables();
    let keys = |n: usize| (0..n).map(|i| format!("a + {i}")).collect::<Vec<_>>().join(", ");
    assert!(planned(&mut shell, &format!("SELECT COUNT(*) FROM t GROUP BY CUBE ({})", keys(6))).is_ok());
    for n in [13, 31, 63, 64, 65, 500] {
        for query in [
            format!("SELECT COUNT(*) FROM t GROUP BY CUBE ({})", keys(n)),
            format!("SELECT COUNT(*) FROM t GROUP BY {}", chain("ROLLUP (a)", ", ", n)),
        ] {
            let error = shell.try_job(&query).unwrap_err();
            assert!(error.contains("grouping sets is not supported at line 1, column "), "{n}: {error}");
        }
    }
    let wide = planned(&mut shell, &format!("SELECT {} FROM t", chain("a", ", ", 3_000))).unwrap();
    assert!(wide.to_json().unwrap().contains("\"a2998\""));
}

#[test]
fn names_that_double_a_plan_at_each_level_are_refused() {
    on_small_stack(|| {
        let mut shell = Shell::with_tables();
        let tables = |n: usize| {
            let next =
                |i: usize| format!(", c{i} AS (SELECT x.a FROM c{0} x JOIN c{0} y ON x.a = y.a)", i - 1);
            let all: String = (1..=n).map(next).collect();
            format!("WITH c0 AS (SELECT DISTINCT a FROM t){all} SELECT * FROM c{n}")
        };
        planned(&mut shell, &tables(6)).unwrap();
        let error = shell.try_job(&tables(60)).unwrap_err();
        assert!(error.contains("is not supported at line 1, column"), "{error}");

        assert_eq!(shell.run("CREATE VIEW v0 AS SELECT DISTINCT a FROM t"), "");
        let refused = (1..60).find_map(|i| {
            let answer = shell
                .run(&format!("CREATE VIEW v{i} AS SELECT x.a FROM v{0} x JOIN v{0} y ON x.a = y.a", i - 1));
            (!answer.is_empty()).then_some(answer)
        });
        let refused = refused.unwrap_or_default();
        assert!(refused.contains("expanded wherever they are named"), "{refused}");

        // A subquery whose NULLs count stands in two places.
        let within = nest("c IN (SELECT c FROM t WHERE ", "a > 1", " OR b IS NULL) OR a IS NULL", 15);
        let error = shell.try_job(&format!("SELECT b FROM t WHERE {within}")).unwrap_err();
        assert!(error.contains("expanded wherever they are named"), "{error}");
    });
}
