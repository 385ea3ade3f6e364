-- Which shard is which: each holds the row with its number. Where servers of a cluster have changed places, or one came back
-- without its data, rows of one event would be on two of them, and it would count twice.
CREATE TABLE IF NOT EXISTS shards
(
    number UInt32 COMMENT 'from 0 on, in the order of the cluster'
)
ENGINE = ReplacingMergeTree
ORDER BY number
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
