CREATE MATERIALIZED VIEW view TO t AS
SELECT
    EventId AS event_id, Customer AS customer, SubscriptionReference AS subscription, OptionCode AS option_code,
    UsageStart AS usage_start, UsageEnd AS usage_end, Units AS units, Description AS description,
    _topic, _partition, _offset
FROM queue
