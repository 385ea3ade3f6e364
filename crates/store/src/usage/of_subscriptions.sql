-- All that is stored by day of rows that name no customer, of some subscriptions.
SELECT customer, subscription, date, kind, option_code, billing_day, at, units, records, latest_end, mark
FROM usage_daily
PREWHERE customer = '' AND subscription IN {subscriptions:Array(String)}
