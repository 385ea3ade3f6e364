-- First those that differ at all, by two aggregates that need no memory of the copies: a copy that is there twice until
-- ClickHouse has merged it changes neither. Then the exact state of these few. Versions from 2^126 on are changes.
SELECT identity_hash, copies, highest
FROM
(
    SELECT
        identity_hash,
        uniqExact(topic, version, record_time, content_hash, key_hash) AS copies,
        max(version) AS highest
    FROM identities
    WHERE identity_hash IN
    (
        SELECT identity_hash
        FROM identities
        WHERE identity_hash BETWEEN {first:UInt64} AND {last:UInt64}
        GROUP BY identity_hash
        HAVING min(key_hash) != max(key_hash)
            OR minIf(content_hash, version < bitShiftLeft(toUInt128(1), 126))
            != maxIf(content_hash, version < bitShiftLeft(toUInt128(1), 126))
    )
    GROUP BY identity_hash
)
WHERE (identity_hash, copies, highest) NOT IN
(
    SELECT identity_hash, copies, version
    FROM settlements
    WHERE identity_hash BETWEEN {first:UInt64} AND {last:UInt64}
)
ORDER BY identity_hash
LIMIT {limit:UInt64}
