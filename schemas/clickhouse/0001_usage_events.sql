-- One row a copy of a usage event: FINAL leaves the winning version of each event.
-- Everything in the sort key and the partition follows from the Kafka record alone, so reading a
-- topic again, in any batches, ends in the same state.
-- A part of one batch keeps its columns in one file: one to sync, and one to open for who reads what is not merged yet.
-- A subscription has a handful of rows a month: small granules are less to read for a list of them, and so is a month in one
-- part, which it becomes when nothing was written to it for a day.
CREATE TABLE IF NOT EXISTS usage_events
(
    customer                LowCardinality(String) COMMENT 'as the record names it, else empty: the registry decides when it is read',
    subscription            String,
    option_code             LowCardinality(String),
    identity                String COMMENT 'tagged text: e:<EventId>, c:<CloudEvents source, id, index>, k:<coordinates>',
    usage_start             DateTime64(6, 'UTC'),
    usage_end               DateTime64(6, 'UTC'),
    billed_at               DateTime64(6, 'UTC') COMMENT 'usage_end, less one microsecond where the interval is not empty',
    billing_day             Date32 COMMENT 'local calendar date of billed_at in the billing time zone',
    units                   Decimal(38, 18),
    description             String,
    renewal_order_reference UInt64 COMMENT '0: none',
    usage_reference         UInt64 COMMENT '53-bit hash of subscription and identity',
    revision                UInt32 COMMENT '0: the creation',
    topic                   LowCardinality(String),
    partition               Int32,
    offset                  Int64,
    `index`                 UInt16 COMMENT 'of the event in its record',
    record_time             DateTime64(3, 'UTC') COMMENT 'timestamp of the Kafka record',
    origin                  String COMMENT 'JSON that the API adds to what it writes, else empty',
    version                 UInt128 COMMENT 'order of the copies of one event: the highest wins',
    is_deleted              UInt8,
    event_id                String ALIAS multiIf(
        startsWith(identity, 'e:'), substring(identity, 4 + length(extract(identity, '^e:(\\d+):'))),
        startsWith(identity, 'c:'), extract(substring(identity, 5 + length(extract(identity, '^c:(\\d+):')) + toUInt32OrZero(extract(identity, '^c:(\\d+):'))), '^\\d+:(.*),\\d+$'),
        ''),
    INDEX by_usage_reference usage_reference TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(billed_at)
ORDER BY (customer, subscription, toDate32(billed_at), option_code, identity)
SETTINGS
    index_granularity = 2048,
    min_age_to_force_merge_seconds = 86400,
    min_age_to_force_merge_on_partition_only = 1,
    min_bytes_for_wide_part = 67108864,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
