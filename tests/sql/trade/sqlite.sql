SELECT CAST(price AS INTEGER) FROM products WHERE price IS NOT NULL ORDER BY product_id
SELECT "Product Name", "order" FROM products, orders WHERE product_id = order_id ORDER BY product_id
SELECT STRFTIME('%Y-%m', ordered) AS ym, COUNT(*) FROM orders GROUP BY ym ORDER BY ym
SELECT STRFTIME('%Y', ordered) AS y, (CAST(STRFTIME('%m', ordered) AS INTEGER) + 2) / 3 AS q, SUM(freight) FROM orders GROUP BY y, q ORDER BY y, q
SELECT order_id FROM orders WHERE JULIANDAY(shipped) - JULIANDAY(ordered) > 400 ORDER BY order_id
SELECT DATE(ordered, '+7 days'), DATETIME(ordered, 'start of month', '-1 day'), TIME(ordered), UNIXEPOCH(ordered) FROM orders ORDER BY order_id
SELECT DATE(ordered, 'weekday 0'), DATE(ordered, '+1 month', 'start of month') FROM orders ORDER BY order_id
SELECT GROUP_CONCAT(status, '; ') FROM (SELECT DISTINCT status FROM orders ORDER BY status)
SELECT staff_id, GROUP_CONCAT(DISTINCT status) FROM orders GROUP BY staff_id ORDER BY staff_id
SELECT IIF(freight > 100, 'big', 'small') AS s, COUNT(*) FROM orders GROUP BY s ORDER BY s
SELECT IFNULL(city, 'none'), city ISNULL, country NOTNULL, city IS NOT NULL FROM customers ORDER BY customer_id
SELECT JSON_EXTRACT(attrs, '$.color'), attrs ->> '$.n.deep', attrs -> 'dims' ->> 0 FROM products ORDER BY product_id
SELECT product_id FROM products WHERE JSON_EXTRACT(attrs, '$.size') > 3 ORDER BY 1
SELECT JSON_ARRAY_LENGTH(attrs, '$.dims'), JSON_TYPE(attrs), JSON_VALID(attrs) FROM products ORDER BY product_id
SELECT title FROM film WHERE title GLOB 'The*[05]' ORDER BY title
SELECT title FROM film WHERE title = 'the film 01' COLLATE NOCASE ORDER BY 1
SELECT company || ' / ' || COALESCE(city, '-') FROM customers ORDER BY customer_id
SELECT SUBSTR(contact, 1, INSTR(contact, ' ') - 1), TRIM(contact), LTRIM(contact, 'A'), RTRIM(contact, 'e'), UNICODE(contact), HEX(customer_id) FROM customers ORDER BY customer_id
SELECT ROUND(freight), ROUND(freight, 1), CEIL(freight), FLOOR(freight), order_id % 7, order_id / 7, order_id / 7.0, SIGN(freight - 100), SQRT(order_id) FROM orders ORDER BY order_id
SELECT CAST(freight AS INTEGER), CAST(order_id AS TEXT), CAST(customer_id AS REAL), TYPEOF(freight) FROM orders ORDER BY order_id
SELECT order_id FROM orders WHERE ordered BETWEEN '2022-01-01' AND '2022-12-31' ORDER BY 1
SELECT customer_id, COUNT(*) AS n FROM orders GROUP BY customer_id HAVING n > 5 ORDER BY n DESC, customer_id
SELECT freight * 2 AS f2 FROM orders WHERE f2 > 500 ORDER BY f2
SELECT SUM(status = 'paid') AS paid, SUM(shipped IS NULL) AS open_, AVG(freight > 100) FROM orders
SELECT COUNT(*) FILTER (WHERE status = 'paid'), SUM(freight) FILTER (WHERE shipped IS NULL) FROM orders
SELECT order_id, SUM(freight) OVER (ORDER BY order_id RANGE BETWEEN 5 PRECEDING AND 5 FOLLOWING EXCLUDE CURRENT ROW) FROM orders ORDER BY order_id
SELECT order_id, GROUP_CONCAT(status) OVER (ORDER BY order_id GROUPS 1 PRECEDING) FROM orders ORDER BY order_id
SELECT MAX(freight, 50), MIN(freight, 50) FROM orders ORDER BY order_id
SELECT customer_id, order_id, MAX(freight) FROM orders GROUP BY customer_id ORDER BY customer_id
SELECT COUNT(*) FROM customers c FULL JOIN orders o ON o.customer_id = c.customer_id
SELECT p.product_id, c.name FROM products p NATURAL JOIN categories c ORDER BY product_id
SELECT order_id FROM orders ORDER BY order_id LIMIT 5, 3
SELECT order_id, freight FROM orders ORDER BY freight DESC NULLS LAST, order_id LIMIT 9
SELECT order_id, freight FROM orders ORDER BY freight NULLS LAST, order_id LIMIT 9
SELECT city IS 'Oslo', city IS NOT country, city == 'Oslo', city <> 'Lima' FROM customers ORDER BY customer_id
SELECT status IS NOT DISTINCT FROM 'paid' FROM orders ORDER BY order_id
SELECT TOTAL(freight), AVG(freight), JSON_GROUP_ARRAY(DISTINCT status) FROM orders
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) ORDER BY column1 DESC
SELECT title FROM film WHERE rating IN ('PG', 'R') AND released NOT IN (2001, 2002) ORDER BY film_id
SELECT order_id & 3, order_id | 8, ~order_id, order_id << 1, order_id >> 1, -7 / 2, -7 % 2, 7.5 % 2 FROM orders ORDER BY order_id
SELECT discontinued, COUNT(*) FROM products WHERE discontinued IS NOT TRUE GROUP BY discontinued ORDER BY 1
SELECT DISTINCT SUBSTR(ordered, 1, 4) AS y FROM orders ORDER BY y
SELECT LN(order_id), EXP(1), POWER(2, 10), PI(), LOG(100), LOG(2, 8), MOD(order_id, 4), RADIANS(180), DEGREES(PI()), TRUNC(freight) FROM orders ORDER BY order_id
SELECT CASE WHEN STRFTIME('%w', ordered) IN ('0', '6') THEN 'weekend' ELSE 'week' END AS w, COUNT(*) FROM orders GROUP BY w ORDER BY w
SELECT MAX(CASE WHEN status = 'paid' THEN freight END) - MIN(CASE WHEN status = 'sent' THEN freight END) FROM orders
SELECT [order], `customer_id` FROM [orders] ORDER BY order_id
SELECT ordered > '2022' AND ordered < '2023' AS y22, COUNT(*) FROM orders GROUP BY 1 ORDER BY 1
