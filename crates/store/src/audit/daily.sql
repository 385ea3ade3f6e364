SELECT customer, subscription, date, row.1 AS option_code, row.2 AS billing_day, row.3 AS total, row.4 AS records,
    row.5 AS latest_end
FROM ({dates})
ARRAY JOIN data AS row
WHERE is_clean
