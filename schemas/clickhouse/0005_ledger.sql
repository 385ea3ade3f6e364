-- What is accounted for: one row a batch and partition, written once all that was read is stored. A partition is read on
-- from the end of the ranges that touch each other from the beginning of its newest epoch.
CREATE TABLE IF NOT EXISTS ledger
(
    topic              LowCardinality(String),
    partition          Int32,
    epoch              UInt32 COMMENT 'counts beginnings: the first reading of the partition, and each accepted one',
    from_position      Int64 COMMENT 'first offset of the range, an empty range is the beginning of an epoch',
    next_position      Int64 COMMENT 'offset behind the range',
    resumed_at         Int64 COMMENT 'end of the touching ranges that were on record when the reading of this one began',
    stored             UInt64 COMMENT 'records whose events are stored',
    rejected           UInt64 COMMENT 'records in quarantine',
    holes              UInt64 COMMENT 'offsets without a record, such as markers of transactions',
    amended            UInt64 COMMENT 'events',
    deleted            UInt64 COMMENT 'events',
    last_record_offset Int64 DEFAULT -1 COMMENT 'last record up to the end of the range, -1: none since the beginning',
    last_record_time   DateTime64(3, 'UTC') COMMENT 'its timestamp',
    last_record_hash   UInt64 COMMENT 'of its key and value',
    topic_id           UInt128 COMMENT 'that Kafka has given to the topic, 0: it gives none',
    note               String COMMENT 'who named this beginning, and why',
    software           String COMMENT 'version of the program that wrote it',
    written_at         DateTime64(3, 'UTC') DEFAULT now64(3),
    INDEX ends next_position TYPE minmax
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, epoch, from_position, next_position)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
