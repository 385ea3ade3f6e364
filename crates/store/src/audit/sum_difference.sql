SELECT customer, subscription, toString(date) AS date, option_code, toString(billing_day) AS billing_day,
    toString(daily.total) AS daily_total, daily.records AS daily_records,
    toString(events.total) AS events_total, events.records AS events_records
FROM (SELECT * FROM ({daily}) WHERE cityHash64(customer, subscription, date) % {buckets:UInt64} IN {differing:Array(UInt64)}) AS daily
FULL OUTER JOIN
    (SELECT * FROM ({sums}) WHERE cityHash64(customer, subscription, date) % {buckets:UInt64} IN {differing:Array(UInt64)}) AS events
    USING (customer, subscription, date, option_code, billing_day)
WHERE (daily.total, daily.records, daily.latest_end) != (events.total, events.records, events.latest_end)
ORDER BY customer, subscription, date, option_code, billing_day
LIMIT {limit:UInt64}
