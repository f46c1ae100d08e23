-- Bounded side input: bids with what a file has of their auctions.
CREATE TABLE side_input (key BIGINT, `value` STRING) WITH (
  'connector' = '${LOOKUP}',
  'path' = '${SIDE_INPUT}',
  'format' = 'csv'
);
CREATE TABLE nexmark_q13 (auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), `value` STRING) WITH ('connector' = '${SINK}');
INSERT INTO nexmark_q13
SELECT B.auction, B.bidder, B.price, B.`dateTime`, S.`value`
FROM (SELECT *, PROCTIME() AS p_time FROM bid) B
JOIN side_input FOR SYSTEM_TIME AS OF B.p_time AS S ON MOD(B.auction, 10000) = S.key;
