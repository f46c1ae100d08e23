CREATE TABLE emp (emp_id INT, name STRING, dept_id INT, mgr_id INT, salary INT, hired DATE) WITH ('connector' = 'filesystem', 'path' = '${DATA}/emp.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE dept (dept_id INT, dname STRING, loc STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}/dept.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT dname, (SELECT COUNT(DISTINCT mgr_id) FROM emp e WHERE e.dept_id < d.dept_id) AS n FROM dept d;
