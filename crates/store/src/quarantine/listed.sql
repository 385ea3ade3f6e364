    has_timestamp,
    toString(reason) AS reason_text,
    toString(first_reason) AS first_reason_text,
    detail,
    raw_length,
    toUnixTimestamp64Milli(rejected_at) AS rejected_at_ms,
    toUnixTimestamp64Milli(replayed_at) AS replayed_at_ms,
    toString(replay_outcome) AS outcome
