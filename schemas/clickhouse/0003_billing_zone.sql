-- The billing time zone of this database: the earliest row is the one that counts, for ever.
CREATE TABLE IF NOT EXISTS billing_zone
(
    pinned_at   DateTime64(6, 'UTC') DEFAULT now64(6),
    writer      UUID DEFAULT generateUUIDv4(),
    zone        String COMMENT 'IANA name',
    rules_until DateTime64(6, 'UTC') COMMENT 'up to here the rules of the zone must stay as they were',
    rules_hash  String
)
ENGINE = MergeTree
ORDER BY (pinned_at, writer)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
