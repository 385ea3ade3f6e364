-- Rows that name the customer themselves.
-- PREWHERE comes before FINAL: it may name columns of the sort key alone, which all copies of a row share.
SELECT
    toString(option_code) AS option_code,
    toYYYYMM(billing_day) AS month,
    toString(sum(toDecimal256(units, 18))) AS total,
    count() AS records
FROM usage_events FINAL
PREWHERE customer = {customer:String}
GROUP BY option_code, month
