//! What the planner makes of conditions as a whole: the order of inner joins, and alternatives that have something in common.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn relations_are_joined_when_an_equality_ties_them_to_what_is_there() {
    check(
        plan("SELECT t.b, u.x, v.y FROM t, u, u AS v WHERE v.a = t.a AND u.x = v.x AND u.y > t.c"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b, x, y])
            +- Calc(select=[b, x$1 AS x, y])
               +- Join(joinType=[InnerJoin], where=[(x = x$1) AND (y$1 > CAST(c AS DECIMAL(19, 0)))], select=[b, c, x, y, x$1, y$1])
                  +- Exchange(distribution=[hash[x]])
                     +- Calc(select=[b, c, x, y])
                        +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, b, c, a$1, x, y])
                           +- Exchange(distribution=[hash[a]])
                              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                           +- Exchange(distribution=[hash[a]])
                              +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x, y])
                  +- Exchange(distribution=[hash[x]])
                     +- Calc(select=[x, y])
                        +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x, y])
        "#]],
    );
}

#[test]
fn a_cross_product_that_no_order_avoids_stays_where_it_is_written() {
    check(
        plan("SELECT t.b FROM t, u, t AS s, u AS v WHERE s.a = t.a AND u.x = v.x AND u.y + t.c > 5"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b])
               +- Join(joinType=[InnerJoin], where=[(x = x$1)], select=[b, x, x$1])
                  +- Exchange(distribution=[hash[x]])
                     +- Calc(select=[b, x])
                        +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, b, x, a$1])
                           +- Exchange(distribution=[hash[a]])
                              +- Calc(select=[a, b, x])
                                 +- Join(joinType=[InnerJoin], where=[((y + CAST(c AS DECIMAL(19, 0))) > 5:DECIMAL(10, 0))], select=[a, b, c, x, y])
                                    +- Exchange(distribution=[single])
                                       +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                                    +- Exchange(distribution=[single])
                                       +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[x, y])
                           +- Exchange(distribution=[hash[a]])
                              +- Calc(select=[a])
                                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                  +- Exchange(distribution=[hash[x]])
                     +- Calc(select=[x])
                        +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[x, y])
        "#]],
    );
}

#[test]
fn an_order_without_cross_products_stays() {
    check(
        plan("SELECT t.b FROM u, t, u AS v WHERE u.a = t.a AND u.x = v.x AND t.b = v.x"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b])
               +- Join(joinType=[InnerJoin], where=[(x = x$1) AND (b = x$1)], select=[x, b, x$1])
                  +- Exchange(distribution=[hash[x, b]])
                     +- Calc(select=[x, b])
                        +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, x, a$1, b])
                           +- Exchange(distribution=[hash[a]])
                              +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
                           +- Exchange(distribution=[hash[a]])
                              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
                  +- Exchange(distribution=[hash[x, x]])
                     +- Calc(select=[x])
                        +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
        "#]],
    );
}

#[test]
fn what_all_alternatives_ask_is_a_key() {
    check(
        plan(
            "SELECT t.b FROM t, u WHERE (t.a = u.a AND t.b = 'x' AND u.x = 'y') OR (t.b = 'y' AND u.x = 'x' AND t.a = u.a)",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b])
               +- Join(joinType=[InnerJoin], where=[(a = a$1) AND (((b = 'x') AND (x = 'y')) OR ((b = 'y') AND (x = 'x')))], select=[a, b, a$1, x])
                  +- Exchange(distribution=[hash[a]])
                     +- Calc(select=[a, b], where=[((b = 'x') OR (b = 'y'))])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
                  +- Exchange(distribution=[hash[a]])
                     +- Calc(select=[a, x], where=[((x = 'y') OR (x = 'x'))])
                        +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
        "#]],
    );
    check(
        plan("SELECT b FROM t WHERE a = 1 OR (a = 1 AND b = 'x')"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b])
        +- Calc(select=[b], where=[(a = 1)])
           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
    "#]],
    );
}

#[test]
fn what_is_random_is_not_taken_out_of_alternatives() {
    check(
        plan("SELECT b FROM t WHERE (RAND() > 0.5 AND a = 1) OR (RAND() > 0.5 AND a = 2)"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b], where=[(((RAND() > 5:DECIMAL(2, 1)) AND (a = 1)) OR ((RAND() > 5:DECIMAL(2, 1)) AND (a = 2)))])
               +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
        "#]],
    );
}

#[test]
fn what_all_alternatives_ask_ties_a_subquery_to_the_query_around() {
    check(
        plan(
            "SELECT b FROM t WHERE (SELECT COUNT(*) FROM u WHERE (u.a = t.a AND u.x = 'x') OR (u.a = t.a AND u.y > 5)) > 0",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b], where=[(COALESCE(EXPR$0, 0:BIGINT) > 0:BIGINT)])
               +- Join(joinType=[LeftOuterJoin], where=[(a = $k0)], select=[a, b, $k0, EXPR$0])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
                  +- Exchange(distribution=[hash[$k0]])
                     +- GroupAggregate(groupBy=[$k0], select=[$k0, COUNT(*) AS EXPR$0])
                        +- Exchange(distribution=[hash[$k0]])
                           +- Calc(select=[a AS $k0], where=[((x = 'x') OR (y > 5:DECIMAL(10, 0)))])
                              +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x, y])
        "#]],
    );
}

#[test]
fn in_a_batch_query_relations_with_a_filter_come_first() {
    let mut shell = Shell::with_tables();
    assert_eq!(shell.run("SET 'execution.runtime-mode' = 'BATCH'"), "");
    check(
        shell.plan("SELECT t.c FROM t, u, t AS s WHERE t.a = u.a AND t.c = s.c AND s.b = 'x'"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[c])
            +- Calc(select=[c])
               +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, c, a$1])
                  +- Exchange(distribution=[hash[a]])
                     +- Calc(select=[a, c])
                        +- Join(joinType=[InnerJoin], where=[(c = c$1)], select=[a, c, c$1])
                           +- Exchange(distribution=[hash[c]])
                              +- Calc(select=[a, c])
                                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                           +- Exchange(distribution=[hash[c]])
                              +- Calc(select=[c], where=[(b = 'x')])
                                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
        "#]],
    );
}
