-- First dates of the months that hold events, or anything in usage_daily.
SELECT DISTINCT toInt32(toStartOfMonth(date)) AS month
FROM
(
    SELECT DISTINCT toDate32(billed_at) AS date FROM usage_events
    UNION DISTINCT
    SELECT DISTINCT date FROM usage_daily
)
WHERE date >= toDate32({from:Int32}) AND date <= toDate32({to:Int32})
ORDER BY month
