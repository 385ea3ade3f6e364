-- Marks in the order of their time: where the rollup's worker has to look. Its newest one is also the clock of all marks,
-- which never runs back. The partitioning keeps that newest time in the table's metadata. As in identities, merges wait.
CREATE TABLE IF NOT EXISTS touched
(
    at           DateTime64(9, 'UTC'),
    customer     LowCardinality(String),
    subscription String,
    date         Date32
)
ENGINE = MergeTree
PARTITION BY toDate(at)
ORDER BY at
TTL toDateTime(at) + INTERVAL 7 DAY
SETTINGS
    merge_selector_base = 20,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
