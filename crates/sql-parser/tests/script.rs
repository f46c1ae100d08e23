//! Where statements end, what is complete, and what is coloured how.

use flott_sql_parser::{HighlightKind, highlight, is_complete, parse_script, parse_statement, split_script};

#[test]
fn scripts_are_cut_at_semicolons_only() {
    let script = "-- first; comment\nSELECT ';', `a;b`, \";\" /* ; */ ;;\n\n  SELECT 2 -- no;\n; EXECUTE STATEMENT SET BEGIN\nINSERT INTO a SELECT CASE WHEN x THEN 1 END; INSERT INTO b SELECT 1; END;\nBEGIN STATEMENT SET; INSERT INTO a SELECT 1; END; SELECT E'\\';' ; SELECT 3";
    let cut: Vec<_> =
        split_script(script).iter().map(|s| (s.position.line, s.position.column, s.text)).collect();
    assert_eq!(
        cut,
        [
            (2, 1, "SELECT ';', `a;b`, \";\""),
            (4, 3, "SELECT 2"),
            (
                5,
                3,
                "EXECUTE STATEMENT SET BEGIN\nINSERT INTO a SELECT CASE WHEN x THEN 1 END; INSERT INTO b SELECT 1; END"
            ),
            (7, 1, "BEGIN STATEMENT SET; INSERT INTO a SELECT 1; END"),
            (7, 51, "SELECT E'\\';'"),
            (7, 67, "SELECT 3"),
        ]
    );
    assert!(split_script(" \n -- nothing\n ; ;").is_empty());
    assert!(parse_script("").unwrap().is_empty());
    assert_eq!(split_script("SELECT 1; SELECT 'open; SELECT 2").len(), 2);
}

#[test]
fn statements_before_a_mistake_can_run() {
    let parsed: Vec<_> =
        split_script("SELECT 1; SELEC 2; SELECT 3").iter().map(|s| s.parse().is_ok()).collect();
    assert_eq!(parsed, [true, false, true]);
}

#[test]
fn one_statement() {
    assert_eq!(parse_statement("SELECT 1;").unwrap().text, "SELECT 1");
    assert_eq!(parse_statement("SELECT 1; SELECT 2").unwrap_err().column, 11);
    assert!(parse_statement(" ").is_err());
}

#[test]
fn completeness() {
    for complete in [
        "SELECT 1;",
        "",
        "  ",
        "-- x",
        "SELECT ';' ; -- x",
        "quit",
        "HELP",
        "BEGIN STATEMENT SET; INSERT INTO a SELECT 1; END;",
        "exit ;",
    ] {
        assert!(is_complete(complete), "{complete}");
    }
    for open in [
        "SELECT 1",
        "SELECT ';",
        "SELECT 1 /* ;",
        "SELECT `;",
        "SELECT 1; SELECT",
        "BEGIN STATEMENT SET;",
        "BEGIN STATEMENT SET; INSERT INTO a SELECT 1;",
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;",
        "SELECT 1 -- ;",
        "SELECT 'it''s;",
    ] {
        assert!(!is_complete(open), "{open}");
    }
}

#[test]
fn highlighting_covers_the_buffer() {
    let buffer = "SELECT `a`, b /*+ X */ -- c\n + 1.5e3 'x' \"y\" é != /* open";
    let stretches = highlight(buffer);
    let mut at = 0;
    for (range, _) in &stretches {
        assert_eq!(range.start, at);
        at = range.end;
    }
    assert_eq!(at, buffer.len());
    let of = |text: &str| {
        stretches.iter().find(|(range, _)| &buffer[range.clone()] == text).map(|(_, kind)| *kind)
    };
    assert_eq!(of("SELECT"), Some(HighlightKind::Keyword));
    assert_eq!(of("`a`"), Some(HighlightKind::Name));
    assert_eq!(of("é"), Some(HighlightKind::Name));
    assert_eq!(of("/*+"), Some(HighlightKind::Hint));
    assert_eq!(of("-- c"), Some(HighlightKind::Comment));
    assert_eq!(of("1.5e3"), Some(HighlightKind::Number));
    assert_eq!(of("'x'"), Some(HighlightKind::Text));
    assert_eq!(of("!="), Some(HighlightKind::Other));
    assert_eq!(of("/* open"), Some(HighlightKind::Comment));
}
