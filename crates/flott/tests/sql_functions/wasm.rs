//! Functions that are WebAssembly components.

use crate::Shell;

#[cfg(feature = "wat")]
mod built {
    use std::fs;

    use tempfile::TempDir;

    use super::Shell;

    const COMPONENT: &str = include_str!("../../../function-wasm/tests/functions.wat");

    fn shell() -> (Shell, TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("functions.wasm");
        fs::write(&path, COMPONENT).unwrap();
        let path = path.display().to_string();
        let mut shell = Shell::new();
        for (name, export) in [
            ("add_one", "add-one"),
            ("calls", "calls"),
            ("is_even", "is-even"),
            ("hypotenuse", "hypotenuse"),
            ("or_zero", "or-zero"),
            ("half", "half"),
            ("shout", "shout"),
            ("same_bytes", "bytes"),
            ("root", "root"),
            ("halves", "halves"),
            ("named_halves", "named-halves"),
            ("spin", "spin"),
            ("deep", "deep"),
            ("grow", "grow"),
            ("divide", "divide"),
            ("nan", "not-a-number"),
        ] {
            shell
                .ask(&format!("CREATE FUNCTION {name} AS '{export}' LANGUAGE WASM USING ARTIFACT '{path}'"))
                .unwrap();
        }
        let table = folder.path().join("rows.csv");
        fs::write(&table, "1,ab,3.0\n2,,4.0\nNULL,ß c,NULL\n4,D,0.5\n").unwrap();
        let table = table.display();
        shell
            .ask(&format!(
                "CREATE TABLE r (n INT, s STRING, d DOUBLE) WITH ('connector' = 'filesystem', 'path' = '{table}', 'format' = 'csv', 'csv.null-literal' = 'NULL')"
            ))
            .unwrap();
        (shell, folder, path)
    }

    #[test]
    fn scalar_functions_have_the_types_of_the_interface() {
        let (mut shell, _folder, _) = shell();
        let rows =
            shell.ask("SELECT n, add_one(n), is_even(n), or_zero(n), half(n), root(n) FROM r").unwrap();
        assert_eq!(rows, ["1|2|FALSE|1||1", "2|3|TRUE|2|1|1", "4|5|TRUE|4|2|2", "|||0||"]);
        let rows = shell.ask("SELECT shout(s), same_bytes(CAST(s AS BYTES)) FROM r WHERE n = 1").unwrap();
        assert_eq!(rows, ["AB|x'4142'"]);
        let rows = shell
            .ask("SELECT shout(s || '€'), hypotenuse(a_side => d, other_side => 1.0) FROM r")
            .unwrap_err();
        assert!(rows.contains("a_side") && rows.contains("one_side, other_side"), "{rows}");
        let rows = shell.ask("SELECT hypotenuse(other_side => 4, one_side => d) FROM r WHERE n = 1").unwrap();
        assert_eq!(rows, ["5.0"]);
        // Casts that lose nothing, constants, NULL, in conditions and below aggregates.
        let rows = shell
            .ask("SELECT add_one(CAST(1 AS SMALLINT)), add_one(NULL), shout('x' || shout('y'))")
            .unwrap();
        assert_eq!(rows, ["2||XY"]);
        let rows = shell.ask("SELECT SUM(add_one(n)) AS x FROM r WHERE is_even(n)").unwrap();
        assert_eq!(rows.last().unwrap(), "8");
        let described = shell.ask("DESCRIBE FUNCTION EXTENDED hypotenuse").unwrap();
        for line in [
            "function language|WASM",
            "class name|hypotenuse",
            "kind|SCALAR",
            "signature|default_catalog.default_database.hypotenuse(one_side => DOUBLE, other_side => DOUBLE)",
        ] {
            assert!(described.contains(&line.to_owned()), "{described:?}");
        }
    }

    #[test]
    fn lists_are_the_rows_of_table_functions() {
        let (mut shell, _folder, _) = shell();
        let rows = shell.ask("SELECT n, f0, f1 FROM r, LATERAL TABLE(halves(n)) WHERE n < 3").unwrap();
        assert_eq!(rows, ["1|1|0.5", "2|1|0.5", "2|2|1.0"]);
        let rows = shell
            .ask("SELECT n, w FROM r LEFT JOIN LATERAL TABLE(halves(n - 1)) AS h (w, x) ON TRUE")
            .unwrap();
        assert_eq!(rows, ["1|", "2|1", "4|1", "4|2", "4|3", "|"]);
        let rows = shell.ask("SELECT whole_number, half FROM TABLE(named_halves(1))").unwrap();
        assert_eq!(rows, ["1|0.5"]);
    }

    #[test]
    fn a_function_gets_no_more_than_its_limits() {
        let (mut shell, _folder, _) = shell();
        for (query, expected) in [
            (
                "SELECT spin(n) FROM r",
                "function 'spin' failed for the arguments (1): it did not end within 1000000 instructions (table.exec.wasm.fuel)",
            ),
            ("SELECT deep(n) FROM r", "it calls itself too deeply"),
            ("SELECT grow(n + 100) FROM r", "and may have 1048576 (table.exec.wasm.memory)"),
            ("SELECT shout(REPEAT(s, 1000000)) FROM r", "and may have 1048576 (table.exec.wasm.memory)"),
            (
                "SELECT divide(n, 0) FROM r",
                "failed for the arguments (1, 0): it failed: wasm trap: integer divide by zero",
            ),
            (
                "SELECT root(0 - n) FROM r",
                "function 'root' failed for the arguments (-1): no negative numbers",
            ),
        ] {
            let script = format!(
                "SET 'table.exec.wasm.fuel' = '1000000'; SET 'table.exec.wasm.memory' = '1 mb'; {query}"
            );
            let error = shell.ask(&script).unwrap_err();
            assert!(error.contains(expected), "{query}: {error}");
        }
        // What was used up by one call is there again for the next.
        let rows = shell
            .ask("SET 'table.exec.wasm.fuel' = '1000'; SELECT COUNT(*) AS c FROM r WHERE add_one(n) > 0")
            .unwrap();
        assert_eq!(rows.last().unwrap(), "3");
        assert_eq!(shell.ask("SELECT grow(n) FROM r WHERE n = 1").unwrap(), ["1"]);
        let error = shell.ask("SET 'table.exec.wasm.memory' = '0'; SELECT add_one(1)").unwrap_err();
        assert!(error.contains("table.exec.wasm.memory is more than 0"), "{error}");
    }

    #[test]
    fn nothing_is_remembered_from_batch_to_batch() {
        let (mut shell, _folder, _) = shell();
        let rows = shell
            .ask("SET 'table.exec.batch-size' = '1'; SELECT calls(n) FROM r WHERE n IS NOT NULL")
            .unwrap();
        assert_eq!(rows, ["1", "1", "1"]);
        assert_eq!(shell.ask("SELECT nan(n) FROM r WHERE n = 1").unwrap(), ["NaN"]);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let (mut shell, folder, path) = shell();
        let other = folder.path().join("other.wasm");
        fs::write(&other, "not wasm").unwrap();
        let other = other.display();
        for (definition, expected) in [
            (
                format!("'nope' LANGUAGE WASM USING ARTIFACT '{path}'"),
                "exports no function 'nope'; its functions are: add-one, calls, ",
            ),
            (
                format!("'unsigned' LANGUAGE WASM USING ARTIFACT '{path}'"),
                "its parameter 'x' is an unsigned number: take s32 or s64",
            ),
            (
                "'f' LANGUAGE WASM USING ARTIFACT '/nowhere/x.wasm'".to_owned(),
                "the component '/nowhere/x.wasm' cannot be read",
            ),
            (format!("'f' LANGUAGE WASM USING ARTIFACT '{other}'"), "is not a component of WebAssembly"),
            ("'f' LANGUAGE WASM".to_owned(), "write USING ARTIFACT '/path/to/component.wasm'"),
            (
                format!("'f' LANGUAGE WASM USING JAR '{path}'"),
                "write USING ARTIFACT '/path/to/component.wasm'",
            ),
        ] {
            let error = shell.ask(&format!("CREATE TEMPORARY FUNCTION f AS {definition}")).unwrap_err();
            assert!(error.contains(expected), "{definition}: {error}");
        }
        // A new file is a new function.
        let table = "CREATE TEMPORARY FUNCTION g AS 'add-one' LANGUAGE WASM USING ARTIFACT";
        shell.ask(&format!("{table} '{path}'")).unwrap();
        assert_eq!(shell.ask("SELECT g(1)").unwrap(), ["2"]);
        fs::write(
            &path,
            COMPONENT
                .replace("(i64.add (local.get 0) (i64.const 1))", "(i64.mul (local.get 0) (i64.const 7))"),
        )
        .unwrap();
        assert_eq!(shell.ask("SELECT g(1)").unwrap(), ["7"]);
    }

    /// The blocks of the page that are marked so.
    fn blocks(language: &str) -> Vec<&'static str> {
        let page = include_str!("../../../../docs/programs/webassembly.md");
        let fence = format!("```{language}\n");
        let blocks = page.split(&fence).skip(1);
        blocks.map(|block| block.split("```").next().unwrap()).collect()
    }

    #[test]
    fn the_example_of_the_documentation_works() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("component.wasm");
        fs::write(&path, blocks("wat")[0]).unwrap();
        let script = blocks("sql")[0].replace("/path/to/component.wasm", &path.display().to_string());
        let rows = Shell::new().ask_in_order(&script).unwrap().join("\n");
        assert_eq!(rows.replace('|', " "), blocks("text")[0].trim());
    }

    #[test]
    fn imports_are_there_and_fail() {
        let (mut shell, folder, _) = shell();
        let component = r#"(component
            (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))
            (alias export $clock "now" (func $now))
            (core func $now (canon lower (func $now)))
            (core module $m
                (import "clock" "now" (func $now (result i64)))
                (func (export "time") (param i64) (result i64) (call $now))
                (func (export "same") (param i64) (result i64) (local.get 0)))
            (core instance $i (instantiate $m (with "clock" (instance (export "now" (func $now))))))
            (func (export "time") (param "x" s64) (result s64) (canon lift (core func $i "time")))
            (func (export "same") (param "x" s64) (result s64) (canon lift (core func $i "same"))))"#;
        let path = folder.path().join("clock.wasm");
        fs::write(&path, component).unwrap();
        for name in ["time", "same"] {
            let path = path.display();
            shell
                .ask(&format!(
                    "CREATE TEMPORARY FUNCTION `the_{name}` AS '{name}' LANGUAGE WASM USING ARTIFACT '{path}'"
                ))
                .unwrap();
        }
        assert_eq!(shell.ask("SELECT the_same(n) FROM r WHERE n = 2").unwrap(), ["2"]);
        let error = shell.ask("SELECT the_time(n) FROM r").unwrap_err();
        assert!(error.contains("wasi:clocks/monotonic-clock"), "{error}");
    }
}

#[cfg(not(feature = "wasm"))]
#[test]
fn a_program_without_the_engine_names_the_feature() {
    let mut shell = Shell::new();
    let create = "FUNCTION f AS 'f' LANGUAGE WASM USING ARTIFACT '/f.wasm'";
    let error = shell.ask(&format!("CREATE TEMPORARY {create}")).unwrap_err();
    assert!(error.contains("build it with the feature `wasm` (cargo build --features wasm)"), "{error}");
    shell.ask(&format!("CREATE {create}")).unwrap();
    let error = shell.ask("SELECT f(1)").unwrap_err();
    assert!(error.contains("build it with the feature `wasm`"), "{error}");
}
