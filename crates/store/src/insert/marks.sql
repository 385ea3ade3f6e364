INSERT INTO usage_daily (customer, subscription, date, kind, at)
SELECT
    customer,
    subscription,
    date,
    'mark',
    greatest(now64(9), (SELECT max(at) FROM touched) + toIntervalNanosecond(1))
FROM
