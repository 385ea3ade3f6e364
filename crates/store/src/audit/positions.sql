-- What each position of a partition is, as runs of neighbours that are the same: 0 stored, 1 rejected, 2 both.
-- A conflicting copy is an event with evidence, and in quarantine besides: it is stored. A record that a replay has
-- stored is one that was rejected when the ledger was written.
SELECT class, min(offset) AS from_position, max(offset) + 1 AS next_position
FROM
(
    SELECT offset, class, offset - row_number() OVER (PARTITION BY class ORDER BY offset) AS run
    FROM
    (
        SELECT
            offset,
            toUInt8(multiIf(NOT max(is_event), 1, max(is_replayed), 1, max(is_open), 2, 0)) AS class
        FROM
        (
            SELECT offset, 1 AS is_event, 0 AS is_replayed, 0 AS is_open
            FROM identities
            WHERE topic = {topic:String} AND partition = {partition:Int32}
                AND offset >= {from_position:Int64} AND offset < {next_position:Int64}
            UNION ALL
            SELECT
                offset,
                0,
                reason != 'conflicting_duplicate' AND replay_outcome IN ('stored', 'duplicate'),
                reason != 'conflicting_duplicate' AND replay_outcome NOT IN ('stored', 'duplicate')
            FROM rejects FINAL
            WHERE topic = {topic:String} AND partition = {partition:Int32}
                AND offset >= {from_position:Int64} AND offset < {next_position:Int64}
        )
        GROUP BY offset
    )
)
GROUP BY class, run
ORDER BY class, from_position
