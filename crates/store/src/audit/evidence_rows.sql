SELECT
    offset,
    `index`,
    toUnixTimestamp64Milli(record_time) AS record_ms,
    identity_hash,
    content_hash,
    key_hash,
    toUInt64(bitAnd(version, toUInt128(18446744073709551615))) AS version
FROM identities FINAL
WHERE topic = {topic:String} AND partition = {partition:Int32}
    AND offset >= {from_position:Int64} AND offset < {next_position:Int64}
