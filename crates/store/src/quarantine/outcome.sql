INSERT INTO rejects
(
    topic, partition, offset, record_time, index, scope, has_timestamp, reason, first_reason, detail, record_key, headers,
    raw, raw_length, raw_sha256, rejected_at, replayed_at, replay_outcome
)
SELECT
    topic, partition, offset, record_time, index, scope, has_timestamp, reason, first_reason, detail, record_key, headers,
    raw, raw_length, raw_sha256, rejected_at,
    greatest(now64(3), replayed_before + toIntervalMillisecond(1)),
    replay_outcome
FROM input('topic LowCardinality(String), partition Int32, offset Int64, record_time DateTime64(3, \'UTC\'), index Int32,
    scope Enum8(\'record\' = 0, \'event\' = 1), has_timestamp Bool, reason LowCardinality(String),
    first_reason LowCardinality(String), detail String, record_key String, headers Array(Tuple(name String, value String)),
    raw String, raw_length UInt64, raw_sha256 FixedString(32), rejected_at DateTime64(3, \'UTC\'),
    replayed_before DateTime64(3, \'UTC\'), replay_outcome LowCardinality(String)')
FORMAT Native
