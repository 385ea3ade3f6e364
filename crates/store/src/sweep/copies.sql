-- A copy may be there twice until ClickHouse has merged it.
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
