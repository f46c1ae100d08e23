//! Wrong windows: OVER, window table functions, group windows.

use expect_test::expect;

use crate::support::{Shell, check};

fn dialog(script: &str) -> String {
    Shell::with_tables().dialog(script)
}

#[test]
fn over_windows() {
    check(
        dialog(
            "SELECT SUM(price) OVER (PARTITION BY auction) FROM bid;
             SELECT SUM(price) OVER (ORDER BY price) FROM bid;
             SELECT SUM(price) OVER (ORDER BY ts DESC) FROM bid;
             SELECT RANK() OVER (ORDER BY ts) FROM bid;
             SELECT LEAD(price) OVER (ORDER BY ts) FROM bid;
             SELECT UPPER('x') OVER (ORDER BY ts) FROM bid;
             SELECT price FROM bid WHERE SUM(price) OVER (ORDER BY ts) > 1;
             SELECT SUM(price) OVER nowhere FROM bid;
             SELECT SUM(price) OVER (ORDER BY ts), SUM(price) OVER (PARTITION BY auction ORDER BY ts) FROM bid;
             SELECT SUM(price) OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM bid;
             SELECT SUM(price) OVER (ORDER BY ts ROWS BETWEEN INTERVAL '1' SECOND PRECEDING AND CURRENT ROW) FROM bid;
             SELECT SUM(price) OVER (ORDER BY ts RANGE BETWEEN 3 PRECEDING AND CURRENT ROW) FROM bid;
             SELECT SUM(price) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM bid;
             SELECT ROW_NUMBER() OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM bid",
        ),
        expect![[r#"
            > SELECT SUM(price) OVER (PARTITION BY auction) FROM bid
            invalid: OVER of a stream needs an ORDER BY of one column, preferably a time attribute
            > SELECT SUM(price) OVER (ORDER BY price) FROM bid
            updating: EXPR$0 INT
            > SELECT SUM(price) OVER (ORDER BY ts DESC) FROM bid
            invalid: The window can only be ordered in ASCENDING mode: this is OVER of a stream
            > SELECT RANK() OVER (ORDER BY ts) FROM bid
            append-only: EXPR$0 BIGINT NOT NULL
            > SELECT LEAD(price) OVER (ORDER BY ts) FROM bid
            unsupported: LEAD with OVER on a stream is not supported
            > SELECT UPPER('x') OVER (ORDER BY ts) FROM bid
            invalid: UPPER is not a function that takes OVER at line 1, column 8
            > SELECT price FROM bid WHERE SUM(price) OVER (ORDER BY ts) > 1
            invalid: SUM with OVER is not allowed here at line 1, column 29
            > SELECT SUM(price) OVER nowhere FROM bid
            invalid: there is no WINDOW nowhere at line 1, column 24
            > SELECT SUM(price) OVER (ORDER BY ts), SUM(price) OVER (PARTITION BY auction ORDER BY ts) FROM bid
            invalid: Over Agg: a stream takes one OVER window in a SELECT; these have different ones, which SET 'table.exec.over.several-windows' = 'true' allows at line 1, column 1
            > SELECT SUM(price) OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM bid
            unsupported: a frame of a stream that does not end with CURRENT ROW is not supported at line 1, column 8
            > SELECT SUM(price) OVER (ORDER BY ts ROWS BETWEEN INTERVAL '1' SECOND PRECEDING AND CURRENT ROW) FROM bid
            invalid: expected a number of rows before PRECEDING or FOLLOWING at line 1, column 50
            > SELECT SUM(price) OVER (ORDER BY ts RANGE BETWEEN 3 PRECEDING AND CURRENT ROW) FROM bid
            invalid: expected an INTERVAL of days or less before PRECEDING or FOLLOWING at line 1, column 51
            > SELECT SUM(price) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM bid
            invalid: ROWS and RANGE need an ORDER BY at line 1, column 8
            > SELECT ROW_NUMBER() OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM bid
            invalid: ROW_NUMBER takes no ROWS or RANGE at line 1, column 8
        "#]],
    );
}

#[test]
fn windows() {
    check(
        dialog(
            "SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(a), INTERVAL '1' MINUTE);
             SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(nope), INTERVAL '1' MINUTE);
             SELECT * FROM TUMBLE(TABLE nope, DESCRIPTOR(ts), INTERVAL '1' MINUTE);
             SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '-5' MINUTE);
             SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MONTH);
             SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), 5);
             SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts));
             SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE, INTERVAL '23' MINUTE);
             SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' SECOND, 1);
             SELECT * FROM TUMBLE(TABLE bid PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '1' MINUTE);
             SELECT * FROM HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '4' MINUTE, INTERVAL '10' MINUTE);
             SELECT * FROM CUMULATE(TABLE bid, DESCRIPTOR(ts), INTERVAL '4' MINUTE, INTERVAL '10' MINUTE);
             SELECT * FROM SESSION(TABLE bid, DESCRIPTOR(ts), INTERVAL '0' MINUTE);
             SELECT * FROM NOPE(TABLE bid);
             SELECT window_start, auction FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
               GROUP BY window_start, window_end;
             SELECT TUMBLE_START(price, INTERVAL '1' MINUTE) FROM bid GROUP BY TUMBLE(price, INTERVAL '1' MINUTE);
             SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE) FROM bid GROUP BY auction",
        ),
        expect![[r#"
            > SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(a), INTERVAL '1' MINUTE)
            invalid: The window function requires the timecol is a time attribute type, but is INT: declare a WATERMARK for 'a' at line 1, column 15
            > SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(nope), INTERVAL '1' MINUTE)
            invalid: Unknown identifier 'nope' in DESCRIPTOR at line 1, column 44
            > SELECT * FROM TUMBLE(TABLE nope, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
            invalid: Object 'nope' not found at line 1, column 28
            > SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '-5' MINUTE)
            invalid: TUMBLE table function parameters must satisfy size > 0, but got size -300000 ms at line 1, column 15
            > SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MONTH)
            invalid: expected an INTERVAL of days or less, not a value of type INTERVAL MONTH NOT NULL at line 1, column 49
            > SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), 5)
            invalid: expected an INTERVAL of days or less, not a value of type INT NOT NULL at line 1, column 49
            > SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts))
            invalid: TUMBLE lacks its argument SIZE at line 1, column 15
            > SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE, INTERVAL '23' MINUTE)
            invalid: TUMBLE table function parameters must satisfy abs(offset) < size, but got size 600000 ms and offset 1380000 ms. at line 1, column 15
            > SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' SECOND, 1)
            invalid: TUMBLE takes the arguments DATA, TIMECOL, SIZE, OFFSET; '1' is one too many at line 1, column 15
            > SELECT * FROM TUMBLE(TABLE bid PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
            invalid: TUMBLE takes no PARTITION BY; group by the columns instead at line 1, column 22
            > SELECT * FROM HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '4' MINUTE, INTERVAL '10' MINUTE)
            append-only: auction BIGINT, price INT, ts TIMESTAMP(3), window_start TIMESTAMP(3) NOT NULL, window_end TIMESTAMP(3) NOT NULL, window_time TIMESTAMP(3) NOT NULL
            > SELECT * FROM CUMULATE(TABLE bid, DESCRIPTOR(ts), INTERVAL '4' MINUTE, INTERVAL '10' MINUTE)
            invalid: CUMULATE table function parameters must satisfy maxSize must be an integral multiple of step, but got maxSize 600000 ms and step 240000 ms. at line 1, column 15
            > SELECT * FROM SESSION(TABLE bid, DESCRIPTOR(ts), INTERVAL '0' MINUTE)
            invalid: SESSION table function parameters must satisfy gap > 0, but got [0] at line 1, column 15
            > SELECT * FROM NOPE(TABLE bid)
            unsupported: the table function NOPE is not supported at line 1, column 15
            > SELECT window_start, auction FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
                           GROUP BY window_start, window_end
            invalid: Expression 'auction' is not being grouped at line 1, column 1
            > SELECT TUMBLE_START(price, INTERVAL '1' MINUTE) FROM bid GROUP BY TUMBLE(price, INTERVAL '1' MINUTE)
            invalid: Window aggregate can only be defined over a time attribute column at line 1, column 67
            > SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE) FROM bid GROUP BY auction
            invalid: TUMBLE_START needs its window in GROUP BY at line 1, column 8
        "#]],
    );
}
