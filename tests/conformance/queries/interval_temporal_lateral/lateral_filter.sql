SET 'parallelism.default' = '1';
CREATE TABLE emp (
  emp_id INT,
  name STRING,
  dept_id INT,
  mgr_id INT,
  salary INT,
  hired DATE
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/emp.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
CREATE TABLE dept (
  dept_id INT,
  dname STRING,
  loc STRING
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/dept.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
CREATE TABLE t (id INT, w INT, `file.name` STRING NOT NULL METADATA) WITH ('connector' = 'filesystem', 'path' = '${DATA}/c.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT d.dname, t.name FROM dept d, LATERAL (SELECT name FROM emp e WHERE e.dept_id = d.dept_id) t;
