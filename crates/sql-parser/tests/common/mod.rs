//! Statements as short text: spans and positions left out, names and strings in short.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use flott_sql_parser::ast::Statement;
use flott_sql_parser::parse_script;
use regex::Regex;

/// The statements of a script, one line each; a mistake as `error: ..`.
pub fn parsed(script: &str) -> String {
    match parse_script(script) {
        Ok(statements) => statements.iter().map(|parsed| short(&parsed.statement) + "\n").collect(),
        Err(error) => format!("error: {error}\n"),
    }
}

fn short(statement: &Statement) -> String {
    if let Statement::Query(query) = statement {
        return query.to_string();
    }
    let mut text = format!("{statement:?}");
    for (pattern, with) in [
        (r#"Ident \{ value: "([^"]*)", quoted: false, position: [^}]*\} \}"#, "$1"),
        (r#"Ident \{ value: "([^"]*)", quoted: true, position: [^}]*\} \}"#, "`$1`"),
        (r"ObjectName\(\[([^\[\]]*)\]\)", "[$1]"),
        (r#"Text \{ value: ("[^"]*"), position: Position \{[^}]*\} \}"#, "$1"),
        (r",? ?position: Position \{[^}]*\}", ""),
        (r"SqlOption \{ key: ([^ ]*), value: ([^}]*?) \}", "$1 = $2"),
        (r"LogicalType \{ kind: ([A-Za-z]+(?:\([0-9, ]*\))?), nullable: true \}", "$1"),
        (r"LogicalType \{ kind: ([A-Za-z]+(?:\([0-9, ]*\))?), nullable: false \}", "$1 NOT NULL"),
        (r"Varchar\(2147483647\)", "String"),
        (r"Physical \{ ty: ([^{}]*) \}", "$1"),
        (r"[a-z_]+: (?:None|false|\[\]),? ?", ""),
        (r", \}", " }"),
        (r"\{,? ", "{ "),
    ] {
        let pattern = Regex::new(pattern).unwrap();
        text = pattern.replace_all(&text, with).into_owned();
    }
    // Expressions and queries are long as structures; their source text stands beside them where it matters.
    text
}
