//! EXPLAIN: MATCH_RECOGNIZE.

use expect_test::expect;

use crate::support::{Shell, check};

#[test]
fn patterns_that_flink_refuses_need_an_option() {
    let mut shell = Shell::with_tables();
    let query = |pattern: &str, measure: &str| {
        format!(
            "SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES {measure} AS m AFTER MATCH SKIP TO LAST A
             PATTERN ({pattern}) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))"
        )
    };
    let patterns = [
        "A | B C",
        "(A B)+ C",
        "(A (B | C){2,3}?)? D",
        "PERMUTE(A, B) C",
        "{- A -} B",
        "(A B)+",
        "(A | B*) C",
        "(A* B*)+ C",
        "A | B*",
        "A ^",
    ];
    let statements = patterns.map(|pattern| query(pattern, "A.price"));
    check(
        shell.dialog(&statements.join(";\n")),
        expect![[r#"
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN (A | B C) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        unsupported: '|' (alternation) in a PATTERN is not supported: SET 'table.exec.match-recognize.extended' = 'true' allows it at line 2, column 23
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ((A B)+ C) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        unsupported: a group with a quantifier in a PATTERN is not supported: SET 'table.exec.match-recognize.extended' = 'true' allows it at line 2, column 24
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ((A (B | C){2,3}?)? D) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        unsupported: a group with a quantifier in a PATTERN is not supported: SET 'table.exec.match-recognize.extended' = 'true' allows it at line 2, column 24
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN (PERMUTE(A, B) C) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        unsupported: PERMUTE in a PATTERN is not supported: SET 'table.exec.match-recognize.extended' = 'true' allows it at line 2, column 31
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ({- A -} B) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        unsupported: '{- -}' in a PATTERN is not supported: SET 'table.exec.match-recognize.extended' = 'true' allows it at line 2, column 26
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ((A B)+) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        unsupported: a group with a quantifier in a PATTERN is not supported: SET 'table.exec.match-recognize.extended' = 'true' allows it at line 2, column 24
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ((A | B*) C) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        unsupported: '|' (alternation) in a PATTERN is not supported: SET 'table.exec.match-recognize.extended' = 'true' allows it at line 2, column 24
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ((A* B*)+ C) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        unsupported: a group with a quantifier in a PATTERN is not supported: SET 'table.exec.match-recognize.extended' = 'true' allows it at line 2, column 24
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN (A | B*) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        unsupported: '|' (alternation) in a PATTERN is not supported: SET 'table.exec.match-recognize.extended' = 'true' allows it at line 2, column 23
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN (A ^) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        unsupported: an anchor ('^' or '$') in a PATTERN is not supported at line 1, column 15
    "#]],
    );
    shell.dialog("SET 'table.exec.match-recognize.extended' = 'true'");
    check(
        shell.dialog(&statements.join(";\n")),
        expect![[r#"
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN (A | B C) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        append-only: m INT
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ((A B)+ C) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        append-only: m INT
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ((A (B | C){2,3}?)? D) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        append-only: m INT
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN (PERMUTE(A, B) C) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        append-only: m INT
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ({- A -} B) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        append-only: m INT
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ((A B)+) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        invalid: Greedy quantifiers are not allowed as the last element of a Pattern yet. Finish your pattern with either a simple variable or reluctant quantifier at line 1, column 15
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ((A | B*) C) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        append-only: m INT
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN ((A* B*)+ C) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        invalid: a group that repeats must have a part that is not optional at line 1, column 15
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN (A | B*) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        invalid: Patterns that can produce empty matches are not supported. There must be at least one non-optional state at line 1, column 15
        > SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY ts MEASURES A.price AS m AFTER MATCH SKIP TO LAST A
                     PATTERN (A ^) DEFINE A AS A.price > 3, B AS B.price < LAST(A.price))
        unsupported: an anchor ('^' or '$') in a PATTERN is not supported at line 1, column 15
    "#]],
    );
    check(
        shell.plan(&query("A (B+ C | PERMUTE(C, D))+ A{2}", "CLASSIFIER()")),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[m])
        +- Match(orderBy=[ts ASC], measures=[CLASSIFIER() AS m], rowsPerMatch=[ONE ROW PER MATCH], after=[SKIP TO LAST A], pattern=[(A (B+ C | PERMUTE(C, D))+ A{2})], define=[{A=(price > 3), B=(LAST(B.price, 0) < LAST(A.price, 0))}])
           +- Exchange(distribution=[single])
              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                 +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[price, ts])
    "#]],
    );
}
