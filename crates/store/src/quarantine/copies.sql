SELECT
    identity_hash,
    toString(topic) AS topic_name,
    partition,
    offset,
    index,
    toUnixTimestamp64Milli(record_time) AS record_time_ms,
    content_hash,
    version
FROM identities
WHERE identity_hash IN {identities:Array(UInt64)}
ORDER BY version DESC
-- Enough to tell the winner, and whether there is an equal copy somewhere else.
LIMIT 10 BY identity_hash, content_hash
