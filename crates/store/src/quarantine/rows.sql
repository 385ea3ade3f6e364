SELECT DISTINCT
    subscription,
    identity,
    toString(topic) AS topic_name,
    partition,
    offset,
    index,
    toUnixTimestamp64Milli(record_time) AS record_time_ms
FROM usage_events
WHERE usage_reference IN {references:Array(UInt64)}
