CREATE TABLE dept (dept_id INT, dname STRING, loc STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}/dept.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE emp (emp_id INT, name STRING, dept_id INT, mgr_id INT, salary INT, hired DATE) WITH ('connector' = 'filesystem', 'path' = '${DATA}/emp.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT dname FROM dept WHERE dept_id > (SELECT COUNT(*) FROM emp WHERE emp_id > 1000);
