"""The language on one page, as text for a terminal. Pure data."""

from __future__ import annotations

__all__ = ["GUIDE"]

GUIDE = """\
Rows          list customers                        names and countries of customers
              list order total, customer name for orders
              list distinct country of customers    customers with their number of orders
              customer "Ann"    order 5             orders of customer "Ann"     products of category Toys
Numbers       count orders                          how many orders are there
              sum of order total                    average, minimum and maximum total of orders
              count distinct country of customers   average number of orders per customer
              sum of quantity * price of order lines        average days from order date to shipped date of orders
              sum of order total / number of orders         maximum total - minimum total of orders
Conditions    where total > 100                     total is between 5 and 10        quantity * price at least 50
              country is Brazil or France           country in (Brazil, "Costa Rica")      customers from Brazil
              name contains "ann"                   name starts with "A"             name like "A%"
              email is (not) empty                  not shipped                      active
              ... and ..., ... or ..., not ..., ( ... )
Dates         order date in 2024      since 2024-05-17      order date is between May 2024 and 2024-08      today
              in the last 30 days     this month            last year           order date more than 2 weeks ago
              customers older than 60               customers at least 18 years old
Other tables  customer country is Brazil            boss is "Ann"        category is Toys        boss name is "Ann"
              customers with orders                 customers with at least 3 orders where total > 100
              customers without orders since 2024   products never ordered by customers from Brazil
              orders of customers where country is Brazil
              customers with products "Ball" and "Doll"     customers with product "Ball" but without orders in 2023
              customers where sum of order total > 1000 and number of orders < 5
Comparing     products with price above the average         products with price above the average of their category
              customers with more orders than "Ann"         customers with more orders than average
              products more expensive than "Ball"           customers with the same country as "Ann"
Groups        count orders per customer             sum of order total per customer country
              count and average of total of orders per year         (quarter, month, week, day, weekday, hour)
              count orders per status and year of order date having count > 5 and average total > 20
              countries with more than 5 customers  countries with more customers than France
              share of orders per status            percentage of customers with orders
              running total of order total per month of order date
              months with more orders than the month before
Order         sorted by total descending, name      limit 10
              top 5 customers by sum of order total     bottom 3 products by price     first 10 orders by order date
              top 3 countries by number of customers        name of the customer with the most orders
              the 3 orders with the highest total           the cheapest product
              the product with the second highest price     second highest price of products
Per group     the latest order of each customer             the cheapest product per category
              top 3 products per category by price
Two lists     countries of customers or suppliers           countries of customers but not suppliers
              either (list ...) or (list ...)      both (list ...) and (list ...)      (list ...) but not (list ...)
Tools         use TOOL with NAME VALUE, NAME VALUE

Table and column names: any case, singular or plural, as words or as they are; `in backquotes` exactly that name.
Texts in "double quotes"; numbers, dates and stored values without. What can mean two things is asked back.
"""
