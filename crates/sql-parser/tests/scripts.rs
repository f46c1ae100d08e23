//! Whole scripts as users write them: each is read, and read again statement by statement.

use flott_sql_parser::{parse_script, split_script};

/// Scripts that Flink refuses for their syntax.
const REFUSED: [&str; 2] = ["errors__unclosed_string.sql", "literals__neg_double_quoted.sql"];

#[test]
fn scripts() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let script = std::fs::read_to_string(&path).unwrap();
        let parsed = parse_script(&script);
        if REFUSED.contains(&name.as_str()) {
            assert!(parsed.is_err(), "{name}");
            continue;
        }
        let parsed = parsed.unwrap_or_else(|error| panic!("{name}: {error}"));
        let texts: Vec<_> = split_script(&script).iter().map(|statement| statement.text.to_owned()).collect();
        assert_eq!(
            parsed.iter().map(|statement| statement.text.clone()).collect::<Vec<_>>(),
            texts,
            "{name}"
        );
        assert!(!parsed.is_empty(), "{name}");
        read += 1;
    }
    assert!(read > 50, "only {read} scripts found");
}
