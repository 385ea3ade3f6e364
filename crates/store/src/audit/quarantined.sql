-- Positions that are in quarantine and have no evidence: what was read there is not stored.
SELECT DISTINCT offset
FROM rejects FINAL
WHERE topic = {topic:String} AND partition = {partition:Int32}
    AND offset >= {from_position:Int64} AND offset < {next_position:Int64}
    AND offset NOT IN
    (
        SELECT offset
        FROM identities
        WHERE topic = {topic:String} AND partition = {partition:Int32}
            AND offset >= {from_position:Int64} AND offset < {next_position:Int64}
    )
