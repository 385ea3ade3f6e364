INSERT INTO usage_events
(
    customer, subscription, option_code, identity, usage_start, usage_end, billed_at, billing_day, units, description,
    renewal_order_reference, usage_reference, revision, topic, partition, offset, index, record_time, origin, version,
    is_deleted
)
SELECT
    customer, subscription, option_code, identity, usage_start, usage_end, billed_at, billing_day, units, description,
    renewal_order_reference, usage_reference, revision, topic, partition, offset, index, record_time, origin, version,
    is_deleted
FROM input('customer LowCardinality(String), subscription String, option_code LowCardinality(String), identity String,
    usage_start DateTime64(6, \'UTC\'), usage_end DateTime64(6, \'UTC\'), billed_at DateTime64(6, \'UTC\'),
    billing_day Date32, units Decimal(38, 18), description String, renewal_order_reference UInt64, usage_reference UInt64,
    revision UInt32, topic LowCardinality(String), partition Int32, offset Int64, index UInt16,
    record_time DateTime64(3, \'UTC\'), origin String, version UInt128, is_deleted UInt8')
WHERE (partition, offset) >= ({first_partition:Int32}, {first_offset:Int64})
  AND (partition, offset) <= ({last_partition:Int32}, {last_offset:Int64})
FORMAT Native
