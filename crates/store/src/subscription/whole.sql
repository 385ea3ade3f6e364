-- Usages with all that they state, and where they were read.
SELECT
    toString(customer) AS customer,
    subscription,
    toString(option_code) AS option_code,
    identity,
    usage_start,
    usage_end,
    billed_at,
    billing_day,
    units,
    description,
    renewal_order_reference,
    origin,
    revision,
    version,
    toString(topic) AS topic,
    partition,
    offset
