-- The subscription so many rows behind another one. None: there are not so many.
SELECT customer, subscription
FROM usage_daily
WHERE customer > {customer:String} OR (customer = {customer:String} AND subscription > {subscription:String})
ORDER BY customer, subscription
LIMIT 1 OFFSET {rows:UInt64}
