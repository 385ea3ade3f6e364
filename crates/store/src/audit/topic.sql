SELECT
    intDiv(offset, {block:Int64}) AS block,
    count() AS events,
    sum(identity_hash) AS identity,
    sum(content_hash) AS content,
    sum(key_hash) AS key,
    sum(toUInt64(bitAnd(version, toUInt128(18446744073709551615)))) AS version
FROM identities FINAL
WHERE topic = {topic:String} AND partition = {partition:Int32}
    AND offset >= {from_position:Int64} AND offset < {next_position:Int64}
GROUP BY block
ORDER BY block
