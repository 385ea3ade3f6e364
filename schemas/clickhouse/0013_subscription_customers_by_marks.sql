-- Notes whom a mark is about. An insert of marks counts as failed, and is repeated, unless this is written, too.
CREATE MATERIALIZED VIEW IF NOT EXISTS subscription_customers_by_marks TO subscription_customers AS
SELECT DISTINCT subscription, customer
FROM usage_daily
WHERE kind = 'mark';
