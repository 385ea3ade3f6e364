-- Texts that need not be UTF-8 come in hex.
SELECT
    toUnixTimestamp64Milli(record_time) AS record_time_ms,
    toString(topic) AS topic_name,
    partition,
    offset,
    index,
    scope = 'event' AS is_event,
    has_timestamp,
    toString(reason) AS reason_text,
    toString(first_reason) AS first_reason_text,
    detail,
    raw_length,
    toUnixTimestamp64Milli(rejected_at) AS rejected_at_ms,
    toUnixTimestamp64Milli(replayed_at) AS replayed_at_ms,
    toString(replay_outcome) AS outcome,
    hex(record_key) AS record_key_hex,
    arrayMap(header -> (hex(header.name), hex(header.value)), headers) AS headers_hex,
    hex(raw) AS raw_hex,
    hex(raw_sha256) AS raw_sha256_hex
FROM rejects FINAL
