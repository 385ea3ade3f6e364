SELECT
    identity_hash,
    toString(topic) AS topic,
    partition,
    offset,
    index,
    record_time,
    content_hash,
    key_hash,
    version
FROM identities
WHERE identity_hash IN {identities:Array(UInt64)}
ORDER BY version DESC
-- Enough to tell the winner, and whether there is an equal copy somewhere else.
LIMIT 10 BY identity_hash, content_hash
