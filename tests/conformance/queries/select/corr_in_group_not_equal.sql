CREATE TABLE emp (emp_id INT, name STRING, dept_id INT, mgr_id INT, salary INT, hired DATE) WITH ('connector' = 'filesystem', 'path' = '${DATA}/emp.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT name FROM emp e WHERE salary IN (SELECT MAX(salary) FROM emp x WHERE x.dept_id <> e.dept_id GROUP BY dept_id);
