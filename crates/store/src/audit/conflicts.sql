-- Creations with other content than the one that counts, which are not in quarantine.
SELECT topic, partition, offset, `index`
FROM identities FINAL
INNER JOIN
(
    SELECT identity_hash, argMax(content_hash, version) AS content
    FROM identities
    WHERE version < bitShiftLeft(toUInt128(1), 126)
        AND greatest(bitAnd(identity_hash, 0x1FFFFFFFFFFFFF), 1) % {slices:UInt64} = {slice:UInt64}
    GROUP BY identity_hash
    HAVING min(content_hash) != max(content_hash)
) AS winners USING identity_hash
WHERE version < bitShiftLeft(toUInt128(1), 126) AND content_hash != winners.content
    AND (topic, partition, offset, toInt32(`index`), record_time) NOT IN
    (
        SELECT topic, partition, offset, `index`, record_time
        FROM rejects FINAL
        WHERE reason = 'conflicting_duplicate'
    )
ORDER BY topic, partition, offset, `index`
LIMIT {limit:UInt64}
