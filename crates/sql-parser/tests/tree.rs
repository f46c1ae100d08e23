//! What the planner finds in the tree.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use flott_sql_parser::ast::{
    AfterMatch, ArgumentValue, Call, Expr, ExprKind, HintArg, IntervalValue, IsTest, JsonBehavior, JsonItem,
    JsonWrapper, Literal, MatchRecognize, NamedTable, Pattern, Query, QueryBody, Relation, RelationKind,
    Select, SelectItem, Statement, TableSource, TimeUnit,
};
use flott_sql_parser::{parse_expression, parse_query, parse_script};

fn select(query: &Query) -> &Select {
    match &query.body {
        QueryBody::Select(select) => select,
        other => panic!("{other}"),
    }
}

fn relation(query: &Query) -> &Relation {
    &select(query).from[0].relation
}

fn table(query: &Query) -> &NamedTable {
    match &relation(query).kind {
        RelationKind::Table(table) => table,
        other => panic!("{other:?}"),
    }
}

fn kind(text: &str) -> ExprKind {
    parse_expression(text).unwrap().kind
}

fn call(text: &str) -> Call {
    match kind(text) {
        ExprKind::Call(call) => *call,
        other => panic!("{other:?}"),
    }
}

#[test]
fn casts_carry_flinks_types() {
    let cast = kind("TRY_CAST(a AS ROW<x DECIMAL(5, 2) NOT NULL, y MAP<STRING, TIMESTAMP_LTZ(3)>>)");
    let ExprKind::Cast { operand, ty, interval: None, is_try: true } = cast else { panic!("{cast:?}") };
    assert_eq!(operand.to_string(), "a");
    assert_eq!(ty.to_string(), "ROW<`x` DECIMAL(5, 2) NOT NULL, `y` MAP<STRING, TIMESTAMP_LTZ(3)>>");
    assert!(matches!(kind("UNKNOWN"), ExprKind::Cast { ty, .. } if ty.to_string() == "BOOLEAN"));
    let cast = kind("CAST(1 AS INTERVAL DAY TO HOUR)");
    let ExprKind::Cast { interval: Some(units), .. } = cast else { panic!("{cast:?}") };
    assert_eq!((units.first, units.last), (TimeUnit::Day, Some(TimeUnit::Hour)));
}

#[test]
fn table_arguments() {
    let call = call(
        "f(TABLE c.t PARTITION BY (a, b) ORDER BY d DESC, (SELECT 1), TABLE u, 1, DESCRIPTOR(x, y), MODEL m, DEFAULT)",
    );
    let args: Vec<&ArgumentValue> = call.args.iter().map(|arg| &arg.value).collect();
    let ArgumentValue::Table(first) = args[0] else { panic!() };
    assert!(matches!(&first.source, TableSource::Name(name) if name.to_string() == "c.t"));
    assert_eq!((first.partition_by.len(), first.order_by.len()), (2, 1));
    assert!(matches!(args[1], ArgumentValue::Expr(Expr { kind: ExprKind::Subquery(_), .. })));
    assert!(matches!(args[2], ArgumentValue::Table(table) if table.partition_by.is_empty()));
    assert!(matches!(args[3], ArgumentValue::Expr(_)));
    let ArgumentValue::Descriptor(_, columns) = args[4] else { panic!() };
    assert_eq!(columns.iter().map(|c| c.value.as_str()).collect::<Vec<_>>(), ["x", "y"]);
    assert!(matches!(args[5], ArgumentValue::Model(_, name) if name.to_string() == "m"));
    assert!(matches!(args[6], ArgumentValue::Default(_)));
}

#[test]
fn rows_multisets_and_measures() {
    assert!(matches!(kind("ROW(1)"), ExprKind::Row(fields) if fields.len() == 1));
    assert!(matches!(kind("(1, 2)"), ExprKind::Row(fields) if fields.len() == 2));
    assert!(matches!(kind("(1)"), ExprKind::Literal(_)));
    assert!(matches!(kind("MULTISET[1, 2]"), ExprKind::Multiset(elements) if elements.len() == 2));
    assert!(matches!(kind("FINAL LAST(a.x)"), ExprKind::Final(inner) if inner.to_string() == "LAST(a.x)"));
    assert!(matches!(kind("RUNNING LAST(a.x)"), ExprKind::Running(_)));
}

#[test]
fn what_is_long_is_one_node() {
    assert!(matches!(kind("a AND b AND c"), ExprKind::And(operands) if operands.len() == 3));
    assert!(matches!(kind("a OR b AND c OR d"), ExprKind::Or(operands) if operands.len() == 3));
    assert!(matches!(kind("a + b - c + d"), ExprKind::Binary { rest, .. } if rest.len() == 3));
    assert!(matches!(kind("a * b - c"), ExprKind::Binary { rest, .. } if rest.len() == 1));
    let query = parse_query("SELECT 1 UNION SELECT 2 EXCEPT SELECT 3 INTERSECT SELECT 4").unwrap();
    assert!(matches!(&query.body, QueryBody::Set(set) if set.rest.len() == 2));
}

#[test]
fn json_clauses() {
    let of = |text: &str| {
        let call = call(text);
        (call.args.len(), *call.json.unwrap())
    };
    let (args, json) = of("JSON_VALUE(j, '$.a' RETURNING INT NULL ON EMPTY DEFAULT 1 + 1 ON ERROR)");
    assert_eq!(args, 2);
    assert_eq!(json.returning.unwrap().to_string(), "INT");
    assert_eq!(json.on_empty, Some(JsonBehavior::Null));
    assert!(matches!(json.on_error, Some(JsonBehavior::Default(e)) if e.to_string() == "1 + 1"));
    let (_, json) = of("JSON_QUERY(j, '$' WITH ARRAY WRAPPER EMPTY ARRAY ON ERROR)");
    assert_eq!(
        (json.wrapper, json.on_error),
        (Some(JsonWrapper::Unconditional), Some(JsonBehavior::EmptyArray))
    );
    let (args, json) = of("JSON_OBJECT(KEY 'a' VALUE 1, 'b' : 2 ABSENT ON NULL)");
    assert_eq!((args, json.absent_on_null), (4, Some(true)));
    let test = kind("a IS NOT JSON ARRAY");
    let ExprKind::Is { test: IsTest::Json(JsonItem::Array), negated: true, .. } = test else {
        panic!("{test:?}")
    };
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
        let literal = kind(&format!("INTERVAL {literal}"));
        let ExprKind::Literal(Literal::Interval(interval)) = &literal else { panic!("{literal:?}") };
        assert_eq!(interval.value, expected, "{literal:?}");
    }
}

#[test]
fn time_units_of_timestamp_arithmetic() {
    let add = kind("TIMESTAMPADD(SQL_TSI_DAY, 1, t)");
    let ExprKind::TimestampArithmetic { difference: false, unit: TimeUnit::Day, args } = add else {
        panic!("{add:?}")
    };
    assert_eq!(args[1].to_string(), "t");
}

#[test]
fn hints_are_not_lost() {
    let query = parse_query(
        "SELECT /*+ BROADCAST(a, c.b), STATE_TTL('a' = '1d') */ *\nFROM t /*+ OPTIONS('k' = 'v', 'l'='w'), X */ AS a /* no hint */",
    )
    .unwrap();
    let hints = &select(&query).hints;
    assert_eq!(hints[0].name, "BROADCAST");
    assert_eq!(hints[0].args, [HintArg::Item("a".into()), HintArg::Item("c.b".into())]);
    assert_eq!(hints[1].options().collect::<Vec<_>>(), [("a", "1d")]);
    assert_eq!(hints[1].position.to_string(), "line 1, column 31");
    let hints = &table(&query).hints;
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
    let RelationKind::MatchRecognize(clause) = &relation(&query).kind else { panic!() };
    let MatchRecognize { within, define, subsets, after_match, pattern, .. } = &**clause;
    assert_eq!(within.as_ref().unwrap().to_string(), "INTERVAL '1' HOUR");
    assert_eq!((define.len(), subsets.len(), subsets[0].members.len()), (1, 2, 2));
    assert!(matches!(after_match, Some(AfterMatch::ToLast(variable)) if variable.value == "B"));
    fn show(pattern: &Pattern) -> String {
        let list =
            |patterns: &[Pattern], between: &str| patterns.iter().map(show).collect::<Vec<_>>().join(between);
        match pattern {
            Pattern::Variable(name) => name.value.clone(),
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
        show(pattern),
        "^ A[0,inf,lazy] (B[0,1]|C[2,3])[1,inf] D[0,4] E[0,1,lazy] (F[0,inf])[0,1] PERMUTE2 -I- $"
    );
}

#[test]
fn positions_are_those_of_the_script() {
    let script = "SELECT 1;\n-- comment\n  SELECT a,\n    f(x + 1) AS y, CASE WHEN b THEN 1 END, CAST(`c` AS INT), (x), - x = 1, 'x'\n  FROM c.t AS u";
    let statements = parse_script(script).unwrap();
    assert_eq!(statements[1].position.to_string(), "line 3, column 3");
    let Statement::Query(query) = &statements[1].statement else { panic!() };
    let positions: Vec<_> = select(query)
        .items
        .iter()
        .map(|item| match item {
            SelectItem::Expr { expr, .. } => (expr.position.line, expr.position.column),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(positions, [(3, 10), (4, 5), (4, 20), (4, 44), (4, 63), (4, 67), (4, 76)]);
    assert_eq!(relation(query).position.to_string(), "line 5, column 8");
}
