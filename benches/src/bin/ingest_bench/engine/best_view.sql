CREATE MATERIALIZED VIEW view TO t AS
WITH JSONExtract(raw, 'Tuple(
    EventId String, Customer String, SubscriptionReference String, OptionCode String,
    UsageStart String, UsageEnd String, Units String, Description String)') AS event
SELECT
    event.1 AS event_id, event.2 AS customer, event.3 AS subscription, event.4 AS option_code,
    parseDateTime64BestEffort(event.5, 3, 'UTC') AS usage_start,
    parseDateTime64BestEffort(event.6, 3, 'UTC') AS usage_end,
    toDecimal128(event.7, 18) AS units, event.8 AS description,
    _topic, _partition, _offset
FROM queue
