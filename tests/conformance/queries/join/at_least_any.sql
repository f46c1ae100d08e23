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
SELECT name FROM emp WHERE salary >= ANY (SELECT salary FROM emp WHERE dept_id = 20);
