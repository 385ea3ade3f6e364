-- Rows whose customer a read by subscription does not look under.
SELECT DISTINCT subscription, toString(customer) AS customer
FROM usage_events
WHERE toYYYYMM(billed_at) % {slices:UInt64} = {slice:UInt64}
    AND (subscription, customer) NOT IN (SELECT subscription, customer FROM subscription_customers)
LIMIT {limit:UInt64}
SETTINGS final = 0
