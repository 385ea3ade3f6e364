-- Identities of which a writer has just seen copies that differ: the next sweep looks at them first.
CREATE TABLE IF NOT EXISTS suspects
(
    identity_hash UInt64,
    seen_at       DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (seen_at, identity_hash)
TTL toDateTime(seen_at) + INTERVAL 7 DAY
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
