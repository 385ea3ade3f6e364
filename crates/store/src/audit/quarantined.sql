-- Records that are in quarantine and have no evidence: what was read there is not stored. Of what a replay has stored, and of a
-- record of which a single event is in quarantine, there must be evidence: without it they are missing, not in quarantine.
SELECT DISTINCT offset, toUnixTimestamp64Milli(record_time) AS record_ms
FROM rejects FINAL
WHERE topic = {topic:String} AND partition = {partition:Int32}
    AND offset >= {from_position:Int64} AND offset < {next_position:Int64}
    AND scope = 'record' AND replay_outcome NOT IN ('stored', 'duplicate')
    AND (offset, record_time) NOT IN
    (
        SELECT offset, record_time
        FROM identities
        WHERE topic = {topic:String} AND partition = {partition:Int32}
            AND offset >= {from_position:Int64} AND offset < {next_position:Int64}
    )
