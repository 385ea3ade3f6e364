-- Each date's data rows as readers take them, and whether they take them at all.
SELECT
    customer,
    subscription,
    date,
    maxIf(at, kind = 'header') AS scanned_at,
    arrayDistinct(groupArrayIf((option_code, billing_day, units, records, latest_end, at), kind = 'data')) AS written,
    arrayFilter(row -> row.6 = scanned_at, written) AS data,
    argMaxIf(mark, at, kind = 'header') = maxIf(at, kind = 'mark')
        AND scanned_at > maxIf(at, kind = 'mark') + toIntervalMillisecond({margin_ms:UInt64})
        AND length(data) = argMaxIf(records, at, kind = 'header') AS is_clean
FROM usage_daily
WHERE toYYYYMM(date) % {slices:UInt64} = {slice:UInt64}
GROUP BY customer, subscription, date
