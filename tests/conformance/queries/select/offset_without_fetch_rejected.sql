CREATE TABLE emp (emp_id INT, name STRING, dept_id INT, mgr_id INT, salary INT, hired DATE) WITH ('connector' = 'filesystem', 'path' = '${DATA}/emp.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT name FROM emp ORDER BY emp_id OFFSET 7;
