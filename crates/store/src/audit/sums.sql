SELECT customer, subscription, toDate32(billed_at) AS date, option_code, billing_day,
    sum(toDecimal256(units, 18)) AS total, count() AS records, max(usage_end) AS latest_end
FROM usage_events FINAL
WHERE toYYYYMM(billed_at) % {slices:UInt64} = {slice:UInt64}
    AND (customer, subscription, toDate32(billed_at)) NOT IN
    (SELECT customer, subscription, date FROM ({dates}) WHERE NOT is_clean)
GROUP BY customer, subscription, date, option_code, billing_day
