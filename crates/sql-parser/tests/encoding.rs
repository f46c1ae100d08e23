//! What the planner reads back.
#![expect(clippy::panic, reason = "helpers of tests")]

use flott_sql_parser::ast::Statement;
use flott_sql_parser::encoding::*;
use flott_sql_parser::{parse_expression, parse_query, parse_script, position_of};
use sqlparser::ast::{Expr, Function, Query, Select, SelectItem, SetExpr, TableFactor};

fn select(query: &Query) -> &Select {
    match &*query.body {
        SetExpr::Select(select) => select,
        other => panic!("{other}"),
    }
}

fn factor(query: &Query) -> &TableFactor {
    &select(query).from[0].relation
}

fn function(expr: &Expr) -> &Function {
    match expr {
        Expr::Function(function) => function,
        other => panic!("{other}"),
    }
}

#[test]
fn casts_carry_flinks_types() {
    let expr =
        parse_expression("TRY_CAST(a AS ROW<x DECIMAL(5, 2) NOT NULL, y MAP<STRING, TIMESTAMP_LTZ(3)>>)")
            .unwrap();
    let cast = decode_cast(&expr).unwrap();
    assert_eq!(cast.expr.to_string(), "a");
    assert_eq!(cast.ty.to_string(), "ROW<`x` DECIMAL(5, 2) NOT NULL, `y` MAP<STRING, TIMESTAMP_LTZ(3)>>");
    assert!(cast.is_try);
    let unknown = parse_expression("UNKNOWN").unwrap();
    assert_eq!(decode_cast(&unknown).unwrap().ty.to_string(), "BOOLEAN");
    assert!(decode_cast(&parse_expression("a").unwrap()).is_none());
}

#[test]
fn table_arguments() {
    let expr = parse_expression("f(TABLE c.t PARTITION BY (a, b) ORDER BY d DESC, (SELECT 1), TABLE u, 1, DESCRIPTOR(x, y), MODEL m, DEFAULT)").unwrap();
    let args = arguments(function(&expr)).unwrap();
    let first = decode_table_arg(args[0]).unwrap();
    assert!(matches!(&first.source, TableSource::Name(name) if name.to_string() == "c.t"));
    assert_eq!((first.partition_by.len(), first.order_by.len()), (2, 1));
    assert!(matches!(decode_table_arg(args[1]).unwrap().source, TableSource::Query(_)));
    assert!(decode_table_arg(args[2]).unwrap().partition_by.is_empty());
    assert!(decode_table_arg(args[3]).is_none());
    let columns = decode_descriptor(args[4]).unwrap();
    assert_eq!(columns.iter().map(|c| c.value.as_str()).collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(decode_model_arg(args[5]).unwrap().to_string(), "m");
    assert!(is_default_arg(args[6]) && !is_default_arg(args[5]));
    assert_eq!(encoded_name(args[0]), Some("$table"));
    assert_eq!(encoded_name(args[4]), None);
}

#[test]
fn rows_multisets_and_measures() {
    assert_eq!(decode_row(&parse_expression("ROW(1)").unwrap()).unwrap().len(), 1);
    assert_eq!(decode_row(&parse_expression("(1, 2)").unwrap()).unwrap().len(), 2);
    assert!(decode_row(&parse_expression("(1)").unwrap()).is_none());
    assert_eq!(decode_multiset(&parse_expression("MULTISET[1, 2]").unwrap()).unwrap().len(), 2);
    let expr = parse_expression("FINAL LAST(a.x)").unwrap();
    let (is_final, inner) = decode_final(&expr).unwrap();
    assert!(is_final && inner.to_string() == "LAST(a.x)");
    assert!(!decode_final(&parse_expression("RUNNING LAST(a.x)").unwrap()).unwrap().0);
    assert!(decode_final(&parse_expression("LAST(a.x)").unwrap()).is_none());
}

#[test]
fn json_clauses() {
    let expr =
        parse_expression("JSON_VALUE(j, '$.a' RETURNING INT NULL ON EMPTY DEFAULT 1 + 1 ON ERROR)").unwrap();
    let call = decode_json(function(&expr)).unwrap();
    assert_eq!(call.args.len(), 2);
    assert_eq!(call.returning.unwrap().to_string(), "INT");
    assert_eq!(call.on_empty, Some(JsonBehavior::Null));
    assert!(matches!(call.on_error, Some(JsonBehavior::Default(e)) if e.to_string() == "1 + 1"));
    let expr = parse_expression("JSON_QUERY(j, '$' WITH ARRAY WRAPPER EMPTY ARRAY ON ERROR)").unwrap();
    let call = decode_json(function(&expr)).unwrap();
    assert_eq!(
        (call.wrapper, call.on_error),
        (Some(JsonWrapper::Unconditional), Some(JsonBehavior::EmptyArray))
    );
    let expr = parse_expression("JSON_OBJECT(KEY 'a' VALUE 1, 'b' : 2 ABSENT ON NULL)").unwrap();
    let call = decode_json(function(&expr)).unwrap();
    assert_eq!((call.args.len(), call.absent_on_null), (4, Some(true)));
    let expr = parse_expression("a IS NOT JSON ARRAY").unwrap();
    let test = decode_is_json(&expr).unwrap();
    assert_eq!((test.item, test.negated, test.expr.to_string()), (JsonItem::Array, true, "a".to_owned()));
}

#[test]
fn intervals() {
    for (literal, expected) in [
        ("'1' DAY", IntervalValue::Millis(86_400_000)),
        ("-'1-2' YEAR TO MONTH", IntervalValue::Months(-14)),
        ("-'-1' YEAR", IntervalValue::Months(12)),
        ("'2' QUARTER", IntervalValue::Months(6)),
        ("'2' WEEK", IntervalValue::Millis(2 * 7 * 86_400_000)),
        ("'1 02:03:04.567' DAY TO SECOND(3)", IntervalValue::Millis(93_784_567)),
        ("'02:03' HOUR TO MINUTE", IntervalValue::Millis(7_380_000)),
        ("'90' SECOND", IntervalValue::Millis(90_000)),
        ("'0.0016' SECOND", IntervalValue::Millis(1)),
        ("'1000' DAY(4)", IntervalValue::Millis(86_400_000_000)),
        ("+ '10:00.5' MINUTE TO SECOND", IntervalValue::Millis(600_500)),
    ] {
        let expr = parse_expression(&format!("INTERVAL {literal}")).unwrap();
        let Expr::Interval(interval) = &expr else { panic!("{expr}") };
        assert_eq!(decode_interval(interval).unwrap(), expected, "{literal}");
    }
}

#[test]
fn time_units_of_timestamp_arithmetic() {
    let expr = parse_expression("TIMESTAMPADD(SQL_TSI_DAY, 1, t)").unwrap();
    let args = arguments(function(&expr)).unwrap();
    assert_eq!(time_unit(args[0]).unwrap().to_string(), "DAY");
    assert!(time_unit(args[1]).is_none());
}

#[test]
fn hints_are_not_lost() {
    let query = parse_query(
        "SELECT /*+ BROADCAST(a, c.b), STATE_TTL('a' = '1d') */ *\nFROM t /*+ OPTIONS('k' = 'v', 'l'='w'), X */ AS a /* no hint */",
    )
    .unwrap();
    let hints = decode_select_hints(select(&query));
    assert_eq!(hints[0].name, "BROADCAST");
    assert_eq!(hints[0].args, [HintArg::Item("a".into()), HintArg::Item("c.b".into())]);
    assert_eq!(hints[1].options().collect::<Vec<_>>(), [("a", "1d")]);
    assert_eq!(hints[1].position.to_string(), "line 1, column 31");
    let hints = decode_table_hints(factor(&query));
    assert_eq!(hints[0].options().collect::<Vec<_>>(), [("k", "v"), ("l", "w")]);
    assert_eq!((hints[0].position.line, hints[1].name.as_str()), (2, "X"));
    let script = parse_script("INSERT INTO t /*+ OPTIONS('k' = 'v') */ SELECT 1").unwrap();
    let Statement::Insert(insert) = &script[0].statement else { panic!() };
    assert_eq!(insert.hints[0].options().collect::<Vec<_>>(), [("k", "v")]);
}

#[test]
fn patterns() {
    let query = parse_query(
        "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES A.x AS x AFTER MATCH SKIP TO B
         PATTERN (^ A*? (B? | C{2,3})+ D{,4} E?? (F*)? PERMUTE(G, H) {- I -} $) WITHIN INTERVAL '1' HOUR
         SUBSET S = (A, B), T = (C) DEFINE A AS TRUE) AS m",
    )
    .unwrap();
    let clause = decode_match_recognize(factor(&query)).unwrap();
    assert_eq!(clause.within.unwrap().to_string(), "INTERVAL '1' HOUR");
    assert_eq!(clause.define.len(), 1);
    assert_eq!(clause.subsets.len(), 2);
    assert_eq!(clause.after_match.unwrap().to_string(), "AFTER MATCH SKIP TO LAST B");
    fn show(pattern: &Pattern) -> String {
        let list =
            |patterns: &[Pattern], between: &str| patterns.iter().map(show).collect::<Vec<_>>().join(between);
        match pattern {
            Pattern::Symbol(name) => name.value.clone(),
            Pattern::Concat(patterns) => list(patterns, " "),
            Pattern::Alternation(patterns) => list(patterns, "|"),
            Pattern::Group(inner) => format!("({})", show(inner)),
            Pattern::Repeat { pattern, min, max, greedy } => {
                let max = max.map_or("inf".to_owned(), |max| max.to_string());
                format!("{}[{min},{max}{}]", show(pattern), if *greedy { "" } else { ",lazy" })
            }
            Pattern::Permute(names) => format!("PERMUTE{}", names.len()),
            Pattern::Exclude(name) => format!("-{}-", name.value),
            Pattern::Start => "^".into(),
            Pattern::End => "$".into(),
        }
    }
    assert_eq!(
        show(&clause.pattern),
        "^ A[0,inf,lazy] (B[0,1]|C[2,3])[1,inf] D[0,4] E[0,1,lazy] (F[0,inf])[0,1] PERMUTE2 -I- $"
    );
}

#[test]
fn positions_are_those_of_the_script() {
    let script = "SELECT 1;\n-- comment\n  SELECT a,\n    f(x + 1) AS y, CASE WHEN b THEN 1 END, CAST(`c` AS INT), 'x'\n  FROM c.t AS u";
    let statements = parse_script(script).unwrap();
    assert_eq!(statements[1].position.to_string(), "line 3, column 3");
    let Statement::Query(query) = &statements[1].statement else { panic!() };
    let positions: Vec<_> = select(query)
        .projection
        .iter()
        .map(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                let at = position_of(expr).unwrap();
                (at.line, at.column)
            }
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(positions, [(3, 10), (4, 5), (4, 20), (4, 49), (4, 62)]);
    assert_eq!(position_of(factor(query)).unwrap().to_string(), "line 5, column 8");
}
