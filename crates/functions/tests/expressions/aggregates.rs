//! Types of aggregate functions.

use crate::support::ty;
use flott_expr::aggregate;

#[test]
fn results_have_flinks_types() {
    for (call, want) in [
        ("COUNT", "BIGINT NOT NULL"),
        ("COUNT STRING", "BIGINT NOT NULL"),
        ("SUM TINYINT", "TINYINT"),
        ("SUM INT NOT NULL", "INT NOT NULL"),
        ("SUM DECIMAL(10, 2)", "DECIMAL(38, 2)"),
        ("AVG INT", "INT"),
        ("AVG DECIMAL(10, 2)", "DECIMAL(38, 6)"),
        ("MIN DECIMAL(10, 2)", "DECIMAL(10, 2)"),
        ("MAX TIME", "TIME(0)"),
        ("STDDEV_POP INT", "INT"),
        ("VARIANCE DECIMAL(10, 2)", "DECIMAL(38, 6)"),
        ("LISTAGG STRING", "STRING"),
        ("COLLECT INT", "MULTISET<INT> NOT NULL"),
        ("ARRAY_AGG INT", "ARRAY<INT>"),
        ("FIRST_VALUE DATE", "DATE"),
        ("JSON_OBJECTAGG STRING; INT", "VARCHAR(2000) NOT NULL"),
        ("PERCENTILE INT; ARRAY<DOUBLE>", "ARRAY<DOUBLE>"),
        ("ROW_NUMBER", "BIGINT NOT NULL"),
        ("LAG INT NOT NULL; INT", "INT"),
        (
            "AVG BOOLEAN",
            "Cannot apply 'AVG' to arguments of type 'AVG(<BOOLEAN>)'. Supported form(s): 'AVG(<NUMERIC>)'",
        ),
        ("MEDIAN INT", "No match found for aggregate function MEDIAN"),
    ] {
        let (name, args) = call.split_once(' ').unwrap_or((call, ""));
        let args: Vec<_> = args.split(';').map(str::trim).filter(|arg| !arg.is_empty()).map(ty).collect();
        let got = match aggregate::infer(name, &args, false, true) {
            Ok(ty) => ty.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, want, "{call}");
    }
    let int = [ty("INT NOT NULL")];
    assert!(aggregate::infer("SUM", &int, false, false).unwrap().nullable, "over no rows SUM is NULL");
    assert!(aggregate::infer("COUNT", &[], true, true).is_err(), "COUNT(DISTINCT *)");
    assert_eq!(aggregate::canonical("stddev"), "STDDEV_SAMP");
}
