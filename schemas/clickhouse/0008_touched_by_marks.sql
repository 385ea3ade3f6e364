-- Copies each mark. A copy that is lost only costs time: the worker also looks through usage_daily itself.
CREATE MATERIALIZED VIEW IF NOT EXISTS touched_by_marks TO touched AS
SELECT at, customer, subscription, date
FROM usage_daily
WHERE kind = 'mark';
