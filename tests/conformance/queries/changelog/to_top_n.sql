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
SELECT * FROM TO_CHANGELOG(input => (SELECT * FROM (SELECT emp_id, salary, ROW_NUMBER() OVER (PARTITION BY dept_id ORDER BY salary DESC) rn FROM emp) WHERE rn = 1));
