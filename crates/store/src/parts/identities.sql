INSERT INTO identities (identity_hash, topic, version, record_time, content_hash, key_hash)
SELECT identity_hash, topic, version, record_time, content_hash, key_hash
FROM input('identity_hash UInt64, topic LowCardinality(String), version UInt128, record_time DateTime64(3, \'UTC\'),
    content_hash UInt64, key_hash UInt64')
WHERE (
    toInt32(bitAnd(bitShiftRight(bitNot(version), 60), 0xFFFFF)),
    toInt64(bitAnd(bitShiftRight(bitNot(version), 10), 0x3FFFFFFFFFFFF))
) NOT IN {refused:Array(Tuple(Int32, Int64))}
FORMAT Native
