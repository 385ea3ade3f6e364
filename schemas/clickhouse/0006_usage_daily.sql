-- Sums by day, recomputed from the deduplicated events and never incremented. The unit is a UTC date of a subscription,
-- as in the sort key of usage_events. It has data rows, one header, one mark:
--   mark    `at`: the date got rows at that time, or will within two time limits of an insert
--   header  `at`: when its scan began, `records`: how many data rows it wrote, `mark`: the newest mark that it knew of
--   data    `at`: that of the header that it belongs to, any other one is void
-- A date is clean where the header names the newest mark and its scan began more than a margin later. Any other date is
-- read from usage_events.
CREATE TABLE IF NOT EXISTS usage_daily
(
    customer     LowCardinality(String),
    subscription String,
    date         Date32 COMMENT 'UTC date of billed_at',
    kind         Enum8('mark' = 0, 'header' = 1, 'data' = 2),
    option_code  LowCardinality(String),
    billing_day  Date32 COMMENT 'a UTC date overlaps two at most',
    at           DateTime64(9, 'UTC') COMMENT 'by the clock of this server',
    units        Decimal(76, 18),
    records      UInt64,
    latest_end   DateTime64(6, 'UTC') COMMENT 'latest usage_end',
    mark         DateTime64(9, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (customer, subscription, date, kind, option_code, billing_day)
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
