-- What a replay is said to have stored, or to have found stored, and what has no evidence of its own. Whether evidence has its
-- row is asked elsewhere.
SELECT topic, partition, offset, `index`
FROM rejects FINAL
WHERE replay_outcome IN ('stored', 'duplicate')
    AND cityHash64(topic, partition, offset) % {slices:UInt64} = {slice:UInt64}
    AND (topic, partition, offset, record_time) NOT IN
    (
        SELECT topic, partition, offset, record_time
        FROM identities
        WHERE (topic, partition, offset, record_time) IN
        (
            SELECT topic, partition, offset, record_time
            FROM rejects
            WHERE replay_outcome IN ('stored', 'duplicate')
                AND cityHash64(topic, partition, offset) % {slices:UInt64} = {slice:UInt64}
        )
    )
ORDER BY topic, partition, offset, `index`
LIMIT {limit:UInt64}
