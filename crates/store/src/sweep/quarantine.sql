INSERT INTO rejects
(
    topic, partition, offset, record_time, index, scope, has_timestamp, reason, detail, record_key, headers, raw, raw_length,
    raw_sha256
)
SELECT
    topic, partition, offset, record_time, index, scope, has_timestamp, reason, detail, record_key, headers, raw, raw_length,
    raw_sha256
FROM input('topic LowCardinality(String), partition Int32, offset Int64, record_time DateTime64(3, \'UTC\'), index Int32,
    scope Enum8(\'record\' = 0, \'event\' = 1), has_timestamp Bool, reason LowCardinality(String), detail String,
    record_key String, headers Array(Tuple(name String, value String)), raw String, raw_length UInt64,
    raw_sha256 FixedString(32)')
WHERE
