-- All that is stored by day of rows that name a customer.
SELECT customer, subscription, date, kind, option_code, billing_day, at, units, records, latest_end, mark
FROM usage_daily
PREWHERE customer = {customer:String}
