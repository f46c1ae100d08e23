SET 'execution.runtime-mode' = 'streaming';
CREATE TEMPORARY VIEW o AS SELECT * FROM (VALUES (1, 7), (2, 3)) AS v (id, x);
CREATE TEMPORARY VIEW b AS SELECT * FROM (VALUES (1, 5, 2), (1, 9, 3)) AS v (k, x, v);
CREATE TEMPORARY VIEW a AS SELECT * FROM (VALUES (1), (2)) AS v (k);
CREATE TEMPORARY VIEW u AS SELECT * FROM (VALUES (1), (2)) AS v (b) WHERE b > 5;
SELECT id, (SELECT COALESCE(SUM(b.v), 3) FROM b WHERE b.x = o.x) FROM o;
