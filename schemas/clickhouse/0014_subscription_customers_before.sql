-- What was marked before there was a view to note it.
INSERT INTO subscription_customers
SELECT DISTINCT subscription, customer
FROM usage_daily
WHERE kind = 'mark';
