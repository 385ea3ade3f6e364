-- Quarantine: one row a record (index -1) or event that is not usable, with all that a replay needs.
-- A row with a replay's outcome stands above the one without.
CREATE TABLE IF NOT EXISTS rejects
(
    topic          LowCardinality(String),
    partition      Int32,
    offset         Int64,
    record_time    DateTime64(3, 'UTC') COMMENT 'timestamp of the Kafka record, 1970 where it has none',
    `index`        Int32 COMMENT 'of the event in its record, -1 for the whole record',
    reason         LowCardinality(String),
    detail         String,
    record_key     String,
    headers        Array(Tuple(name String, value String)),
    raw            String COMMENT 'value of the record, or the first 64 KiB of one that is too large',
    raw_length     UInt64 COMMENT 'length of the whole value',
    raw_sha256     FixedString(32) COMMENT 'hash of the whole value',
    rejected_at    DateTime64(3, 'UTC') DEFAULT now64(3),
    replayed_at    DateTime64(3, 'UTC') COMMENT '1970 where it was not replayed',
    replay_outcome LowCardinality(String) COMMENT 'empty where it was not replayed'
)
ENGINE = ReplacingMergeTree(replayed_at)
PARTITION BY toYYYYMM(record_time)
ORDER BY (topic, partition, offset, record_time, `index`)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
