-- A page of the creations of some identities, in the order of where they were read.
SELECT DISTINCT
    identity_hash,
    toString(topic) AS topic,
    partition,
    offset,
    `index`,
    record_time,
    content_hash,
    key_hash,
    version
FROM identities
WHERE identity_hash IN {hashes:Array(UInt64)}
    AND version < bitShiftLeft(toUInt128(1), 126)
    AND (identity_hash, identities.topic, partition, offset, `index`, record_time)
        > ({hash:UInt64}, {topic:String}, {partition:Int32}, {offset:Int64}, {index:UInt16},
           fromUnixTimestamp64Milli({record_time:Int64}, 'UTC'))
ORDER BY identity_hash, identities.topic, partition, offset, `index`, record_time
LIMIT {limit:UInt64}
SETTINGS final = 0
