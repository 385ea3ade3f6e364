-- Rows that name no customer, of subscriptions on the days on which they are somebody's.
-- PREWHERE comes before FINAL: it may name columns of the sort key alone, which all copies of a row share.
SELECT
    toString(option_code) AS option_code,
    toYYYYMM(billing_day) AS month,
    toString(sum(toDecimal256(units, 18))) AS total,
    count() AS records
FROM usage_events FINAL
ALL INNER JOIN
(
    SELECT owned.1 AS subscription, owned.2 AS from_day, owned.3 AS to_day
    FROM
    (
        SELECT arrayJoin(arrayZip(
            {subscriptions:Array(String)}, {from_days:Array(Int32)}, {to_days:Array(Int32)})) AS owned
    )
) AS ownership USING subscription
PREWHERE customer = '' AND subscription IN {subscriptions:Array(String)}
WHERE toInt32(billing_day) >= from_day AND toInt32(billing_day) < to_day
GROUP BY option_code, month
