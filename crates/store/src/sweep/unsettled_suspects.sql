-- As unsettled_in_range.sql, of those that writers have named.
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
        FROM suspects
        WHERE seen_at >= now64(3) - toIntervalSecond({seconds:UInt64})
    )
    GROUP BY identity_hash
    HAVING min(key_hash) != max(key_hash)
        OR minIf(content_hash, version < bitShiftLeft(toUInt128(1), 126))
        != maxIf(content_hash, version < bitShiftLeft(toUInt128(1), 126))
)
WHERE (identity_hash, copies, highest) NOT IN
(
    SELECT identity_hash, copies, version
    FROM settlements
    WHERE identity_hash IN
    (
        SELECT identity_hash
        FROM suspects
        WHERE seen_at >= now64(3) - toIntervalSecond({seconds:UInt64})
    )
)
ORDER BY identity_hash
LIMIT {limit:UInt64}
