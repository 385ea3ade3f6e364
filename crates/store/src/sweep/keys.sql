-- Every sort key that has rows of these references, also where a higher version has taken the usage away: without FINAL.
SELECT
    toString(customer) AS customer,
    subscription,
    toString(option_code) AS option_code,
    identity,
    argMax(billed_at, version) AS billed,
    argMax(billing_day, version) AS day,
    max(version) AS highest,
    maxIf(version, is_deleted = 1) AS tombstone
FROM usage_events
WHERE usage_reference IN {references:Array(UInt64)}
GROUP BY customer, subscription, toDate32(billed_at), option_code, identity
SETTINGS final = 0
