-- Of each key of an identity the creation and the change that win there: what else is there decides nothing. A copy may be
-- there twice until ClickHouse has merged it.
SELECT
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
ORDER BY version DESC, record_time, content_hash, topic
LIMIT 1 BY identity_hash, key_hash, version < bitShiftLeft(toUInt128(1), 126)
SETTINGS final = 0
