-- Copies each mark. A copy that is lost costs time: the worker also looks through usage_daily itself. The next mark is a
-- nanosecond after the newest copy, or at the server's time, whichever is later.
CREATE MATERIALIZED VIEW IF NOT EXISTS touched_by_marks TO touched AS
SELECT at, customer, subscription, date
FROM usage_daily
WHERE kind = 'mark';
