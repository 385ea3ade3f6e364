-- Dates that got marks in some time.
SELECT customer, subscription, date, toUnixTimestamp64Nano(max(at)) AS newest
FROM touched
WHERE at > fromUnixTimestamp64Nano({after:Int64}, 'UTC') AND at <= fromUnixTimestamp64Nano({until:Int64}, 'UTC')
GROUP BY customer, subscription, date
