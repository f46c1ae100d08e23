CREATE TABLE emp (emp_id INT, name STRING, dept_id INT, mgr_id INT, salary INT, hired DATE) WITH ('connector' = 'filesystem', 'path' = '${DATA}/emp.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT name FROM emp e WHERE salary >= (SELECT MAX(salary) FROM emp x WHERE x.dept_id = e.dept_id AND x.emp_id <> e.emp_id);
