-- A page of usages.
SELECT
    usage_reference,
    toString(option_code) AS option_code,
    usage_start,
    usage_end,
    units,
    description,
    renewal_order_reference
