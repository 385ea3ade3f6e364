-- Sums of some UTC dates, by billing day.
-- PREWHERE comes before FINAL: it may name columns of the sort key alone, which all copies of a row share. The dates also
-- choose the partitions.
SELECT
    subscription,
    option_code,
    billing_day,
    reinterpretAsInt256(sum(toDecimal256(units, 18))) AS total,
    count() AS records,
    max(usage_end) AS latest_end
FROM usage_events FINAL
PREWHERE customer = {customer:String} AND (subscription, toDate32(billed_at)) IN
(
    SELECT date.1, toDate32(date.2)
    FROM (SELECT arrayJoin(arrayZip({subscriptions:Array(String)}, {days:Array(Int32)})) AS date)
)
GROUP BY subscription, option_code, billing_day
