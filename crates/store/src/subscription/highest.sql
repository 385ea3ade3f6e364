-- The highest versions of usages over all of their keys, whomever these name, also where the usage is taken away: without FINAL.
SELECT identity, max(version) AS highest
FROM usage_events
PREWHERE subscription = {subscription:String} AND customer IN
    (SELECT customer FROM subscription_customers WHERE subscription = {subscription:String})
WHERE usage_reference IN {references:Array(UInt64)}
GROUP BY identity
SETTINGS final = 0
