-- Evidence: one row a copy of an event that was ever read, creations and changes alike. Nothing is replaced but the same
-- copy, inserted again: so copies with other content are found even where usage_events has merged them away.
CREATE TABLE IF NOT EXISTS identities
(
    identity_hash UInt64 COMMENT 'of subscription and identity, its low 53 bits are the usage_reference' CODEC(Delta, LZ4),
    topic         LowCardinality(String),
    partition     Int32 CODEC(T64, LZ4),
    offset        Int64 CODEC(T64, LZ4),
    `index`       UInt16 COMMENT 'of the event in its record',
    record_time   DateTime64(3, 'UTC') COMMENT 'timestamp of the Kafka record' CODEC(T64, LZ4),
    content_hash  UInt64 COMMENT 'of all that the event states, copies with the same one are the same usage' CODEC(NONE),
    key_hash      UInt64 COMMENT 'of the sort key of its row in usage_events' CODEC(NONE),
    version       UInt128 COMMENT 'as in usage_events, below 2^126 it is a creation' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (identity_hash, topic, partition, offset, `index`, record_time, content_hash, key_hash)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
