INSERT INTO identities (identity_hash, topic, partition, offset, index, record_time, content_hash, key_hash, version)
SELECT identity_hash, topic, partition, offset, index, record_time, content_hash, key_hash, version
FROM input('identity_hash UInt64, topic LowCardinality(String), partition Int32, offset Int64, index UInt16,
    record_time DateTime64(3, \'UTC\'), content_hash UInt64, key_hash UInt64, version UInt128')
WHERE (partition, offset) NOT IN {refused:Array(Tuple(Int32, Int64))}
FORMAT Native
