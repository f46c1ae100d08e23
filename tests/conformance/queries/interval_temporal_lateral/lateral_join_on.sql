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
SELECT d.dname, e.name FROM dept d JOIN LATERAL (SELECT * FROM emp WHERE emp.dept_id = d.dept_id AND emp.salary > 4000) e ON TRUE;
