-- Evidence: one row a copy of an event that was ever read, creations and changes alike. Nothing is replaced but the same
-- copy, inserted again: so copies with other content are found even where usage_events has merged them away.
-- Where a copy was read is in its version, whose low 80 bits are the complements of partition, offset, and index.
-- Merges wait for more parts than usual: nobody waits for what is read here, and each merge writes every row anew.
CREATE TABLE IF NOT EXISTS identities
(
    identity_hash UInt64 COMMENT 'of subscription and identity, its low 53 bits are the usage_reference' CODEC(Delta, LZ4),
    topic         LowCardinality(String),
    version       UInt128 COMMENT 'as in usage_events, below 2^126 it is a creation' CODEC(ZSTD(1)),
    record_time   DateTime64(3, 'UTC') COMMENT 'timestamp of the Kafka record' CODEC(T64, LZ4),
    content_hash  UInt64 COMMENT 'of all that the event states, copies with the same one are the same usage' CODEC(NONE),
    key_hash      UInt64 COMMENT 'of the sort key of its row in usage_events' CODEC(NONE),
    partition     Int32 ALIAS toInt32(bitAnd(bitShiftRight(bitNot(version), 60), 0xFFFFF)),
    offset        Int64 ALIAS toInt64(bitAnd(bitShiftRight(bitNot(version), 10), 0x3FFFFFFFFFFFF)),
    `index`       UInt16 ALIAS toUInt16(bitAnd(bitNot(version), 0x3FF)) COMMENT 'of the event in its record'
)
ENGINE = ReplacingMergeTree
ORDER BY (identity_hash, topic, version, record_time, content_hash, key_hash)
SETTINGS
    merge_selector_base = 20,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
