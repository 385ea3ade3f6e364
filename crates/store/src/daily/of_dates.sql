-- All that is stored of some dates.
SELECT customer, subscription, date, kind, option_code, billing_day, at, units, records, latest_end, mark
FROM usage_daily
PREWHERE (customer, subscription, date) IN
(
    SELECT unit.1, unit.2, toDate32(unit.3)
    FROM
    (
        SELECT arrayJoin(arrayZip(
            {customers:Array(String)}, {subscriptions:Array(String)}, {days:Array(Int32)})) AS unit
    )
)
