SELECT subscription, min(toInt32(billing_day)) AS first_day, max(toInt32(billing_day)) AS last_day
FROM usage_events FINAL
PREWHERE customer = ''
GROUP BY subscription
ORDER BY subscription
