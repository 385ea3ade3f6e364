-- What the contenders beside Meterhouse fill.
CREATE TABLE t
(
    event_id     String,
    customer     LowCardinality(String),
    subscription String,
    option_code  LowCardinality(String),
    usage_start  DateTime64(3, 'UTC'),
    usage_end    DateTime64(3, 'UTC'),
    units        Decimal(38, 18),
    description  String,
    _topic       LowCardinality(String),
    _partition   UInt16,
    _offset      UInt64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(usage_end)
ORDER BY (customer, toDate(usage_end), option_code, event_id)
