//! Functions on arrays, maps and rows, answered as Flink answers.

use crate::support::{Table, one_row, table};

fn rows() -> Table {
    table(
        "
        id INT | s STRING
        1      | a
        2      | NULL
        NULL   | c
        ",
    )
}

#[test]
fn columns() {
    rows().check(
        "
        ARRAY[id, 5] -> ARRAY<INT> NOT NULL: [1, 5] [2, 5] [NULL, 5]
        ITEM(ARRAY[id, id], id) -> INT: 1 2 NULL
        ITEM(ARRAY[s, 'x'], 3) -> STRING: NULL NULL NULL
        MAP['k', id] -> MAP<CHAR(1) NOT NULL, INT> NOT NULL: {k=1} {k=2} {k=NULL}
        ITEM(MAP['k', id, 'l', 7], 'l') -> INT: 7 7 7
        ROW(id, s) -> ROW<`EXPR$0` INT, `EXPR$1` STRING> NOT NULL: (1, a) (2, NULL) (NULL, c)
        FIELD(ROW(id, s), 1) -> STRING: a NULL c
        ARRAY_APPEND(ARRAY[s], 'z') -> ARRAY<STRING> NOT NULL: [a, z] [NULL, z] [c, z]
        ARRAY_POSITION(ARRAY[3, 2, 1], id) -> INT: 3 2 NULL
        ARRAY_SORT(ARRAY[id, 0, 3]) -> ARRAY<INT> NOT NULL: [0, 1, 3] [0, 2, 3] [NULL, 0, 3]
        ARRAY_MAX(ARRAY[id, 0]) -> INT: 1 2 0
        ARRAY_SLICE(ARRAY[1, 2, 3], id) -> ARRAY<INT NOT NULL>: [1, 2, 3] [2, 3] NULL
        ARRAY_UNION(ARRAY[id], ARRAY[1]) -> ARRAY<INT> NOT NULL: [1] [2, 1] [NULL, 1]
        CARDINALITY(MAP_UNION(MAP['a', id], MAP['b', 1])) -> INT NOT NULL: 2 2 2
        MAP[s, id] -> error: NULL
        ",
    );
}

#[test]
fn sets() {
    one_row().check(
        "
        ARRAY_INTERSECT(ARRAY[1, 2, 2, 3], ARRAY[2, 3]) -> ARRAY<INT NOT NULL> NOT NULL: [2, 3]
        ARRAY_INTERSECT(ARRAY[1], ARRAY[2]) -> ARRAY<INT NOT NULL> NOT NULL: []
        ARRAY_INTERSECT(ARRAY[1, CAST(NULL AS INT)], ARRAY[CAST(NULL AS INT)]) -> ARRAY<INT> NOT NULL: [NULL]
        ARRAY_INTERSECT(CAST(NULL AS ARRAY<INT>), ARRAY[1]) -> ARRAY<INT>: NULL
        ARRAY_INTERSECT(ARRAY[3, 1, 2, 1], ARRAY[1, 2, 3]) -> ARRAY<INT NOT NULL> NOT NULL: [3, 1, 2]
        ARRAY_INTERSECT(ARRAY['a', 'b'], ARRAY['b']) -> ARRAY<CHAR(1) NOT NULL> NOT NULL: [b]
        ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3]) -> ARRAY<INT NOT NULL> NOT NULL: [1, 2, 3]
        ARRAY_UNION(ARRAY[1, 1], ARRAY[1]) -> ARRAY<INT NOT NULL> NOT NULL: [1]
        ARRAY_UNION(ARRAY[1, CAST(NULL AS INT)], ARRAY[CAST(NULL AS INT)]) -> ARRAY<INT> NOT NULL: [1, NULL]
        ARRAY_UNION(CAST(NULL AS ARRAY<INT>), ARRAY[1]) -> ARRAY<INT>: NULL
        ARRAY_UNION(ARRAY[1], CAST(NULL AS ARRAY<INT>)) -> ARRAY<INT>: NULL
        ARRAY_UNION(ARRAY['a'], ARRAY['b', 'a']) -> ARRAY<CHAR(1) NOT NULL> NOT NULL: [a, b]
        ARRAY_UNION(ARRAY[1], ARRAY[CAST(2 AS BIGINT)]) -> ARRAY<BIGINT NOT NULL> NOT NULL: [1, 2]
        ARRAY_REMOVE(ARRAY[1, 2, 1], 1) -> ARRAY<INT NOT NULL> NOT NULL: [2]
        ARRAY_REMOVE(ARRAY[1, 2], 5) -> ARRAY<INT NOT NULL> NOT NULL: [1, 2]
        ARRAY_REMOVE(ARRAY[1, CAST(NULL AS INT)], CAST(NULL AS INT)) -> ARRAY<INT> NOT NULL: [1]
        ARRAY_REMOVE(CAST(NULL AS ARRAY<INT>), 1) -> ARRAY<INT>: NULL
        ARRAY_REMOVE(ARRAY['a', 'b'], 'a') -> ARRAY<CHAR(1) NOT NULL> NOT NULL: [b]
        ARRAY_REMOVE(ARRAY[1], 1) -> ARRAY<INT NOT NULL> NOT NULL: []
        ARRAY_REMOVE(ARRAY[1, 2], CAST(NULL AS INT)) -> ARRAY<INT NOT NULL> NOT NULL: [1, 2]
        ARRAY_PREPEND(ARRAY[1, 2], 3) -> ARRAY<INT NOT NULL> NOT NULL: [3, 1, 2]
        ARRAY_PREPEND(ARRAY[1, 2], CAST(NULL AS INT)) -> ARRAY<INT>: [NULL, 1, 2]
        ARRAY_PREPEND(CAST(NULL AS ARRAY<INT>), 1) -> ARRAY<INT>: NULL
        ARRAY_PREPEND(ARRAY['a'], 'b') -> ARRAY<CHAR(1) NOT NULL> NOT NULL: [b, a]
        ",
    );
}

#[test]
fn order() {
    one_row().check(
        "
        ARRAY_SORT(ARRAY[3, 1, 2]) -> ARRAY<INT NOT NULL> NOT NULL: [1, 2, 3]
        ARRAY_SORT(ARRAY[3, CAST(NULL AS INT), 1]) -> ARRAY<INT> NOT NULL: [NULL, 1, 3]
        ARRAY_SORT(ARRAY[3, CAST(NULL AS INT), 1], TRUE) -> ARRAY<INT> NOT NULL: [NULL, 1, 3]
        ARRAY_SORT(ARRAY[3, CAST(NULL AS INT), 1], FALSE) -> ARRAY<INT> NOT NULL: [3, 1, NULL]
        ARRAY_SORT(ARRAY[3, CAST(NULL AS INT), 1], TRUE, FALSE) -> ARRAY<INT> NOT NULL: [1, 3, NULL]
        ARRAY_SORT(ARRAY[3, CAST(NULL AS INT), 1], FALSE, TRUE) -> ARRAY<INT> NOT NULL: [NULL, 3, 1]
        ARRAY_SORT(CAST(NULL AS ARRAY<INT>)) -> ARRAY<INT>: NULL
        ARRAY_SORT(ARRAY['b', 'A', 'a', '']) -> ARRAY<VARCHAR(1) NOT NULL> NOT NULL: [, A, a, b]
        ARRAY_SORT(ARRAY[DATE '2020-02-01', DATE '2020-01-01']) -> ARRAY<DATE NOT NULL> NOT NULL: [2020-01-01, 2020-02-01]
        ARRAY_SORT(ARRAY[3, 1], CAST(NULL AS BOOLEAN)) -> ARRAY<INT NOT NULL>: NULL
        ARRAY_SORT(ARRAY[1.5, -2.25]) -> ARRAY<DECIMAL(3, 2) NOT NULL> NOT NULL: [-2.25, 1.50]
        ARRAY_MIN(ARRAY[1, 3, 2]) -> INT: 1
        ARRAY_MIN(ARRAY[1, CAST(NULL AS INT)]) -> INT: 1
        ARRAY_MIN(ARRAY[CAST(NULL AS INT)]) -> INT: NULL
        ARRAY_MIN(CAST(NULL AS ARRAY<INT>)) -> INT: NULL
        ARRAY_MIN(ARRAY['a', 'b', 'B']) -> CHAR(1): B
        ARRAY_MIN(ARRAY[TIMESTAMP '2020-01-01 00:00:00', TIMESTAMP '2019-01-01 00:00:00']) -> TIMESTAMP(0): 2019-01-01 00:00:00
        ARRAY_MIN(ARRAY[-0.5, -1.5]) -> DECIMAL(2, 1): -1.5
        ARRAY_SLICE(ARRAY[1, 2, 3, 4], 2, 3) -> ARRAY<INT NOT NULL> NOT NULL: [2, 3]
        ARRAY_SLICE(ARRAY[1, 2, 3, 4], 2) -> ARRAY<INT NOT NULL> NOT NULL: [2, 3, 4]
        ARRAY_SLICE(ARRAY[1, 2, 3, 4], -2) -> ARRAY<INT NOT NULL> NOT NULL: [3, 4]
        ARRAY_SLICE(ARRAY[1, 2, 3, 4], 0, 2) -> ARRAY<INT NOT NULL> NOT NULL: [1, 2]
        ARRAY_SLICE(ARRAY[1, 2, 3, 4], 3, 2) -> ARRAY<INT NOT NULL> NOT NULL: []
        ARRAY_SLICE(ARRAY[1, 2, 3, 4], -3, -2) -> ARRAY<INT NOT NULL> NOT NULL: [2, 3]
        ARRAY_SLICE(ARRAY[1, 2, 3, 4], 10, 20) -> ARRAY<INT NOT NULL> NOT NULL: []
        ARRAY_SLICE(ARRAY[1, 2, 3, 4], 1, 100) -> ARRAY<INT NOT NULL> NOT NULL: [1, 2, 3, 4]
        ARRAY_SLICE(CAST(NULL AS ARRAY<INT>), 1, 2) -> ARRAY<INT>: NULL
        ARRAY_SLICE(ARRAY[1, 2], CAST(NULL AS INT), 2) -> ARRAY<INT NOT NULL>: NULL
        ARRAY_SLICE(ARRAY[1, 2, 3, 4], -100, 2) -> ARRAY<INT NOT NULL> NOT NULL: [1, 2]
        ARRAY_SLICE(ARRAY['a', 'b'], 2, 2) -> ARRAY<CHAR(1) NOT NULL> NOT NULL: [b]
        ARRAY_REVERSE(ARRAY[1, 2, 3]) -> ARRAY<INT NOT NULL> NOT NULL: [3, 2, 1]
        ARRAY_REVERSE(ARRAY[1, CAST(NULL AS INT)]) -> ARRAY<INT> NOT NULL: [NULL, 1]
        ARRAY_REVERSE(CAST(NULL AS ARRAY<INT>)) -> ARRAY<INT>: NULL
        ARRAY_REVERSE(ARRAY['a', 'b']) -> ARRAY<CHAR(1) NOT NULL> NOT NULL: [b, a]
        ARRAY_REVERSE(ARRAY[ARRAY[1, 2], ARRAY[3]]) -> ARRAY<ARRAY<INT NOT NULL> NOT NULL> NOT NULL: [[3], [1, 2]]
        ",
    );
}

#[test]
fn search() {
    one_row().check(
        "
        ARRAY_CONTAINS(ARRAY[1, 2, 3], 2) -> BOOLEAN NOT NULL: TRUE
        ARRAY_CONTAINS(ARRAY[1, 2, 3], 5) -> BOOLEAN NOT NULL: FALSE
        ARRAY_CONTAINS(ARRAY[1, CAST(NULL AS INT)], CAST(NULL AS INT)) -> BOOLEAN NOT NULL: TRUE
        ARRAY_CONTAINS(ARRAY[1], CAST(NULL AS INT)) -> BOOLEAN NOT NULL: FALSE
        ARRAY_CONTAINS(CAST(NULL AS ARRAY<INT>), 1) -> BOOLEAN: NULL
        ARRAY_CONTAINS(ARRAY['a', 'b'], 'a') -> BOOLEAN NOT NULL: TRUE
        ARRAY_CONTAINS(ARRAY[ARRAY[1], ARRAY[2]], ARRAY[2]) -> BOOLEAN NOT NULL: TRUE
        ARRAY_CONTAINS(ARRAY[(1, 'a')], (1, 'a')) -> BOOLEAN NOT NULL: TRUE
        ARRAY_POSITION(ARRAY[1, 2, 3], 2) -> INT NOT NULL: 2
        ARRAY_POSITION(ARRAY[1, 2, 3], 5) -> INT NOT NULL: 0
        ARRAY_POSITION(ARRAY[1, 2, 1], 1) -> INT NOT NULL: 1
        ARRAY_POSITION(ARRAY[1, CAST(NULL AS INT)], CAST(NULL AS INT)) -> INT: NULL
        ARRAY_POSITION(CAST(NULL AS ARRAY<INT>), 1) -> INT: NULL
        ARRAY_POSITION(ARRAY['a', 'b'], 'b') -> INT NOT NULL: 2
        ARRAY_POSITION(ARRAY[ARRAY[1], ARRAY[2]], ARRAY[2]) -> INT NOT NULL: 2
        ",
    );
}

#[test]
fn maps() {
    one_row().check(
        "
        MAP['a', 1] -> MAP<CHAR(1) NOT NULL, INT NOT NULL> NOT NULL: {a=1}
        MAP[1, 'x'] -> MAP<INT NOT NULL, CHAR(1) NOT NULL> NOT NULL: {1=x}
        MAP['a', CAST(NULL AS INT)] -> MAP<CHAR(1) NOT NULL, INT> NOT NULL: {a=NULL}
        MAP['k', MAP['j', 1]] -> MAP<CHAR(1) NOT NULL, MAP<CHAR(1) NOT NULL, INT NOT NULL> NOT NULL> NOT NULL: {k={j=1}}
        TYPEOF(MAP['a', 1]) -> STRING: MAP<CHAR(1) NOT NULL, INT NOT NULL> NOT NULL
        MAP['a', 1, 'a', 2] -> MAP<CHAR(1) NOT NULL, INT NOT NULL> NOT NULL: {a=2}
        MAP[DATE '2020-01-01', TRUE] -> MAP<DATE NOT NULL, BOOLEAN NOT NULL> NOT NULL: {2020-01-01=TRUE}
        MAP['a', 1.5, 'b', 2]['b'] -> DECIMAL(11, 1): 2.0
        TYPEOF(MAP['a', 1, 'bb', 2.5]) -> STRING: MAP<VARCHAR(2) NOT NULL, DECIMAL(11, 1) NOT NULL> NOT NULL
        MAP['a', 1, 'b', 2]['a'] -> INT: 1
        MAP['a', 1, 'b', 2]['x'] -> INT: -1
        MAP[1, 'one', 2, 'two'][2] -> CHAR(3): two
        MAP['a', CAST(NULL AS INT)]['a'] -> INT: NULL
        CAST(NULL AS MAP<STRING, INT>)['a'] -> INT: NULL
        MAP['a', MAP['b', 7]]['a']['b'] -> INT: 7
        MAP['a', 1]['A'] -> INT: -1
        MAP['a', ARRAY[1, 2]]['a'][2] -> INT: 2
        MAP[1, 'x'][CAST(NULL AS INT)] -> CHAR(1): NULL
        MAP_KEYS(MAP['a', 1]) -> ARRAY<CHAR(1) NOT NULL> NOT NULL: [a]
        MAP_KEYS(CAST(NULL AS MAP<STRING, INT>)) -> ARRAY<STRING>: NULL
        ARRAY_SORT(MAP_KEYS(MAP['b', 1, 'a', 2])) -> ARRAY<CHAR(1) NOT NULL> NOT NULL: [a, b]
        MAP_KEYS(MAP[1, 'x']) -> ARRAY<INT NOT NULL> NOT NULL: [1]
        MAP_VALUES(MAP['a', 1]) -> ARRAY<INT NOT NULL> NOT NULL: [1]
        MAP_VALUES(CAST(NULL AS MAP<STRING, INT>)) -> ARRAY<INT>: NULL
        ARRAY_SORT(MAP_VALUES(MAP['b', 1, 'a', 2])) -> ARRAY<INT NOT NULL> NOT NULL: [1, 2]
        MAP_VALUES(MAP['a', CAST(NULL AS INT)]) -> ARRAY<INT> NOT NULL: [NULL]
        MAP_UNION(MAP['a', 1], MAP['a', 2]) -> MAP<CHAR(1) NOT NULL, INT NOT NULL> NOT NULL: {a=2}
        MAP_UNION(MAP['a', 1]) -> MAP<CHAR(1) NOT NULL, INT NOT NULL> NOT NULL: {a=1}
        MAP_UNION(MAP['a', 1], CAST(NULL AS MAP<STRING, INT>)) -> MAP<STRING, INT>: NULL
        MAP_UNION(MAP['a', 1], MAP['a', 2], MAP['a', 3]) -> MAP<CHAR(1) NOT NULL, INT NOT NULL> NOT NULL: {a=3}
        MAP_UNION(MAP['a', 1], MAP['a', CAST(2 AS BIGINT)]) -> MAP<CHAR(1) NOT NULL, BIGINT NOT NULL> NOT NULL: {a=2}
        ",
    );
}

#[test]
fn row_constructor() {
    one_row().check(
        "
        ROW(1, 'a') -> ROW<`EXPR$0` INT NOT NULL, `EXPR$1` CHAR(1) NOT NULL> NOT NULL: (1, a)
        (1, 'a') -> ROW<`EXPR$0` INT NOT NULL, `EXPR$1` CHAR(1) NOT NULL> NOT NULL: (1, a)
        ROW(1) -> ROW<`EXPR$0` INT NOT NULL> NOT NULL: (1)
        ROW(1, ROW(2, 3)) -> ROW<`EXPR$0` INT NOT NULL, `EXPR$1` ROW<`EXPR$0` INT NOT NULL, `EXPR$1` INT NOT NULL> NOT NULL> NOT NULL: (1, (2, 3))
        ROW(CAST(NULL AS INT), 'x') -> ROW<`EXPR$0` INT, `EXPR$1` CHAR(1) NOT NULL> NOT NULL: (NULL, x)
        (1, CAST(NULL AS STRING)) -> ROW<`EXPR$0` INT NOT NULL, `EXPR$1` STRING> NOT NULL: (1, NULL)
        TYPEOF(ROW(1, 'a')) -> STRING: ROW<`EXPR$0` INT NOT NULL, `EXPR$1` CHAR(1) NOT NULL> NOT NULL
        ROW(1.5, 2e0, TRUE) -> ROW<`EXPR$0` DECIMAL(2, 1) NOT NULL, `EXPR$1` DOUBLE NOT NULL, `EXPR$2` BOOLEAN NOT NULL> NOT NULL: (1.5, 2.0, TRUE)
        ROW('a b', 'c,d') -> ROW<`EXPR$0` CHAR(3) NOT NULL, `EXPR$1` CHAR(3) NOT NULL> NOT NULL: (a b, c,d)
        ROW(DATE '2020-01-01', ARRAY[1]) -> ROW<`EXPR$0` DATE NOT NULL, `EXPR$1` ARRAY<INT NOT NULL> NOT NULL> NOT NULL: (2020-01-01, [1])
        ",
    );
}

#[test]
fn others_and_mistakes() {
    one_row().check(
        "
        ARRAY_APPEND(ARRAY[1], CAST(2 AS BIGINT)) -> error: ARRAY_APPEND(array <ARRAY>, element <ARRAY ELEMENT>)
        ARRAY_CONTAINS(ARRAY[1], 'a') -> error: ARRAY_CONTAINS(haystack <ARRAY>, needle <ARRAY ELEMENT>)
        ARRAY_SORT(ARRAY[TRUE, FALSE]) -> error: ARRAY_SORT(<ARRAY<COMPARABLE>>)
        MAP_KEYS(ARRAY[1]) -> error: MAP_KEYS(input <MAP>)
        ITEM(MAP['a', 1], DATE '2020-01-01') -> error: Cannot apply 'ITEM'
        ITEM(ARRAY[1], 0) -> error: Array element access needs an index starting at 1 but was 0
        ELEMENT(ARRAY[1, 2]) -> error: Array has more than one element
        MAP_FROM_ARRAYS(ARRAY[1], ARRAY[1, 2]) -> error: The length of the keys array 1
        FIELD(ROW(1, 'a'), 1) -> CHAR(1) NOT NULL: a
        ARRAY_JOIN(ARRAY['a', CAST(NULL AS STRING), 'b'], '-') -> STRING NOT NULL: a-b
        ARRAY_JOIN(ARRAY['a', CAST(NULL AS STRING), 'b'], '-', '?') -> STRING NOT NULL: a-?-b
        ARRAY_EXCEPT(ARRAY[1, 1, 2, 3], ARRAY[2]) -> ARRAY<INT NOT NULL> NOT NULL: [1, 3]
        ARRAY_CONCAT(ARRAY[1], ARRAY[2], ARRAY[CAST(NULL AS INT)]) -> ARRAY<INT> NOT NULL: [1, 2, NULL]
        ARRAY_DISTINCT(ARRAY[1, 2, 1]) -> ARRAY<INT NOT NULL> NOT NULL: [1, 2]
        CARDINALITY(MAP['a', 1, 'b', 2]) -> INT NOT NULL: 2
        MAP_ENTRIES(MAP['a', 1]) -> ARRAY<ROW<`key` CHAR(1) NOT NULL, `value` INT NOT NULL>> NOT NULL: [(a, 1)]
        MAP_FROM_ARRAYS(ARRAY['a'], ARRAY[1]) -> MAP<CHAR(1) NOT NULL, INT NOT NULL> NOT NULL: {a=1}
        ARRAY[] -> error: Require at least 1 argument
        ",
    );
}
