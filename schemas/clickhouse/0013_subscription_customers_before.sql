-- Of what was written before there was a table to note it.
INSERT INTO subscription_customers
SELECT DISTINCT subscription, customer
FROM usage_daily
WHERE kind = 'mark';
