-- The ranges of an epoch that end at a position or behind it, in order.
SELECT
    from_position,
    next_position,
    last_record_offset,
    toUnixTimestamp64Milli(last_record_time) AS last_record_ms,
    last_record_hash,
    topic_id
FROM ledger
WHERE topic = {topic:String} AND partition = {partition:Int32} AND epoch = {epoch:UInt32}
    AND next_position >= {position:Int64}
ORDER BY from_position, next_position
