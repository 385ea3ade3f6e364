-- A page of usages, each with the number of them all.
SELECT
    usage_reference,
    toString(option_code) AS option_code,
    usage_start,
    usage_end,
    units,
    description,
    renewal_order_reference,
    count() OVER () AS matching
