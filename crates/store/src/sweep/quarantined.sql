SELECT toString(topic) AS topic, partition, offset, record_time, `index`, toString(replay_outcome) AS replay_outcome
FROM rejects FINAL
WHERE (topic, partition, offset, record_time, `index`) IN
(
    SELECT topic, partition, offset, record_time, toInt32(`index`)
    FROM identities
    WHERE identity_hash IN {hashes:Array(UInt64)}
)
    AND scope = 'event'
