//! Results too large for one column are refused before they are built, whatever builds them, and succeed with
//! fewer rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use flott_batch::bytes::{in_parts, of_column};
use flott_expr::{EvalContext, compile};
use flott_types::{ErrorKind, Result};

use crate::support::{Table, expr, table};

/// Bytes of a column of more than one row.
const LIMIT: usize = 400;

fn long() -> Table {
    let row = |n: usize, letter: &str| {
        format!("{n}|{}|{letter},{letter}|{}\n", letter.repeat(30), n.is_multiple_of(2))
    };
    let rows = (1..=40).map(|n| row(n, if n.is_multiple_of(3) { "é" } else { "x" }));
    table(&format!("n INT|s STRING|t STRING|b BOOLEAN\n{}", rows.collect::<String>()))
}

/// The whole without a limit; what the whole says with one, and the parts of it.
fn three(table: &Table, sql: &str) -> Result<(ArrayRef, Result<ArrayRef>, Vec<ArrayRef>)> {
    let bound = expr(sql, &table.columns, &table.context)?;
    let types: Vec<_> = table.columns.iter().map(|(_, ty)| ty.clone()).collect();
    let compiled = |bytes: usize| {
        let context = EvalContext::new(&table.context, 1).with_batch_bytes(bytes);
        compile(&bound, &types, &Arc::new(context))
    };
    let limited = compiled(LIMIT)?;
    let mut parts = Vec::new();
    let part = |rows: std::ops::Range<usize>| limited.evaluate(&table.batch.slice(rows.start, rows.len()));
    in_parts(table.batch.num_rows(), part, |part| {
        parts.push(part);
        Ok(())
    })?;
    Ok((compiled(usize::MAX)?.evaluate(&table.batch)?, limited.evaluate(&table.batch), parts))
}

#[test]
fn every_builder_is_limited() {
    let table = long();
    let expressions = "
        REPEAT(s, n)
        s || s
        CONCAT(s, s, t)
        CONCAT_WS('-', s, t, s)
        LPAD(s, 80, 'ab')
        RPAD(s, 80, 'ab')
        OVERLAY(s, t, 2)
        REPLACE(s, 'x', 'yyy')
        REPLACE(s, t, s)
        TRANSLATE(s, 'x', 'y')
        REGEXP_REPLACE(s, 'x', 'yyy')
        REGEXP_EXTRACT(s, '(.*)', 1)
        REGEXP_EXTRACT_ALL(s, '(.)')
        UPPER(s || 'é')
        INITCAP(s)
        REVERSE(s)
        TRIM('BOTH', ' ', s)
        SUBSTRING(s, 2)
        LEFT(s, 20)
        SPLIT(s, '')
        SPLIT_INDEX(s, ',', 0)
        ELT(1, s, t)
        PRINTF('%s %s', s, s)
        TO_BASE64(s)
        FROM_BASE64(TO_BASE64(s))
        HEX(s)
        UNHEX(HEX(s))
        MD5(t)
        SHA2(t, 512)
        URL_ENCODE(s)
        ENCODE(s, 'UTF-8')
        DECODE(ENCODE(s, 'UTF-16'), 'UTF-16')
        CAST(s AS BINARY(100))
        CAST(n AS CHAR(100))
        CAST(ENCODE(s, 'UTF-8') AS STRING)
        CAST(ARRAY[s, t] AS STRING)
        CAST(ARRAY[n, n, n, n] AS ARRAY<STRING>)
        CAST(MAP[n, s] AS MAP<STRING, STRING>)
        TRY_CAST(ARRAY[n, n, n, n] AS ARRAY<STRING>)
        JSON_QUOTE(s)
        JSON_UNQUOTE(JSON_QUOTE(s))
        JSON_STRING(s)
        JSON_OBJECT('NULL', 'a', s)
        JSON_ARRAY('NULL', s, s)
        JSON_VALUE(JSON_OBJECT('NULL', 'a', s), '$.a', 'NULL', NULL, 'NULL', NULL)
        JSON_VALUE('{}', '$.a', 'DEFAULT', s, 'NULL', NULL)
        JSON_QUERY(JSON_ARRAY('NULL', s, s), '$', 'WITHOUT', 'NULL', 'NULL')
        JSON_QUERY(JSON_ARRAY('NULL', s, s), '$', 'WITHOUT', 'NULL', 'NULL', CAST(NULL AS ARRAY<STRING>))
        PARSE_JSON(JSON_QUOTE(s))
        STR_TO_MAP(s || '=' || s, ',', '=')
        ARRAY[s, t]
        ARRAY_APPEND(ARRAY[s], s)
        ARRAY_PREPEND(ARRAY[s], s)
        ARRAY_CONCAT(ARRAY[s], ARRAY[t, s])
        ARRAY_DISTINCT(ARRAY[s, t])
        ARRAY_UNION(ARRAY[s], ARRAY[t])
        ARRAY_REMOVE(ARRAY[s, t], t)
        ARRAY_REVERSE(ARRAY[s, t])
        ARRAY_SLICE(ARRAY[s, t], 1)
        ARRAY_SORT(ARRAY[s, t])
        ARRAY_JOIN(ARRAY[s, t], '-')
        ARRAY_MAX(ARRAY[s, t])
        ARRAY[s, t][1]
        ELEMENT(ARRAY[s])
        MAP[s, t]
        MAP_KEYS(MAP[s, t])
        MAP_VALUES(MAP[t, s])
        MAP_ENTRIES(MAP[t, s])
        MAP_FROM_ARRAYS(ARRAY[t], ARRAY[s])
        MAP_UNION(MAP[t, s], MAP[s, s])
        MAP[t, s][t]
        ROW(s, 'a long text that is the same for all')
        COALESCE(NULLIF(s, t), s || t)
        IFNULL(NULLIF(t, 'x,x'), s)
        GREATEST(s, t, s)
        CASE WHEN b THEN s ELSE 'a long text that is the same for all' END
        CASE WHEN b THEN s || t ELSE t || s END
        CASE WHEN 12 / n > 1 THEN s || t ELSE REPEAT(s, 2) END
        CASE WHEN 12 / n > 1 THEN s || t WHEN b THEN t || s ELSE s || 'a' END
        IF(b, s, s || s)
        UPPER(CAST(CURRENT_DATE AS STRING)) || 'a long text that is the same for all'
    ";
    let mut wrong = Vec::new();
    for sql in expressions.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (whole, refused, parts) = match three(&table, sql) {
            Ok(three) => three,
            Err(error) => {
                wrong.push(format!("{sql}: {error}"));
                continue;
            }
        };
        let kind = refused.err().map(|error| error.kind());
        if kind != Some(ErrorKind::TooLarge) {
            wrong.push(format!("{sql}: {} bytes are too large, and it says {kind:?}", of_column(&whole)));
        }
        let largest = parts.iter().filter(|part| part.len() > 1).map(|part| of_column(part)).max();
        if largest > Some(3 * LIMIT) {
            wrong.push(format!("{sql}: a part has {largest:?} bytes"));
        }
        let parts = concat(&parts.iter().map(|part| part.as_ref()).collect::<Vec<_>>()).unwrap();
        if parts != whole {
            wrong.push(format!("{sql}: the parts are not the whole"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Values that are wide only as intermediate results of a number or a truth value need no special treatment.
#[test]
fn numbers_come_whatever_is_on_their_way() {
    let table = long();
    for sql in [
        "CHAR_LENGTH(REPEAT(s, n))",
        "CARDINALITY(SPLIT(s, ''))",
        "REPEAT(s, n) LIKE '%x'",
        "POSITION(t, REPEAT(t, 100)) = 1 AND b",
        "CASE WHEN REPEAT(s, n) = s THEN 12 / n ELSE 0 END",
    ] {
        let (whole, limited, _) = three(&table, sql).expect(sql);
        assert_eq!(&limited.expect(sql), &whole, "{sql}");
    }
}

/// 2,500 MB in all, which no column of texts can hold.
#[test]
fn more_than_the_offsets_of_a_column_can_say() {
    let table = long();
    let rows = table.batch.slice(0, 25);
    let sql = format!("REPEAT(REPEAT('{}', n / n * 1000), 100)", "a".repeat(1_000));
    let bound = expr(&sql, &table.columns, &table.context).unwrap();
    let types: Vec<_> = table.columns.iter().map(|(_, ty)| ty.clone()).collect();
    let compiled = compile(&bound, &types, &Arc::new(EvalContext::new(&table.context, 1))).unwrap();
    let mut bytes = 0;
    let part = |part: std::ops::Range<usize>| compiled.evaluate(&rows.slice(part.start, part.len()));
    in_parts(rows.num_rows(), part, |part| {
        bytes += of_column(&part);
        Ok(())
    })
    .unwrap();
    assert_eq!(bytes, 25 * (100_000_000 + 4));
}
