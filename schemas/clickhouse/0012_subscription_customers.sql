-- Which customers the rows of a subscription name, so that all of them are found by the sort key of usage_events.
-- A pair is there before the first row with it. Each process writes a pair about once. A list reads all parts, so old ones
-- are made one.
CREATE TABLE IF NOT EXISTS subscription_customers
(
    subscription String,
    customer     LowCardinality(String) COMMENT 'empty: there are rows that name none'
)
ENGINE = ReplacingMergeTree
ORDER BY (subscription, customer)
SETTINGS
    index_granularity = 256,
    min_age_to_force_merge_seconds = 600,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
