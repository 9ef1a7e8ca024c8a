SELECT CAST(price AS SIGNED) FROM products WHERE price IS NOT NULL ORDER BY product_id
SELECT `Product Name`, `order` FROM products, orders WHERE product_id = order_id ORDER BY product_id
SELECT DATE_FORMAT(ordered, '%Y-%m') AS ym, COUNT(*) FROM orders GROUP BY ym ORDER BY ym
SELECT YEAR(ordered) AS y, QUARTER(ordered) AS q, SUM(freight) FROM orders GROUP BY y, q ORDER BY y, q
SELECT EXTRACT(MONTH FROM ordered) AS m, COUNT(*) FROM orders GROUP BY EXTRACT(MONTH FROM ordered) ORDER BY m
SELECT order_id FROM orders WHERE DATEDIFF(shipped, ordered) > 400 ORDER BY order_id
SELECT TIMESTAMPDIFF(HOUR, ordered, shipped), TIMESTAMPDIFF(MONTH, ordered, shipped) FROM orders ORDER BY order_id
SELECT DATE_ADD(ordered, INTERVAL 1 MONTH), ordered - INTERVAL 3 DAY, DATE_SUB(joined, INTERVAL 1 YEAR) FROM orders o JOIN customers c ON c.customer_id = o.customer_id ORDER BY order_id
SELECT DAYNAME(ordered), WEEKDAY(ordered), DAYOFWEEK(ordered), LAST_DAY(ordered), WEEK(ordered, 3) FROM orders ORDER BY order_id
SELECT GROUP_CONCAT(title ORDER BY title SEPARATOR '; ') FROM film GROUP BY rating ORDER BY rating
SELECT GROUP_CONCAT(DISTINCT status) FROM orders
SELECT staff_id, GROUP_CONCAT(DISTINCT status ORDER BY status DESC) FROM orders GROUP BY staff_id ORDER BY staff_id
SELECT IF(freight > 100, 'big', 'small') AS s, COUNT(*) FROM orders GROUP BY s ORDER BY s
SELECT IFNULL(city, 'none'), ISNULL(country), NULLIF(city, 'Oslo') FROM customers ORDER BY customer_id
SELECT status, staff_id, COUNT(*) FROM orders GROUP BY status, staff_id WITH ROLLUP
SELECT JSON_EXTRACT(attrs, '$.color'), JSON_UNQUOTE(JSON_EXTRACT(attrs, '$.n.deep')), JSON_VALUE(attrs, '$.size') FROM products ORDER BY product_id
SELECT product_id FROM products WHERE JSON_CONTAINS(attrs, '"red"', '$.color') ORDER BY 1
SELECT JSON_LENGTH(attrs, '$.dims'), JSON_KEYS(attrs) FROM products ORDER BY product_id
SELECT product_id FROM products WHERE JSON_EXTRACT(attrs, '$.size') > 3 ORDER BY 1
SELECT rating, COUNT(*) FROM film WHERE rating <=> NULL OR rating = 'PG' GROUP BY rating ORDER BY rating
SELECT rating + 0, rating FROM film ORDER BY film_id
SELECT title FROM film WHERE rating > 'G' ORDER BY film_id
SELECT title FROM film WHERE title REGEXP '^The .*[05]$' ORDER BY title
SELECT title FROM film WHERE title RLIKE 'film' AND title NOT REGEXP '1' ORDER BY title
SELECT city FROM customers WHERE city = 'OSLO' ORDER BY customer_id
SELECT city, COUNT(*) FROM customers GROUP BY city ORDER BY city
SELECT CONCAT(company, ' / ', IFNULL(city, '-')), CONCAT_WS('-', city, country) FROM customers ORDER BY customer_id
SELECT LEFT(company, 3), RIGHT(customer_id, 2), LOCATE('a', company), INSTR(company, 'n'), SUBSTRING_INDEX(contact, ' ', 1), SUBSTRING(company, 3), MID(company, 2, 3) FROM customers ORDER BY customer_id
SELECT TRIM(contact), REVERSE(customer_id), CHAR_LENGTH(company), UCASE(city) FROM customers ORDER BY customer_id
SELECT ROUND(freight), ROUND(freight, 1), TRUNCATE(freight, 1), CEILING(freight), FLOOR(freight), MOD(order_id, 7), order_id DIV 7, order_id % 5 FROM orders ORDER BY order_id
SELECT CAST(freight AS SIGNED), CAST(order_id AS CHAR), CAST(freight AS DECIMAL(10,1)), CONVERT(freight, CHAR) FROM orders ORDER BY order_id
SELECT CAST(ordered AS DATE), DATE(shipped), TIME(ordered) FROM orders ORDER BY order_id
SELECT order_id FROM orders WHERE ordered BETWEEN '2022-01-01' AND '2022-12-31' ORDER BY 1
SELECT customer_id, COUNT(*) AS n FROM orders GROUP BY customer_id HAVING n > 5 ORDER BY n DESC, customer_id
SELECT freight * 2 AS f2 FROM orders HAVING f2 > 500 ORDER BY f2
SELECT SUM(status = 'paid') AS paid, SUM(shipped IS NULL) AS open_, AVG(freight > 100) FROM orders
SELECT order_id, SUM(freight) OVER (ORDER BY order_id RANGE BETWEEN 5 PRECEDING AND 5 FOLLOWING) FROM orders ORDER BY order_id
SELECT STDDEV(price), VAR_SAMP(in_stock), BIT_OR(in_stock), BIT_XOR(in_stock) FROM products
SELECT GREATEST(freight, 50), LEAST(freight, 50) FROM orders ORDER BY order_id
SELECT order_id FROM orders WHERE !(status = 'paid') ORDER BY 1
SELECT order_id FROM orders WHERE status = 'paid' && freight > 50 ORDER BY 1
SELECT order_id FROM orders WHERE status = 'paid' || freight > 250 ORDER BY 1
SELECT p.product_id, c.name FROM products p NATURAL JOIN categories c ORDER BY product_id
SELECT order_id FROM orders ORDER BY order_id LIMIT 5, 3
SELECT order_id, freight FROM orders ORDER BY freight IS NULL, freight, order_id
SELECT FIELD(status, 'sent', 'paid', 'new') AS f, order_id FROM orders ORDER BY f, order_id
SELECT ELT(order_id % 3 + 1, 'a', 'b', 'c'), FIND_IN_SET('paid', status), STRCMP(status, 'paid') FROM orders ORDER BY order_id
SELECT customer_id FROM orders EXCEPT ALL SELECT customer_id FROM rental ORDER BY 1
SELECT SEC_TO_TIME(3661), TIME_TO_SEC('01:01:01'), ADDTIME('10:00:00', '01:30:00'), TIMEDIFF(shipped, ordered) FROM orders ORDER BY order_id
SELECT MAX(CASE WHEN status = 'paid' THEN freight END) - MIN(CASE WHEN status = 'sent' THEN freight END) FROM orders
SELECT 1 = '1', 'a' = 'A', NULL <=> NULL, 5 / 2, 5 DIV 2, -7 % 3, 7 ^ 2, 7 & 3, 1 << 4
SELECT COUNT(DISTINCT status, staff_id) FROM orders
SELECT * FROM (SELECT 1 AS a UNION SELECT 2) AS x ORDER BY a
SELECT HEX('abc'), CRC32('abc'), MD5('abc'), BIN(5), OCT(9), CONV('ff', 16, 10), SOUNDEX('hello'), FORMAT(12345.678, 2), INET_ATON('10.0.0.1')
SELECT staff_id, MAX(freight) FROM orders GROUP BY staff_id ORDER BY staff_id DESC
