CREATE DATABASE IF NOT EXISTS `meterhouse` ON CLUSTER 'prod';

CREATE TABLE IF NOT EXISTS shards_shard ON CLUSTER 'prod'
(
    number UInt32 COMMENT 'from 0 on, in the order of the cluster'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY number
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS shards ON CLUSTER 'prod' AS shards_shard
ENGINE = Distributed('prod', 'meterhouse', 'shards_shard', number % 3);

CREATE TABLE IF NOT EXISTS schema_migrations ON CLUSTER 'prod'
(
    name       String,
    sha256     String COMMENT 'of the file, in hex',
    software   String COMMENT 'version of the program that applied it',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{database}/{table}', '{shard}-{replica}')
ORDER BY (name, applied_at)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS usage_events_shard ON CLUSTER 'prod'
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
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version, is_deleted)
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

CREATE TABLE IF NOT EXISTS usage_events ON CLUSTER 'prod' AS usage_events_shard
ENGINE = Distributed('prod', 'meterhouse', 'usage_events_shard', sipHash64(subscription) % 3);

CREATE TABLE IF NOT EXISTS rejects_shard ON CLUSTER 'prod'
(
    topic          LowCardinality(String),
    partition      Int32,
    offset         Int64,
    record_time    DateTime64(3, 'UTC') COMMENT 'timestamp of the Kafka record, 1970 where it has none',
    `index`        Int32 COMMENT 'of the event at fault in its record, -1 for the whole record',
    scope          Enum8('record' = 0, 'event' = 1) COMMENT 'what is not stored: the record with all its events, or the one event',
    has_timestamp  Bool DEFAULT true COMMENT 'whether the Kafka record has a timestamp',
    reason         LowCardinality(String),
    first_reason   LowCardinality(String) DEFAULT reason COMMENT 'reason before the first replay',
    detail         String,
    record_key     String,
    headers        Array(Tuple(name String, value String)),
    raw            String COMMENT 'value of the record, or the first 64 KiB of one that is too large',
    raw_length     UInt64 COMMENT 'length of the whole value',
    raw_sha256     FixedString(32) COMMENT 'hash of the whole value',
    rejected_at    DateTime64(3, 'UTC') DEFAULT now64(3),
    replayed_at    DateTime64(3, 'UTC') COMMENT '1970 where it was not replayed',
    replay_outcome LowCardinality(String) COMMENT 'stored, duplicate, conflict, rejected or unavailable, empty where it was not replayed',
    standing       UInt64 MATERIALIZED toUnixTimestamp64Milli(replayed_at) + bitShiftLeft(toUInt64(scope = 'record' AND replay_outcome IN ('stored', 'duplicate')), 60)
                          COMMENT 'of the rows of one reject the one with the highest counts'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', standing)
PARTITION BY toYYYYMM(record_time)
ORDER BY (topic, partition, offset, record_time, `index`, scope)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS rejects ON CLUSTER 'prod' AS rejects_shard
ENGINE = Distributed('prod', 'meterhouse', 'rejects_shard', sipHash64(topic, partition, offset) % 3);

CREATE TABLE IF NOT EXISTS billing_zone_shard ON CLUSTER 'prod'
(
    pinned_at   DateTime64(6, 'UTC') DEFAULT now64(6),
    writer      UUID DEFAULT generateUUIDv4(),
    zone        String COMMENT 'IANA name',
    rules_until DateTime64(6, 'UTC') COMMENT 'up to here the rules of the zone must stay as they were',
    rules_hash  String
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (pinned_at, writer)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS billing_zone ON CLUSTER 'prod' AS billing_zone_shard
ENGINE = Distributed('prod', 'meterhouse', 'billing_zone_shard', sipHash64(zone) % 3);

CREATE TABLE IF NOT EXISTS identities_shard ON CLUSTER 'prod'
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
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (identity_hash, topic, version, record_time, content_hash, key_hash)
SETTINGS
    merge_selector_base = 20,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS identities ON CLUSTER 'prod' AS identities_shard
ENGINE = Distributed('prod', 'meterhouse', 'identities_shard', identity_hash % 3);

CREATE TABLE IF NOT EXISTS ledger_shard ON CLUSTER 'prod'
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
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (topic, partition, epoch, from_position, next_position)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS ledger ON CLUSTER 'prod' AS ledger_shard
ENGINE = Distributed('prod', 'meterhouse', 'ledger_shard', sipHash64(topic, partition) % 3);

CREATE TABLE IF NOT EXISTS usage_daily_shard ON CLUSTER 'prod'
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
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', at)
ORDER BY (customer, subscription, date, kind, option_code, billing_day)
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS usage_daily ON CLUSTER 'prod' AS usage_daily_shard
ENGINE = Distributed('prod', 'meterhouse', 'usage_daily_shard', sipHash64(subscription) % 3);

CREATE TABLE IF NOT EXISTS touched_shard ON CLUSTER 'prod'
(
    at           DateTime64(9, 'UTC'),
    customer     LowCardinality(String),
    subscription String,
    date         Date32
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(at)
ORDER BY at
TTL toDateTime(at) + INTERVAL 7 DAY
SETTINGS
    merge_selector_base = 20,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS touched ON CLUSTER 'prod' AS touched_shard
ENGINE = Distributed('prod', 'meterhouse', 'touched_shard', sipHash64(subscription) % 3);

CREATE MATERIALIZED VIEW IF NOT EXISTS touched_by_marks ON CLUSTER 'prod' TO touched_shard AS
SELECT at, customer, subscription, date
FROM usage_daily_shard
WHERE kind = 'mark';

CREATE TABLE IF NOT EXISTS settlements_shard ON CLUSTER 'prod'
(
    identity_hash UInt64,
    copies        UInt64 COMMENT 'how many copies there were',
    version       UInt128 COMMENT 'highest version among them',
    settled_at    DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', settled_at)
ORDER BY (identity_hash, copies, version)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS settlements ON CLUSTER 'prod' AS settlements_shard
ENGINE = Distributed('prod', 'meterhouse', 'settlements_shard', identity_hash % 3);

CREATE TABLE IF NOT EXISTS suspects_shard ON CLUSTER 'prod'
(
    identity_hash UInt64,
    seen_at       DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (seen_at, identity_hash)
TTL toDateTime(seen_at) + INTERVAL 7 DAY
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS suspects ON CLUSTER 'prod' AS suspects_shard
ENGINE = Distributed('prod', 'meterhouse', 'suspects_shard', identity_hash % 3);

CREATE TABLE IF NOT EXISTS replays_shard ON CLUSTER 'prod'
(
    replay      UUID,
    started_at  DateTime64(3, 'UTC'),
    ended_at    DateTime64(3, 'UTC') COMMENT '1970: it was interrupted, or is not over',
    filter      String COMMENT 'which rejects it was asked for',
    principal   String COMMENT 'who asked: user and host',
    stored      UInt64 COMMENT 'records',
    duplicates  UInt64 COMMENT 'records that were stored before',
    conflicts   UInt64 COMMENT 'records whose identity other content has',
    rejected    UInt64 COMMENT 'records that are still not usable',
    unavailable UInt64 COMMENT 'records of which quarantine keeps only a part',
    software    String
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', ended_at)
ORDER BY (started_at, replay)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS replays ON CLUSTER 'prod' AS replays_shard
ENGINE = Distributed('prod', 'meterhouse', 'replays_shard', sipHash64(replay) % 3);

CREATE TABLE IF NOT EXISTS subscription_customers_shard ON CLUSTER 'prod'
(
    subscription String,
    customer     LowCardinality(String) COMMENT 'empty: there are rows that name none'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (subscription, customer)
SETTINGS
    index_granularity = 256,
    min_age_to_force_merge_seconds = 600,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS subscription_customers ON CLUSTER 'prod' AS subscription_customers_shard
ENGINE = Distributed('prod', 'meterhouse', 'subscription_customers_shard', sipHash64(subscription) % 3);

INSERT INTO subscription_customers
SELECT DISTINCT subscription, customer
FROM usage_daily
WHERE kind = 'mark';

ALTER TABLE usage_daily_shard ON CLUSTER 'prod'
    MODIFY SETTING min_bytes_for_wide_part = 1099511627776;

