SELECT c.country, COUNT(*) AS n FROM customers c GROUP BY c.country HAVING COUNT(*) > 1 ORDER BY n DESC, c.country
SELECT company FROM customers WHERE country IS NULL OR city IS NULL ORDER BY customer_id
SELECT o.order_id, c.company FROM orders o LEFT JOIN customers c ON c.customer_id = o.customer_id WHERE o.shipped IS NULL ORDER BY 1
SELECT c.customer_id FROM customers c LEFT JOIN orders o ON o.customer_id = c.customer_id WHERE o.order_id IS NULL ORDER BY 1
SELECT customer_id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.customer_id) ORDER BY 1
SELECT p.product_id, p.price FROM products p WHERE p.price > (SELECT AVG(x.price) FROM products x WHERE x.category_id = p.category_id) ORDER BY p.product_id
WITH t AS (SELECT order_id, SUM(unit_price * quantity) AS s FROM order_items GROUP BY order_id) SELECT o.customer_id, SUM(t.s) AS total FROM t JOIN orders o ON o.order_id = t.order_id GROUP BY o.customer_id ORDER BY total DESC, 1 LIMIT 5
WITH a AS (SELECT customer_id, COUNT(*) AS n FROM orders GROUP BY customer_id), b AS (SELECT AVG(n) AS m FROM a) SELECT a.customer_id FROM a CROSS JOIN b WHERE a.n > b.m ORDER BY 1
SELECT s.last_name, b.last_name FROM staff s LEFT JOIN staff b ON b.staff_id = s.boss ORDER BY s.staff_id
SELECT staff_id, salary, RANK() OVER (ORDER BY salary DESC) AS r FROM staff WHERE salary IS NOT NULL ORDER BY staff_id
SELECT order_id, SUM(freight) OVER (PARTITION BY customer_id ORDER BY ordered, order_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run FROM orders ORDER BY order_id
SELECT order_id, freight - LAG(freight) OVER (ORDER BY order_id) AS d FROM orders ORDER BY order_id
SELECT order_id, AVG(freight) OVER (ORDER BY order_id ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING) FROM orders ORDER BY order_id
SELECT x.customer_id, x.order_id FROM (SELECT customer_id, order_id, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY freight DESC, order_id) AS rn FROM orders WHERE freight IS NOT NULL) AS x WHERE x.rn = 1 ORDER BY 1
SELECT NTILE(4) OVER (ORDER BY film_id) AS quarter_no, title FROM film ORDER BY film_id
SELECT film_id, FIRST_VALUE(title) OVER (PARTITION BY rating ORDER BY film_id) FROM film WHERE rating IS NOT NULL ORDER BY film_id
SELECT CASE WHEN freight < 50 THEN 'low' WHEN freight < 150 THEN 'mid' WHEN freight IS NULL THEN 'none' ELSE 'high' END AS band, COUNT(*) FROM orders GROUP BY CASE WHEN freight < 50 THEN 'low' WHEN freight < 150 THEN 'mid' WHEN freight IS NULL THEN 'none' ELSE 'high' END ORDER BY 1
SELECT SUM(CASE WHEN discontinued THEN 1 ELSE 0 END) AS gone, COUNT(*) AS n FROM products
SELECT CASE status WHEN 'paid' THEN 1 WHEN 'sent' THEN 2 END, COUNT(*) FROM orders GROUP BY CASE status WHEN 'paid' THEN 1 WHEN 'sent' THEN 2 END ORDER BY 2, 1
SELECT COALESCE(city, country, '?') AS place, COUNT(DISTINCT customer_id) FROM customers GROUP BY COALESCE(city, country, '?') ORDER BY 1
SELECT customer_id FROM orders WHERE ordered >= '2022-01-01' AND ordered < '2023-01-01' UNION SELECT customer_id FROM rental WHERE returned IS NULL ORDER BY 1
SELECT customer_id FROM orders INTERSECT SELECT customer_id FROM rental ORDER BY customer_id
SELECT country FROM suppliers UNION ALL SELECT country FROM customers ORDER BY country
SELECT p.product_id FROM products p WHERE p.category_id IN (SELECT category_id FROM categories WHERE parent_id = 1) ORDER BY p.product_id
SELECT product_id FROM products WHERE supplier_id NOT IN (SELECT supplier_id FROM suppliers WHERE country = 'Peru') ORDER BY 1
SELECT UPPER(company) AS u, LOWER(city) AS l, LENGTH(company) FROM customers WHERE city IS NOT NULL ORDER BY customer_id
SELECT REPLACE(company, 'Company', 'Co') AS c, SUBSTR(customer_id, 2, 4) AS code FROM customers ORDER BY customer_id
SELECT title FROM film WHERE title LIKE 'The%1%' ORDER BY title
SELECT title FROM film WHERE title NOT LIKE '%0_' AND length BETWEEN 80 AND 120 ORDER BY title
SELECT category_id, MIN(price), MAX(price), ROUND(AVG(price), 2) FROM products GROUP BY category_id ORDER BY category_id
SELECT o.staff_id, COUNT(DISTINCT o.customer_id) AS customers, SUM(o.freight) / COUNT(*) AS f FROM orders o GROUP BY o.staff_id ORDER BY 1
SELECT c.name, COUNT(p.product_id) FROM categories c LEFT JOIN products p ON p.category_id = c.category_id GROUP BY c.category_id, c.name ORDER BY c.category_id
SELECT a.customer_id, b.customer_id FROM customers a JOIN customers b ON a.city = b.city AND a.customer_id < b.customer_id ORDER BY 1, 2
SELECT order_id, line_total FROM order_items WHERE line_total > 500 ORDER BY line_total DESC, order_id
SELECT t.customer_id, MAX(t.total) FROM order_totals t GROUP BY t.customer_id HAVING MAX(t.total) > 800 ORDER BY 1
SELECT DISTINCT status, staff_id FROM orders WHERE staff_id < 4 ORDER BY status, staff_id
SELECT film_id, title FROM film ORDER BY length DESC, film_id LIMIT 5 OFFSET 3
SELECT COUNT(*), COUNT(shipped), COUNT(DISTINCT status) FROM orders
SELECT (SELECT COUNT(*) FROM orders o WHERE o.customer_id = c.customer_id) AS n, c.customer_id FROM customers c ORDER BY n DESC, c.customer_id
SELECT i.product_id, SUM(i.quantity) AS q FROM order_items i JOIN orders o USING (order_id) WHERE o.status = 'paid' GROUP BY i.product_id ORDER BY q DESC, i.product_id LIMIT 10
SELECT o.order_id FROM orders o JOIN order_items i ON i.order_id = o.order_id GROUP BY o.order_id HAVING COUNT(*) = 4 ORDER BY 1
SELECT s.company, p.n FROM suppliers s JOIN (SELECT supplier_id, COUNT(*) AS n FROM products GROUP BY supplier_id) p ON p.supplier_id = s.supplier_id ORDER BY p.n DESC, s.company
SELECT AVG(t.n) FROM (SELECT order_id, COUNT(*) AS n FROM order_items GROUP BY order_id) AS t
SELECT price * 1.2 AS gross, price - 1, -price, price / 3 FROM products WHERE price IS NOT NULL ORDER BY product_id
SELECT NULLIF(status, 'new') AS s FROM orders ORDER BY order_id
SELECT ABS(freight - 100) AS d FROM orders WHERE freight IS NOT NULL ORDER BY d, order_id LIMIT 7
SELECT a.order_id FROM orders a, orders b WHERE a.order_id = b.order_id + 1 AND a.customer_id = b.customer_id ORDER BY 1
SELECT product_id FROM products WHERE (price > 20 OR in_stock < 10) AND NOT (discontinued) ORDER BY product_id
WITH m AS (SELECT customer_id, MIN(ordered) AS first_at FROM orders GROUP BY customer_id) SELECT COUNT(*) FROM m WHERE first_at < '2022-06-01'
SELECT c.company, COUNT(*) FROM customers c JOIN orders o ON c.customer_id = o.customer_id JOIN order_items i ON i.order_id = o.order_id JOIN products p ON p.product_id = i.product_id JOIN categories g ON g.category_id = p.category_id WHERE g.name = 'Tea' GROUP BY c.company ORDER BY 2 DESC, 1
SELECT MAX(s.t) - MIN(s.t) FROM (SELECT SUM(line_total) AS t FROM order_items GROUP BY order_id) s
SELECT order_id FROM orders WHERE customer_id = (SELECT customer_id FROM orders GROUP BY customer_id ORDER BY COUNT(*) DESC, customer_id LIMIT 1) ORDER BY 1
SELECT r.film_id, COUNT(*) AS n, DENSE_RANK() OVER (ORDER BY COUNT(*) DESC) AS rk FROM rental r GROUP BY r.film_id ORDER BY n DESC, r.film_id
SELECT customer_id, SUM(freight) AS s, SUM(SUM(freight)) OVER () AS whole FROM orders GROUP BY customer_id ORDER BY 1
SELECT 100.0 * SUM(CASE WHEN shipped IS NULL THEN 1 ELSE 0 END) / COUNT(*) AS pct FROM orders
SELECT c.customer_id, o.n FROM customers c LEFT JOIN (SELECT customer_id, COUNT(*) AS n FROM orders WHERE status = 'paid' GROUP BY customer_id) o ON o.customer_id = c.customer_id WHERE COALESCE(o.n, 0) < 2 ORDER BY 1
SELECT p.product_id FROM products p JOIN suppliers s ON s.supplier_id = p.supplier_id AND s.country <> 'Peru' ORDER BY 1
SELECT order_id FROM orders WHERE (customer_id, staff_id) IN (SELECT customer_id, staff_id FROM orders WHERE status = 'sent') ORDER BY 1
SELECT order_id, COUNT(*) OVER w, SUM(freight) OVER w FROM orders WINDOW w AS (PARTITION BY staff_id ORDER BY order_id) ORDER BY order_id
SELECT COUNT(*) FROM orders o RIGHT JOIN customers c USING (customer_id)
