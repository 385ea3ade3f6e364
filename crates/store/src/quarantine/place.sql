SELECT
    toUnixTimestamp64Milli(record_time) AS record_time_ms,
    toString(topic) AS topic_name,
    partition,
    offset,
    index,
    scope = 'event' AS is_event,
