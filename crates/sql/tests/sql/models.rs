//! Models: DDL, and ML_PREDICT as it is planned.

use expect_test::expect;
use flott_plan::OperatorSpec;

use crate::support::{Shell, check};

const MODEL: &str = "CREATE MODEL m INPUT (q STRING) OUTPUT (ans STRING) COMMENT 'cm' WITH ('provider' = 'oracle', 'api-key' = 'sek', 'model' = 'x')";

#[test]
fn models_are_made_changed_shown_and_dropped() {
    let mut shell = Shell::with_tables();
    check(shell.run(MODEL), expect![[r#""#]]);
    check(
        shell.dialog(
            "SHOW CREATE MODEL m;
             DESCRIBE MODEL m;
             DESCRIBE MODEL EXTENDED m;
             SHOW MODELS;
             SHOW MODELS LIKE 'x%';
             SHOW MODELS FROM default_database;
             CREATE MODEL m WITH ('a' = 'b');
             CREATE MODEL IF NOT EXISTS m WITH ('a' = 'b');
             ALTER MODEL m SET ('task' = 'x', 'model' = 'y');
             ALTER MODEL m RESET ('api-key', 'zz');
             ALTER MODEL m RENAME TO n;
             SHOW CREATE MODEL n;
             CREATE TEMPORARY MODEL n INPUT (q STRING NOT NULL COMMENT 'x', w ARRAY<INT>) OUTPUT (a DECIMAL(3, 1) NOT NULL) WITH ('a' = 'b');
             DESCRIBE MODEL n;
             SHOW CREATE MODEL n;
             ALTER MODEL n SET ('a' = 'c');
             SHOW MODELS;
             DROP MODEL n;
             DROP MODEL n;
             DROP TEMPORARY MODEL n;
             SHOW MODELS",
        ),
        expect![[r#"
            > SHOW CREATE MODEL m
            CREATE MODEL `default_catalog`.`default_database`.`m`
            INPUT (`q` VARCHAR(2147483647))
            OUTPUT (`ans` VARCHAR(2147483647))
            COMMENT 'cm'
            WITH (
              'api-key' = '******',
              'model' = 'x',
              'provider' = 'oracle'
            )
            > DESCRIBE MODEL m
            q | STRING | TRUE | TRUE
            ans | STRING | TRUE | FALSE
            > DESCRIBE MODEL EXTENDED m
            q | STRING | TRUE | TRUE
            ans | STRING | TRUE | FALSE
            > SHOW MODELS
            m
            > SHOW MODELS LIKE 'x%'
            > SHOW MODELS FROM default_database
            m
            > CREATE MODEL m WITH ('a' = 'b')
            invalid: Model default_database.m already exists in Catalog default_catalog.
            > CREATE MODEL IF NOT EXISTS m WITH ('a' = 'b')
            > ALTER MODEL m SET ('task' = 'x', 'model' = 'y')
            > ALTER MODEL m RESET ('api-key', 'zz')
            > ALTER MODEL m RENAME TO n
            > SHOW CREATE MODEL n
            CREATE MODEL `default_catalog`.`default_database`.`n`
            INPUT (`q` VARCHAR(2147483647))
            OUTPUT (`ans` VARCHAR(2147483647))
            COMMENT 'cm'
            WITH (
              'model' = 'y',
              'provider' = 'oracle',
              'task' = 'x'
            )
            > CREATE TEMPORARY MODEL n INPUT (q STRING NOT NULL COMMENT 'x', w ARRAY<INT>) OUTPUT (a DECIMAL(3, 1) NOT NULL) WITH ('a' = 'b')
            > DESCRIBE MODEL n
            q | STRING | FALSE | TRUE | x
            w | ARRAY<INT> | TRUE | TRUE | -
            a | DECIMAL(3, 1) | FALSE | FALSE | -
            > SHOW CREATE MODEL n
            CREATE TEMPORARY MODEL `default_catalog`.`default_database`.`n`
            INPUT (`q` VARCHAR(2147483647) NOT NULL COMMENT 'x', `w` ARRAY<INT>)
            OUTPUT (`a` DECIMAL(3, 1) NOT NULL)
            WITH (
              'a' = 'b'
            )
            > ALTER MODEL n SET ('a' = 'c')
            invalid: Model `default_catalog`.`default_database`.`n` is a temporary model.
            > SHOW MODELS
            n
            > DROP MODEL n
            > DROP MODEL n
            invalid: Model with identifier 'default_catalog.default_database.n' does not exist.
            > DROP TEMPORARY MODEL n
            > SHOW MODELS
        "#]],
    );
}

#[test]
fn wrong_models() {
    check(
        Shell::with_tables().dialog(
            "CREATE MODEL m INPUT (q STRING) OUTPUT (a STRING);
             CREATE MODEL m INPUT (q STRING) OUTPUT (a STRING) WITH ();
             CREATE MODEL m INPUT (q STRING) WITH ('a' = 'b');
             CREATE MODEL m INPUT (q STRING, q INT) OUTPUT (a STRING) WITH ('a' = 'b');
             CREATE MODEL m INPUT (q AS 1) OUTPUT (a STRING) WITH ('a' = 'b');
             CREATE MODEL nowhere.m WITH ('a' = 'b');
             SHOW CREATE MODEL m;
             DESCRIBE MODEL m;
             DROP MODEL m;
             DROP TEMPORARY MODEL m;
             DROP MODEL IF EXISTS m;
             ALTER MODEL m SET ('a' = 'b');
             ALTER MODEL IF EXISTS m SET ('a' = 'b');
             ALTER MODEL m RENAME TO n",
        ),
        expect![[r#"
            > CREATE MODEL m INPUT (q STRING) OUTPUT (a STRING)
            invalid: Model property list can not be empty, at line 1, column 1: WITH ('provider' = ...)
            > CREATE MODEL m INPUT (q STRING) OUTPUT (a STRING) WITH ()
            invalid: Model property list can not be empty, at line 1, column 1: WITH ('provider' = ...)
            > CREATE MODEL m INPUT (q STRING) WITH ('a' = 'b')
            invalid: Output column list can not be empty with non-empty input column list, at line 1, column 1
            > CREATE MODEL m INPUT (q STRING, q INT) OUTPUT (a STRING) WITH ('a' = 'b')
            invalid: the model has two columns 'q', at line 1, column 33
            > CREATE MODEL m INPUT (q AS 1) OUTPUT (a STRING) WITH ('a' = 'b')
            syntax: a model has physical columns only: name and type at line 1, column 23
            > CREATE MODEL nowhere.m WITH ('a' = 'b')
            invalid: there is no database 'nowhere' in catalog 'default_catalog'
            > SHOW CREATE MODEL m
            invalid: Could not execute SHOW CREATE MODEL. Model with identifier `default_catalog`.`default_database`.`m` does not exist.
            > DESCRIBE MODEL m
            invalid: Model with the identifier 'default_catalog.default_database.m' doesn't exist.
            > DROP MODEL m
            invalid: Model with identifier 'default_catalog.default_database.m' does not exist.
            > DROP TEMPORARY MODEL m
            invalid: Temporary Model with identifier 'default_catalog.default_database.m' does not exist.
            > DROP MODEL IF EXISTS m
            > ALTER MODEL m SET ('a' = 'b')
            invalid: Model `default_catalog`.`default_database`.`m` doesn't exist.
            > ALTER MODEL IF EXISTS m SET ('a' = 'b')
            > ALTER MODEL m RENAME TO n
            invalid: Model `default_catalog`.`default_database`.`m` doesn't exist.
        "#]],
    );
}

#[test]
fn a_prediction_is_a_lookup_of_each_row() {
    let mut shell = Shell::with_tables();
    shell.run(MODEL);
    check(
        shell.plan("SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b))"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[a, b, c, d, ans])
        +- Calc(select=[a, b, c, d, ans])
           +- MLPredictTableFunction(model=[default_catalog.default_database.m], input=[q=b], select=[a, b, c, d, q, ans], async=[ORDERED, KEY_ORDERED: false, 180000ms, 10])
              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c, d])
    "#]],
    );
    check(
        shell.plan(
            "SELECT a, ans FROM TABLE(ML_PREDICT(INPUT => TABLE t, MODEL => MODEL m, ARGS => DESCRIPTOR(b),
             CONFIG => MAP['async', 'true', 'timeout', '10s', 'max-concurrent-operations', '5', 'output-mode', 'allow_unordered', 'z', 'z']))
             WHERE a > 1 AND ans <> 'no'",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a, ans])
            +- Calc(select=[a, ans])
               +- MLPredictTableFunction(model=[default_catalog.default_database.m], input=[q=b], where=[(ans <> 'no')], select=[a, b, q, ans], async=[UNORDERED, KEY_ORDERED: false, 10000ms, 5])
                  +- Calc(select=[a, b], where=[(a > 1)])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
        "#]],
    );
    shell.run("SET 'table.exec.async-ml-predict.max-concurrent-operations' = '3'; SET 'table.exec.async-ml-predict.timeout' = '1 min'");
    let job = shell.job("SELECT ans, COUNT(*) FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b)) GROUP BY ans");
    let mut operators = job.vertices.iter().flat_map(|vertex| &vertex.operators);
    let spec = operators.find_map(|operator| match &operator.node.spec {
        OperatorSpec::LookupJoin(spec) => Some(spec.clone()),
        _ => None,
    });
    let spec = spec.unwrap();
    assert!(spec.lookup.model);
    assert_eq!((spec.requests.capacity, spec.requests.timeout, spec.requests.rows), (3, 60_000, Some(1)));
    assert_eq!((spec.lookup.keys, spec.lookup.projection), (vec![0], vec![0, 1]));
    // A column that goes by the name of one that goes in.
    shell.run("CREATE MODEL same INPUT (q STRING) OUTPUT (b STRING) WITH ('provider' = 'oracle')");
    check(
        shell.dialog("SELECT * FROM ML_PREDICT(TABLE t, MODEL same, DESCRIPTOR(b))"),
        expect![[r#"
        > SELECT * FROM ML_PREDICT(TABLE t, MODEL same, DESCRIPTOR(b))
        append-only: a INT, b STRING, c BIGINT, d DOUBLE, b0 STRING
    "#]],
    );
}

#[test]
fn wrong_predictions() {
    let mut shell = Shell::with_tables();
    shell.run(MODEL);
    shell.run("CREATE MODEL nobody INPUT (q STRING) OUTPUT (a STRING) WITH ('provider' = 'nobody')");
    shell.run("CREATE MODEL none INPUT (q STRING) OUTPUT (a STRING) WITH ('a' = 'b')");
    check(
        shell.dialog(
            "SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(zz));
             SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a, b));
             SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a));
             SELECT * FROM ML_PREDICT(TABLE t, MODEL zz, DESCRIPTOR(b));
             SELECT * FROM ML_PREDICT(TABLE t, MODEL m);
             SELECT * FROM ML_PREDICT(TABLE t PARTITION BY a, MODEL m, DESCRIPTOR(b));
             SELECT * FROM ML_PREDICT(TABLE t, MODEL nobody, DESCRIPTOR(b));
             SELECT * FROM ML_PREDICT(TABLE t, MODEL none, DESCRIPTOR(b));
             SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b), MAP['async', 'maybe']);
             SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b), MAP['async', 'false']);
             SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b), MAP['max-concurrent-operations', 'x']);
             SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b), MAP['output-mode', 'x']);
             SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b), MAP['timeout', '-1s']);
             SELECT * FROM ML_PREDICT(TABLE cdc, MODEL m, DESCRIPTOR(v));
             SELECT * FROM m",
        ),
        expect![[r#"
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(zz))
            invalid: Descriptor column 'zz' not found in table columns. Available columns: a, b, c, d. at line 1, column 55
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a, b))
            invalid: Number of descriptor columns (2) does not match model input size (1). at line 1, column 15
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a))
            invalid: Descriptor column 'a' type INT cannot be assigned to model input type STRING at position 0. at line 1, column 55
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL zz, DESCRIPTOR(b))
            invalid: Object 'zz' not found: there is no such model at line 1, column 41
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL m)
            invalid: ML_PREDICT lacks its argument ARGS at line 1, column 15
            > SELECT * FROM ML_PREDICT(TABLE t PARTITION BY a, MODEL m, DESCRIPTOR(b))
            invalid: Only tables with set semantics may be partitioned at line 1, column 26
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL nobody, DESCRIPTOR(b))
            invalid: Unable to create a model provider for model 'default_catalog.default_database.nobody': there is no provider 'nobody'; there is: 'oracle'
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL none, DESCRIPTOR(b))
            syntax: Encountered the reserved word `none`, expected a name; in backticks (`none`) it can be a name at line 1, column 41
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b), MAP['async', 'maybe'])
            invalid: Could not parse value 'maybe' for key 'async': it is true or false at line 1, column 59
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b), MAP['async', 'false'])
            unsupported: 'async' = 'false' is not supported: no model provider answers in sync mode at line 1, column 59
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b), MAP['max-concurrent-operations', 'x'])
            invalid: Could not parse value 'x' for key 'max-concurrent-operations': it is a number from 1 on at line 1, column 59
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b), MAP['output-mode', 'x'])
            invalid: Could not parse value 'x' for key 'output-mode': it is ORDERED or ALLOW_UNORDERED at line 1, column 59
            > SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(b), MAP['timeout', '-1s'])
            invalid: Could not parse value '-1s' for key 'timeout': it is a duration, such as '30 s' at line 1, column 59
            > SELECT * FROM ML_PREDICT(TABLE cdc, MODEL m, DESCRIPTOR(v))
            invalid: MLPredictTableFunction doesn't support consuming update and delete changes which is produced by node TableSourceScan(table=[[default_catalog, default_database, cdc]], fields=[id, v])
            > SELECT * FROM m
            invalid: Object 'm' not found at line 1, column 15
        "#]],
    );
}
