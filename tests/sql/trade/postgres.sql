SELECT CAST(price AS INTEGER) FROM products WHERE price IS NOT NULL ORDER BY product_id
SELECT "Product Name", "order" FROM products, orders WHERE product_id = order_id ORDER BY product_id
SELECT DISTINCT ON (customer_id) customer_id, order_id, freight FROM orders ORDER BY customer_id, freight DESC NULLS LAST, order_id
SELECT DATE_TRUNC('month', ordered) AS m, COUNT(*) FROM orders GROUP BY 1 ORDER BY 1
SELECT EXTRACT(YEAR FROM ordered) AS y, EXTRACT(QUARTER FROM ordered) AS q, SUM(freight) FROM orders GROUP BY y, q ORDER BY y, q
SELECT TO_CHAR(ordered, 'YYYY-MM') AS ym, COUNT(*) FROM orders GROUP BY TO_CHAR(ordered, 'YYYY-MM') ORDER BY ym
SELECT order_id FROM orders WHERE shipped - ordered > INTERVAL '400 days' ORDER BY order_id
SELECT ordered::date + 7, ordered + INTERVAL '1 month', AGE(shipped, ordered) FROM orders WHERE shipped IS NOT NULL ORDER BY order_id
SELECT AVG(shipped - ordered) FROM orders
SELECT DATE_PART('dow', ordered) AS d, COUNT(*) FROM orders GROUP BY d ORDER BY d
SELECT COUNT(*) FILTER (WHERE status = 'paid') AS paid, COUNT(*) FILTER (WHERE shipped IS NULL) AS open FROM orders
SELECT customer_id, SUM(freight) FILTER (WHERE status IS DISTINCT FROM 'new') FROM orders GROUP BY customer_id ORDER BY 1
SELECT c.customer_id, x.order_id FROM customers c CROSS JOIN LATERAL (SELECT o.order_id FROM orders o WHERE o.customer_id = c.customer_id ORDER BY o.freight DESC NULLS LAST, o.order_id LIMIT 2) x ORDER BY 1, 2
SELECT c.customer_id, x.order_id FROM customers c LEFT JOIN LATERAL (SELECT o.order_id FROM orders o WHERE o.customer_id = c.customer_id ORDER BY o.order_id LIMIT 1) x ON TRUE ORDER BY 1
SELECT status, staff_id, COUNT(*) FROM orders GROUP BY GROUPING SETS ((status, staff_id), (status), ()) ORDER BY 1, 2, 3
SELECT status, staff_id, SUM(freight) FROM orders GROUP BY ROLLUP (status, staff_id) ORDER BY 1, 2, 3
SELECT status, staff_id, COUNT(*), GROUPING(status) FROM orders GROUP BY CUBE (status, staff_id) ORDER BY 1, 2, 3, 4
SELECT attrs ->> 'color' AS color, COUNT(*) FROM products GROUP BY attrs ->> 'color' ORDER BY 1
SELECT product_id FROM products WHERE (attrs ->> 'size')::int > 3 ORDER BY 1
SELECT attrs -> 'n' ->> 'deep', attrs #>> '{dims,0}' FROM products ORDER BY product_id
SELECT JSONB_ARRAY_LENGTH(attrs -> 'dims') FROM products WHERE attrs IS NOT NULL ORDER BY product_id
SELECT STRING_AGG(title, ', ' ORDER BY title) FROM film GROUP BY rating ORDER BY 1
SELECT ARRAY_AGG(order_id ORDER BY order_id) FROM orders GROUP BY staff_id ORDER BY 1
SELECT rating, COUNT(*) FROM film WHERE rating = 'PG' OR rating IS NULL GROUP BY rating ORDER BY rating
SELECT rating::text AS r, COUNT(*) FROM film GROUP BY rating ORDER BY r NULLS FIRST
SELECT title FROM film WHERE title ILIKE 'the%' ORDER BY title COLLATE "C"
SELECT title FROM film WHERE title ~ '^The .*[05]$' ORDER BY title
SELECT title FROM film WHERE title !~* 'the' ORDER BY title
SELECT INITCAP(city), LEFT(company, 3), RIGHT(customer_id, 2), POSITION('a' IN company), company || ' / ' || COALESCE(city, '-') FROM customers ORDER BY customer_id
SELECT SPLIT_PART("Special Features", ',', 1) AS f, COUNT(*) FROM film GROUP BY 1 ORDER BY 1
SELECT CONCAT_WS(' - ', city, country) FROM customers ORDER BY customer_id
SELECT TRIM(BOTH FROM contact), REGEXP_REPLACE(contact, '[A-Z]\.', 'X') FROM customers ORDER BY customer_id
SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY freight) FROM orders
SELECT status, MODE() WITHIN GROUP (ORDER BY staff_id) FROM orders GROUP BY status ORDER BY 1
SELECT order_id, LAST_VALUE(freight) OVER (ORDER BY order_id GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM orders ORDER BY 1
SELECT customer_id FROM orders EXCEPT ALL SELECT customer_id FROM rental ORDER BY 1
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v (n, t) JOIN categories c ON c.category_id = v.n ORDER BY v.n
SELECT order_id FROM orders ORDER BY order_id FETCH FIRST 3 ROWS ONLY
SELECT freight::int, freight::text, freight::numeric(10,1), CAST(order_id AS varchar(3)) FROM orders ORDER BY order_id
SELECT bool_and(discontinued), every(in_stock > 0) FROM products
SELECT CORR(price, in_stock), STDDEV(price), VARIANCE(in_stock) FROM products
SELECT WIDTH_BUCKET(freight, 0, 300, 5) AS b, COUNT(*) FROM orders GROUP BY b ORDER BY b
SELECT GREATEST(freight, 50), LEAST(freight, 50) FROM orders ORDER BY order_id
SELECT order_id FROM orders WHERE ordered BETWEEN DATE '2022-01-01' AND DATE '2022-12-31' ORDER BY 1
SELECT EXTRACT(EPOCH FROM (shipped - ordered)) / 86400 AS days FROM orders WHERE shipped IS NOT NULL ORDER BY order_id
SELECT DATE_BIN('7 days', ordered, TIMESTAMP '2021-01-01') AS w, COUNT(*) FROM orders GROUP BY w ORDER BY w
SELECT ordered AT TIME ZONE 'UTC' FROM orders ORDER BY order_id
SELECT TO_DATE('2022-03-04', 'YYYY-MM-DD'), MAKE_DATE(2022, 3, 4)
SELECT JUSTIFY_DAYS(shipped - ordered) FROM orders WHERE shipped IS NOT NULL ORDER BY order_id
SELECT p.*, c.name FROM products p NATURAL LEFT JOIN categories c ORDER BY product_id
SELECT COUNT(*) FROM customers c FULL JOIN orders o ON o.customer_id = c.customer_id
SELECT JSON_AGG(title ORDER BY film_id) FROM film WHERE film_id < 4
SELECT ROW_NUMBER() OVER () FROM categories
SELECT city IS NOT DISTINCT FROM country, city IS DISTINCT FROM 'Oslo' FROM customers ORDER BY customer_id
SELECT '2022-01-31'::date + INTERVAL '1 month', '12:30'::time + INTERVAL '90 minutes'
SELECT COUNT(*) FROM orders WHERE status NOT IN ('new', 'paid') OR status IS NULL
SELECT freight FROM orders WHERE freight IS NOT NULL ORDER BY freight DESC NULLS LAST LIMIT 3
SELECT customer_id, COUNT(*) FROM orders GROUP BY customer_id ORDER BY COUNT(*) DESC, customer_id
SELECT x FROM (VALUES (1), (NULL), (3)) AS v (x) ORDER BY x NULLS FIRST
