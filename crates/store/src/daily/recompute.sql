-- Header and data rows of some dates, from one scan of their events. A date without events gets a header, too.
-- PREWHERE comes before FINAL: it may name columns of the sort key alone, which all copies of a row share.
INSERT INTO usage_daily
    (customer, subscription, date, kind, option_code, billing_day, at, units, records, latest_end, mark)
WITH dates AS
(
    SELECT unit.1 AS customer, unit.2 AS subscription, toDate32(unit.3) AS date, unit.4 AS mark
    FROM
    (
        SELECT arrayJoin(arrayZip(
            {customers:Array(String)}, {subscriptions:Array(String)}, {days:Array(Int32)},
            {marks:Array(Int64)})) AS unit
    )
)
SELECT
    customer, subscription, date, entry.1, entry.2, entry.3,
    fromUnixTimestamp64Nano({scan:Int64}, 'UTC'),
    entry.4, entry.5, entry.6, fromUnixTimestamp64Nano(entry.7, 'UTC')
FROM
(
    SELECT
        customer, subscription, date, max(known_mark) AS mark,
        groupArrayIf(('data', option_code, billing_day, total, events, latest, toInt64(0)), events > 0) AS data
    FROM
    (
        SELECT
            customer, subscription, toDate32(billed_at) AS date, option_code, billing_day,
            sum(toDecimal256(units, 18)) AS total,
            count() AS events,
            max(usage_end) AS latest,
            toInt64(0) AS known_mark
        FROM usage_events FINAL
        PREWHERE (customer, subscription, toDate32(billed_at)) IN (SELECT customer, subscription, date FROM dates)
        GROUP BY customer, subscription, date, option_code, billing_day
        UNION ALL
        SELECT
            customer, subscription, date, '', toDate32(0), toDecimal256(0, 18), 0, toDateTime64(0, 6, 'UTC'), mark
        FROM dates
    )
    GROUP BY customer, subscription, date
)
ARRAY JOIN arrayPushBack(
    data,
    ('header', '', toDate32(0), toDecimal256(0, 18), length(data), toDateTime64(0, 6, 'UTC'), mark)) AS entry
