SELECT DISTINCT toInt32(billing_day) AS day
FROM usage_events FINAL
PREWHERE customer = '' AND subscription = {subscription:String}
ORDER BY day
