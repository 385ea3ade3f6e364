-- Quarantine: one row a record that is not usable, or an event that is not, with all that a replay needs.
-- A row with a replay's outcome stands above the one without, a later outcome above an earlier, and above all that the
-- record is stored: nothing takes that back.
CREATE TABLE IF NOT EXISTS rejects
(
    topic          LowCardinality(String),
    partition      Int32,
    offset         Int64,
    record_time    DateTime64(3, 'UTC') COMMENT 'timestamp of the Kafka record, 1970 where it has none',
    `index`        Int32 COMMENT 'of the event at fault in its record, -1 for the whole record',
    scope          Enum8('record' = 0, 'event' = 1) COMMENT 'what is not stored: the record with all its events, or the one event',
    has_timestamp  Bool DEFAULT true COMMENT 'whether the Kafka record has a timestamp',
    reason         LowCardinality(String),
    first_reason   LowCardinality(String) DEFAULT reason COMMENT 'reason before the first replay',
    detail         String,
    record_key     String,
    headers        Array(Tuple(name String, value String)),
    raw            String COMMENT 'value of the record, or the first 64 KiB of one that is too large',
    raw_length     UInt64 COMMENT 'length of the whole value',
    raw_sha256     FixedString(32) COMMENT 'hash of the whole value',
    rejected_at    DateTime64(3, 'UTC') DEFAULT now64(3),
    replayed_at    DateTime64(3, 'UTC') COMMENT '1970 where it was not replayed',
    replay_outcome LowCardinality(String) COMMENT 'stored, duplicate, conflict, rejected or unavailable, empty where it was not replayed',
    standing       UInt64 MATERIALIZED toUnixTimestamp64Milli(replayed_at) + bitShiftLeft(toUInt64(replay_outcome IN ('stored', 'duplicate')), 60)
                          COMMENT 'of the rows of one reject the one with the highest counts'
)
ENGINE = ReplacingMergeTree(standing)
PARTITION BY toYYYYMM(record_time)
ORDER BY (topic, partition, offset, record_time, `index`, scope)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
