//! Functions on text, answered as Flink answers.

use crate::support::{Table, one_row, table};

fn rows() -> Table {
    table(
        "
        id INT | s STRING | t STRING | n INT
        1 | Hello World | o | 3
        3 | NULL | x | 1
        4 | héllo wörld ñ | ö | -2
        5 | 日本語テキスト | 語 | 2
        6 | a😀b😀c | 😀 | 5
        9 | ABCabc123 | abc | NULL
        10 | x | NULL | 1
        11 | aXbXcXd | X | -1
        ",
    )
}

#[test]
fn columns() {
    rows().check(
        "
        CONCAT(s, t) -> STRING: Hello Worldo NULL héllo wörld ñö 日本語テキスト語 a😀b😀c😀 ABCabc123abc NULL aXbXcXdX
        CONCAT(s, '-', t) -> STRING: Hello World-o NULL héllo wörld ñ-ö 日本語テキスト-語 a😀b😀c-😀 ABCabc123-abc NULL aXbXcXd-X
        CONCAT_WS('~', s, t) -> STRING: Hello World~o x héllo wörld ñ~ö 日本語テキスト~語 a😀b😀c~😀 ABCabc123~abc x aXbXcXd~X
        CONCAT_WS(t, s, 'z') -> STRING: Hello Worldoz z héllo wörld ñöz 日本語テキスト語z a😀b😀c😀z ABCabc123abcz NULL aXbXcXdXz
        CONCAT(s, CAST(n AS STRING)) -> STRING: Hello World3 NULL héllo wörld ñ-2 日本語テキスト2 a😀b😀c5 NULL x1 aXbXcXd-1
        CONCAT(s) -> STRING: Hello World NULL héllo wörld ñ 日本語テキスト a😀b😀c ABCabc123 x aXbXcXd
        CONCAT_WS(',', s, t, CAST(n AS STRING)) -> STRING: Hello World,o,3 x,1 héllo wörld ñ,ö,-2 日本語テキスト,語,2 a😀b😀c,😀,5 ABCabc123,abc x,1 aXbXcXd,X,-1
        s || t -> STRING: Hello Worldo NULL héllo wörld ñö 日本語テキスト語 a😀b😀c😀 ABCabc123abc NULL aXbXcXdX
        s || '-' || t -> STRING: Hello World-o NULL héllo wörld ñ-ö 日本語テキスト-語 a😀b😀c-😀 ABCabc123-abc NULL aXbXcXd-X
        '' || s -> STRING: Hello World NULL héllo wörld ñ 日本語テキスト a😀b😀c ABCabc123 x aXbXcXd
        ELT(n, s, t) -> STRING: NULL NULL NULL 語 NULL NULL x NULL
        ELT(n, 'one', 'two', 'three') -> VARCHAR(5): three one NULL two NULL NULL one NULL
        ELT(1, s, t) -> STRING: Hello World NULL héllo wörld ñ 日本語テキスト a😀b😀c ABCabc123 x aXbXcXd
        JSON_UNQUOTE(JSON_QUOTE(s)) -> STRING: Hello World NULL héllo wörld ñ 日本語テキスト aὠ0?bὠ0?c ABCabc123 x aXbXcXd
        JSON_UNQUOTE(s) -> STRING: Hello World NULL héllo wörld ñ 日本語テキスト a😀b😀c ABCabc123 x aXbXcXd
        LEFT(s, 3) -> STRING: Hel NULL hél 日本語 a😀b ABC x aXb
        RIGHT(s, 3) -> STRING: rld NULL d ñ キスト b😀c 123 x cXd
        INSTR(s, t) -> INT: 5 NULL 8 3 2 4 NULL 2
        INSTR(s, 'b') -> INT: 0 NULL 0 0 3 5 0 3
        LOCATE(t, s) -> INT: 5 NULL 8 3 2 4 NULL 2
        LOCATE(t, s, 2) -> INT: 5 NULL 8 3 2 4 NULL 2
        LOCATE('b', s, n) -> INT: 0 NULL 0 0 0 NULL 0 3
        LOCATE('', s) -> INT: 1 NULL 1 1 1 1 1 1
        POSITION(t, s) -> INT: 5 NULL 8 3 2 4 NULL 2
        POSITION('b', s) -> INT: 0 NULL 0 0 3 5 0 3
        POSITION(s, s) -> INT: 1 NULL 1 1 1 1 1 1
        POSITION('', s) -> INT: 1 NULL 1 1 1 1 1 1
        REGEXP_COUNT(s, '[a-z]') -> INT: 8 NULL 8 0 3 3 1 4
        REGEXP_EXTRACT(s, '([a-z]+)', 1) -> STRING: ello NULL h NULL a abc x a
        REGEXP_EXTRACT_ALL(s, '([A-Z])') -> ARRAY<STRING>: [H, W] NULL [] [] [] [A, B, C] [] [X, X, X]
        REGEXP_INSTR(s, '[A-Z]') -> INT: 1 NULL 0 0 0 1 0 2
        REGEXP_SUBSTR(s, '[^ ]+') -> STRING: Hello NULL héllo 日本語テキスト a😀b😀c ABCabc123 x aXbXcXd
        REGEXP(s, '^[A-Za-z]+$') -> BOOLEAN: FALSE NULL FALSE FALSE FALSE FALSE TRUE TRUE
        REGEXP_EXTRACT(s, '(.)(.)', 2) -> STRING: e NULL é 本 😀 B NULL X
        REGEXP_REPLACE(s, '[aeiou]', '*') -> STRING: H*ll* W*rld NULL héll* wörld ñ 日本語テキスト *😀b😀c ABC*bc123 x *XbXcXd
        REGEXP_REPLACE(s, '^', '>') -> STRING: >Hello World NULL >héllo wörld ñ >日本語テキスト >a😀b😀c >ABCabc123 >x >aXbXcXd
        SPLIT_INDEX(s, ' ', 0) -> STRING: Hello NULL héllo 日本語テキスト a😀b😀c ABCabc123 x aXbXcXd
        SPLIT_INDEX(s, 'X', n) -> STRING: NULL NULL NULL NULL NULL NULL NULL NULL
        SPLIT_INDEX(s, 'b', 1) -> STRING: NULL NULL NULL NULL 😀c c123 NULL XcXd
        STARTSWITH(s, t) -> BOOLEAN: FALSE NULL FALSE FALSE FALSE FALSE NULL FALSE
        ENDSWITH(s, t) -> BOOLEAN: FALSE NULL FALSE FALSE FALSE FALSE NULL FALSE
        STARTSWITH(s, s) -> BOOLEAN: TRUE NULL TRUE TRUE TRUE TRUE TRUE TRUE
        ENDSWITH(s, '') -> BOOLEAN: TRUE NULL TRUE TRUE TRUE TRUE TRUE TRUE
        STARTSWITH(s, 'a') -> BOOLEAN: FALSE NULL FALSE FALSE TRUE FALSE FALSE TRUE
        ENDSWITH(s, 'c') -> BOOLEAN: FALSE NULL FALSE FALSE TRUE FALSE FALSE FALSE
        SUBSTRING(s, 0, 2) -> STRING: He NULL hé 日本 a😀 AB x aX
        SPLIT(s, ' ') -> ARRAY<STRING>: [Hello, World] NULL [héllo, wörld, ñ] [日本語テキスト] [a😀b😀c] [ABCabc123] [x] [aXbXcXd]
        SPLIT(s, t) -> ARRAY<STRING>: [Hell,  W, rld] NULL [héllo w, rld ñ] [日本, テキスト] [a, b, c] [ABC, 123] NULL [a, b, c, d]
        SPLIT(s, 'b') -> ARRAY<STRING>: [Hello World] NULL [héllo wörld ñ] [日本語テキスト] [a😀, 😀c] [ABCa, c123] [x] [aX, XcXd]
        SPLIT(t, '') -> ARRAY<STRING>: [o] [x] [ö] [語] [?, ?] [a, b, c] NULL [X]
        ",
    );
}

#[test]
fn characters() {
    one_row().check(
        "
        ASCII('abc') -> INT NOT NULL: 97
        ASCII('') -> INT NOT NULL: 0
        ASCII(CAST(NULL AS STRING)) -> INT: NULL
        ASCII('é') -> INT NOT NULL: -61
        ASCII('日') -> INT NOT NULL: -26
        ASCII(' ') -> INT NOT NULL: 32
        ASCII('😀') -> INT NOT NULL: -16
        CHAR_LENGTH('hello') -> INT NOT NULL: 5
        CHARACTER_LENGTH('hello') -> INT NOT NULL: 5
        CHAR_LENGTH('') -> INT NOT NULL: 0
        CHAR_LENGTH('日本') -> INT NOT NULL: 2
        CHAR_LENGTH('😀') -> INT NOT NULL: 1
        CHAR_LENGTH(CAST(NULL AS STRING)) -> INT: NULL
        CHAR_LENGTH(CAST('a' AS CHAR(5))) -> INT NOT NULL: 5
        CHAR_LENGTH('a b ') -> INT NOT NULL: 4
        LEFT('hello', 2) -> VARCHAR(5): he
        LEFT('hello', 100) -> VARCHAR(5): hello
        LEFT(CAST(NULL AS STRING), 1) -> STRING: NULL
        LEFT('a', CAST(NULL AS INT)) -> VARCHAR(1): NULL
        LEFT('日本', 1) -> VARCHAR(2): 日
        INET_ATON('127.0.0.1') -> BIGINT: 2130706433
        INET_ATON('127.1') -> BIGINT: 2130706433
        INET_ATON('1.2.3') -> BIGINT: 16908291
        INET_ATON('255.255.255.255') -> BIGINT: 4294967295
        INET_ATON('0.0.0.0') -> BIGINT: 0
        INET_ATON('256.0.0.1') -> BIGINT: NULL
        INET_ATON('a.b') -> BIGINT: NULL
        INET_ATON('') -> BIGINT: NULL
        INET_ATON(CAST(NULL AS STRING)) -> BIGINT: NULL
        INET_ATON('010.001.000.01') -> BIGINT: 167837697
        INET_ATON('5') -> BIGINT: 5
        INET_ATON('1.2.3.4.5') -> BIGINT: NULL
        INET_NTOA(2130706433) -> STRING: 127.0.0.1
        INET_NTOA(0) -> STRING: 0.0.0.0
        INET_NTOA(4294967295) -> STRING: 255.255.255.255
        INET_NTOA(4294967296) -> STRING: NULL
        INET_NTOA(-1) -> STRING: NULL
        INET_NTOA(CAST(NULL AS BIGINT)) -> STRING: NULL
        INET_NTOA(CAST(1 AS TINYINT)) -> STRING: 0.0.0.1
        ",
    );
}

#[test]
fn searching() {
    one_row().check(
        "
        INSTR('hello', 'l') -> INT NOT NULL: 3
        INSTR('hello', 'x') -> INT NOT NULL: 0
        INSTR('hello', '') -> INT NOT NULL: 1
        INSTR('', 'a') -> INT NOT NULL: 0
        INSTR(CAST(NULL AS STRING), 'a') -> INT: NULL
        INSTR('a', CAST(NULL AS STRING)) -> INT: NULL
        INSTR('日本', '本') -> INT NOT NULL: 2
        INSTR('Corporate Floor', 'or', 3) -> INT NOT NULL: 5
        INSTR('Corporate Floor', 'or', 3, 2) -> INT NOT NULL: 14
        INSTR('Corporate Floor', 'or', -3, 2) -> INT NOT NULL: 2
        LOCATE('l', 'hello') -> INT NOT NULL: 3
        LOCATE('l', 'hello', 4) -> INT NOT NULL: 4
        LOCATE('x', 'hello') -> INT NOT NULL: 0
        LOCATE('', 'hello') -> INT NOT NULL: 1
        LOCATE('l', 'hello', 0) -> INT NOT NULL: 3
        LOCATE('l', 'hello', -1) -> INT NOT NULL: 3
        LOCATE('l', 'hello', 100) -> INT NOT NULL: 0
        LOCATE(CAST(NULL AS STRING), 'a') -> INT: NULL
        LOCATE('a', CAST(NULL AS STRING)) -> INT: NULL
        LOCATE('本', '日本') -> INT NOT NULL: 2
        STARTSWITH('hello', 'he') -> BOOLEAN NOT NULL: TRUE
        STARTSWITH('hello', 'lo') -> BOOLEAN NOT NULL: FALSE
        STARTSWITH('hello', '') -> BOOLEAN NOT NULL: TRUE
        STARTSWITH('', 'a') -> BOOLEAN NOT NULL: FALSE
        STARTSWITH(CAST(NULL AS STRING), 'a') -> BOOLEAN: NULL
        STARTSWITH('a', CAST(NULL AS STRING)) -> BOOLEAN: NULL
        STARTSWITH(X'0102', X'01') -> BOOLEAN NOT NULL: TRUE
        STARTSWITH(X'0102', X'') -> BOOLEAN NOT NULL: TRUE
        STARTSWITH('日本', '日') -> BOOLEAN NOT NULL: TRUE
        ENDSWITH('hello', 'lo') -> BOOLEAN NOT NULL: TRUE
        ENDSWITH('hello', 'he') -> BOOLEAN NOT NULL: FALSE
        ENDSWITH('hello', '') -> BOOLEAN NOT NULL: TRUE
        ENDSWITH('', 'a') -> BOOLEAN NOT NULL: FALSE
        ENDSWITH(CAST(NULL AS STRING), 'a') -> BOOLEAN: NULL
        ENDSWITH('a', CAST(NULL AS STRING)) -> BOOLEAN: NULL
        ENDSWITH(X'0102', X'02') -> BOOLEAN NOT NULL: TRUE
        ENDSWITH(X'0102', X'01') -> BOOLEAN NOT NULL: FALSE
        ENDSWITH('日本', '本') -> BOOLEAN NOT NULL: TRUE
        ",
    );
}

#[test]
fn joining() {
    one_row().check(
        "
        CONCAT('AA', 'BB', 'CC') -> STRING NOT NULL: AABBCC
        CONCAT('a') -> STRING NOT NULL: a
        CONCAT('a', CAST(NULL AS STRING)) -> STRING: NULL
        CONCAT('日', '本') -> STRING NOT NULL: 日本
        CONCAT_WS('~', 'AA', CAST(NULL AS STRING), 'BB', '', 'CC') -> STRING: AA~BB~~CC
        CONCAT_WS(',', 'a') -> STRING NOT NULL: a
        CONCAT_WS(CAST(NULL AS STRING), 'a', 'b') -> STRING: NULL
        CONCAT_WS('', 'a', 'b') -> STRING NOT NULL: ab
        CONCAT_WS(',', 'a', '') -> STRING NOT NULL: a,
        CONCAT_WS('日', 'a', 'b') -> STRING NOT NULL: a日b
        RPAD('hi', 4, '??') -> STRING NOT NULL: hi??
        RPAD('hi', 1, '??') -> STRING NOT NULL: h
        RPAD('hi', 5, 'ab') -> STRING NOT NULL: hiaba
        RPAD('', 3, 'x') -> STRING NOT NULL: xxx
        RPAD(CAST(NULL AS STRING), 3, 'x') -> STRING: NULL
        RPAD('a', 3, CAST(NULL AS STRING)) -> STRING: NULL
        RPAD('日', 3, '本') -> STRING NOT NULL: 日本本
        RTRIM('xxaxx', 'x') -> VARCHAR(5) NOT NULL: xxa
        RTRIM(CAST(NULL AS STRING)) -> STRING: NULL
        RTRIM('xabcabc', 'cba') -> VARCHAR(7) NOT NULL: x
        RTRIM('a', CAST(NULL AS STRING)) -> VARCHAR(1): NULL
        RTRIM('a', '') -> VARCHAR(1) NOT NULL: a
        RTRIM('日本', '本') -> VARCHAR(2) NOT NULL: 日
        TRIM('BOTH', ' ', '  a  ') -> VARCHAR(5) NOT NULL: a
        TRIM('BOTH', 'x', 'xxaxx') -> VARCHAR(5) NOT NULL: a
        TRIM('LEADING', 'x', 'xxaxx') -> VARCHAR(5) NOT NULL: axx
        TRIM('TRAILING', 'x', 'xxaxx') -> VARCHAR(5) NOT NULL: xxa
        TRIM('BOTH', 'xy', 'xyxayx') -> VARCHAR(6) NOT NULL: a
        TRIM('BOTH', ' ', '  a ') -> VARCHAR(4) NOT NULL: a
        TRIM('BOTH', ' ', CAST(NULL AS STRING)) -> STRING: NULL
        TRIM('BOTH', CAST(NULL AS STRING), 'a') -> VARCHAR(1): NULL
        TRIM('BOTH', '日', '日本日') -> VARCHAR(3) NOT NULL: 本
        TRANSLATE('abc', 'abc', 'x') -> STRING NOT NULL: x
        TRANSLATE('abc', '', 'x') -> STRING NOT NULL: abc
        TRANSLATE(CAST(NULL AS STRING), 'a', 'b') -> STRING: NULL
        TRANSLATE('a', CAST(NULL AS STRING), 'b') -> STRING NOT NULL: a
        TRANSLATE('abca', 'aa', 'xy') -> STRING NOT NULL: xbcx
        TRANSLATE('日本', '日', 'n') -> STRING NOT NULL: n本
        TRANSLATE('a😀', '😀', 'b') -> STRING NOT NULL: ab
        ",
    );
}

#[test]
fn encodings() {
    one_row().check(
        "
        ENCODE('abc', 'UTF-8') -> BYTES NOT NULL: x'616263'
        ENCODE('日', 'UTF-8') -> BYTES NOT NULL: x'e697a5'
        ENCODE('a', 'UTF-16BE') -> BYTES NOT NULL: x'0061'
        ENCODE('a', 'UTF-16') -> BYTES NOT NULL: x'feff0061'
        DECODE(ENCODE('日本', 'UTF-8'), 'UTF-8') -> STRING NOT NULL: 日本
        DECODE(X'616263', 'US-ASCII') -> STRING NOT NULL: abc
        ENCODE('é', 'ISO-8859-1') -> BYTES NOT NULL: x'e9'
        ENCODE(CAST(NULL AS STRING), 'UTF-8') -> BYTES: NULL
        DECODE(CAST(NULL AS BYTES), 'UTF-8') -> STRING: NULL
        DECODE(X'e9', 'ISO-8859-1') -> STRING NOT NULL: é
        ENCODE('日', 'US-ASCII') -> BYTES NOT NULL: x'3f'
        DECODE(X'ff', 'UTF-8') -> STRING NOT NULL: �
        ENCODE('a', 'UTF-16LE') -> BYTES NOT NULL: x'6100'
        FROM_BASE64('aGVsbG8gd29ybGQ=') -> STRING NOT NULL: hello world
        FROM_BASE64(CAST(NULL AS STRING)) -> STRING: NULL
        FROM_BASE64('5pel5pys') -> STRING NOT NULL: 日本
        FROM_BASE64(TO_BASE64('x')) -> STRING NOT NULL: x
        FROM_BASE64('YQ==') -> STRING NOT NULL: a
        TO_BASE64('hello world') -> STRING NOT NULL: aGVsbG8gd29ybGQ=
        TO_BASE64(CAST(NULL AS STRING)) -> STRING: NULL
        TO_BASE64('日本') -> STRING NOT NULL: 5pel5pys
        TO_BASE64('a') -> STRING NOT NULL: YQ==
        TO_BASE64('ab') -> STRING NOT NULL: YWI=
        SHA2('abc', 224) -> VARCHAR(128) NOT NULL: 23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7
        SHA2('abc', 256) -> VARCHAR(128) NOT NULL: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
        SHA2('abc', 384) -> VARCHAR(128) NOT NULL: cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7
        SHA2('abc', 512) -> VARCHAR(128) NOT NULL: ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
        SHA2(CAST(NULL AS STRING), 256) -> VARCHAR(128): NULL
        SHA2('abc', CAST(NULL AS INT)) -> VARCHAR(128): NULL
        SHA2('', 256) -> VARCHAR(128) NOT NULL: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        TYPEOF(SHA2('abc', 224)) -> STRING: VARCHAR(128) NOT NULL
        SHA256('abc') -> CHAR(64) NOT NULL: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
        SHA256('') -> CHAR(64) NOT NULL: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        SHA256(CAST(NULL AS STRING)) -> CHAR(64): NULL
        SHA256('日本') -> CHAR(64) NOT NULL: cf2abf0c5be326cb922a70f8163f91079c4d9aa8655c60ead89ad545c9de2e92
        SHA256(CAST('a' AS CHAR(3))) -> CHAR(64) NOT NULL: b8a1d29a6761e2d474591c057595f78a19f90f9004b06e9895c56676bd827d1f
        TYPEOF(SHA256('abc')) -> STRING: CHAR(64) NOT NULL
        ",
    );
}

#[test]
fn patterns() {
    one_row().check(
        "
        REGEXP_COUNT('hello', 'l') -> INT: 2
        REGEXP_COUNT('hello', 'x') -> INT: 0
        REGEXP_COUNT('aaaa', 'aa') -> INT: 2
        REGEXP_COUNT('abc', '') -> INT: 4
        REGEXP_COUNT('', 'a') -> INT: 0
        REGEXP_COUNT(CAST(NULL AS STRING), 'a') -> INT: NULL
        REGEXP_COUNT('a', CAST(NULL AS STRING)) -> INT: NULL
        REGEXP_COUNT('abc', '(') -> INT: NULL
        REGEXP_COUNT('a1b22', '[0-9]+') -> INT: 2
        REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2) -> STRING: bar
        REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 1) -> STRING: the
        REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 0) -> STRING: foothebar
        REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)') -> STRING: foothebar
        REGEXP_EXTRACT('abc', 'x') -> STRING: NULL
        REGEXP_EXTRACT('abc', '(b)', 5) -> STRING: NULL
        REGEXP_EXTRACT(CAST(NULL AS STRING), 'a') -> STRING: NULL
        REGEXP_EXTRACT('abc', '(x)?b', 1) -> STRING: NULL
        REGEXP_REPLACE('foobar', 'oo|ar', '') -> STRING NOT NULL: fb
        REGEXP_REPLACE('abc', '(a)(b)', '$2$1') -> STRING NOT NULL: $2$1c
        REGEXP_REPLACE('abc', 'x', 'y') -> STRING NOT NULL: abc
        REGEXP_REPLACE('', '', 'a') -> STRING NOT NULL: a
        REGEXP_REPLACE('abc', '', '-') -> STRING NOT NULL: -a-b-c-
        REGEXP_REPLACE(CAST(NULL AS STRING), 'a', 'b') -> STRING: NULL
        REGEXP_REPLACE('a', CAST(NULL AS STRING), 'b') -> STRING: NULL
        REGEXP_REPLACE('ABC', '(?i)b', 'x') -> STRING NOT NULL: AxC
        REGEXP_REPLACE('a1b22', '[0-9]+', '<$0>') -> STRING NOT NULL: a<$0>b<$0>
        REGEXP_SUBSTR('hello', 'l+') -> STRING: ll
        REGEXP_SUBSTR('hello', 'x') -> STRING: NULL
        REGEXP_SUBSTR(CAST(NULL AS STRING), 'a') -> STRING: NULL
        REGEXP_SUBSTR('a', CAST(NULL AS STRING)) -> STRING: NULL
        REGEXP_SUBSTR('a', '(') -> STRING: NULL
        REGEXP_SUBSTR('ab12cd345', '[0-9]+') -> STRING: 12
        STR_TO_MAP('') -> MAP<STRING, STRING>: {}
        STR_TO_MAP(CAST(NULL AS STRING)) -> MAP<STRING, STRING>: NULL
        STR_TO_MAP('k1') -> MAP<STRING, STRING>: {k1=NULL}
        STR_TO_MAP('k1=') -> MAP<STRING, STRING>: {k1=}
        STR_TO_MAP('k=1,k=2') -> MAP<STRING, STRING>: {k=2}
        STR_TO_MAP('a=b=c') -> MAP<STRING, STRING>: {a=b=c}
        STR_TO_MAP('k1=v1,k2=v2')['k2'] -> STRING: v2
        ",
    );
}

#[test]
fn quoting() {
    one_row().check(
        "
        JSON_UNQUOTE('a') -> STRING NOT NULL: a
        JSON_UNQUOTE(CAST(NULL AS STRING)) -> STRING: NULL
        JSON_UNQUOTE('[1, 2]') -> STRING NOT NULL: [1, 2]
        ",
    );
}

#[test]
fn mistakes() {
    one_row().check(
        "
        CONCAT('a', 1) -> error: Cannot apply 'CONCAT'
        'a' || 1 -> error: Cannot apply '||'
        'a' || NULL -> error: Illegal use of 'NULL'
        ELT(-1, 'a') -> error: Index must be an integer starting from '0', but was '-1'
        LPAD('a', 3) -> error: Was expecting 3 arguments
        UPPER() -> error: Was expecting 1 arguments
        ENCODE('a', 'NO-SUCH') -> error: NO-SUCH
        SUBSTRING('abc', 'x') -> error: Cannot apply 'SUBSTRING'
        LPAD('hi', 5, '') -> STRING NOT NULL: NULL
        ",
    );
}

/// Columns that are all ASCII are worked on as bytes; one other character makes the difference.
#[test]
fn columns_of_ascii_and_others() {
    for (last, lower, upper, length) in [("Zz", "zz", "ZZ", 2), ("Äß", "äß", "ÄSS", 2)] {
        table(&format!("t STRING\nAb/c//D\nNULL\n{last}")).check(&format!(
            "
            LOWER(t) -> STRING: ab/c//d NULL {lower}
            UPPER(t) -> STRING: AB/C//D NULL {upper}
            CHAR_LENGTH(t) -> INT: 7 NULL {length}
            REPLACE(t, '/', '--') -> STRING: Ab--c----D NULL {last}
            REPLACE(t, '//', '') -> STRING: Ab/cD NULL {last}
            SPLIT_INDEX(t, '/', 1) -> STRING: c NULL NULL
            SPLIT_INDEX(t, '/', 3) -> STRING: D NULL NULL
            SPLIT_INDEX(t, '//', 1) -> STRING: D NULL NULL
            REGEXP_EXTRACT(t, '([a-z])/+([A-Z]?)', 2) -> STRING:  NULL NULL
            REGEXP_EXTRACT(t, '/+([A-Z])', 1) -> STRING: D NULL NULL
            REGEXP_EXTRACT(t, '(', 1) -> STRING: NULL NULL NULL
            "
        ));
    }
}
