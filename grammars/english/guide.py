"""The language on one page, as text for a terminal. Pure data."""

from __future__ import annotations

__all__ = ["GUIDE"]

GUIDE = """\
Rows          list customers                        names and countries of customers
              list order total, customer name for orders
              list distinct country of customers    customers and their number of orders
Numbers       count orders                          how many orders are there
              sum of order total                    average, minimum and maximum total of orders
              count distinct country of customers
Conditions    where total > 100                     total is between 5 and 10        total > average total
              country is Brazil or France           country in (Brazil, "Costa Rica")
              name contains "ann"                   name starts with "A"             email is (not) empty
              placed in 2024                        placed after 2024-05-17          placed between May 2024 and 2024-08
              ... and ..., ... or ..., not ..., ( ... )
Other tables  customer country is Brazil            country of customer is Brazil    boss name is "Ann"
              customers with orders                 customers with at least 3 orders where total > 100
              orders of customers where country is Brazil
              customers without orders              customers without (orders where status is open)
              customers where sum of order total > 1000 and number of orders < 5
Groups        count orders per customer             sum of order total per customer country
              count orders per status and year of placed having count > 5 and average total > 20
Order         sorted by total descending, name      limit 10
              top 5 customers by sum of order total bottom 3 products by price
              first 10 orders by placed             top 3 countries by number of customers
              the 3 orders with the highest total   name of the customer with the most orders
Tools         use TOOL with NAME VALUE, NAME VALUE

Table and column names: any case, singular or plural, as words or as they are; `in backquotes` exactly that name.
Texts in "double quotes"; numbers, dates and stored values without.
"""
