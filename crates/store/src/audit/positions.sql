-- What each position of a partition may be, as runs of neighbours that are the same. The class is made of bits: 1 a record that
-- is stored, 2 one that was rejected when it was read, 4 there is a record for each epoch that has read the position, 8 all of
-- its records were rejected, and replays have stored them since.
-- Both 1 and 2: it was read again under other rules, or a replay has stored it, to its end or not. The ledger may count either:
-- whoever rejected it may have died before its ledger row, and the next reader may have stored it, also where a replay found
-- that copy later.
-- A position that several epochs have read may hold a record of each log, known by their times: which is whose cannot be told.
-- A conflicting copy is an event with evidence, and in quarantine besides: it is stored.
SELECT class, min(offset) AS from_position, max(offset) + 1 AS next_position
FROM
(
    SELECT offset, class, offset - row_number() OVER (PARTITION BY class ORDER BY offset) AS run
    FROM
    (
        SELECT
            offset,
            arrayCount((a, b) -> a <= offset AND offset < b, {beginnings:Array(Int64)}, {reaches:Array(Int64)}) AS epochs,
            max(is_event) AS is_stored,
            max(NOT is_event OR is_replayed OR is_open) AS is_rejected,
            min(is_event AND is_replayed AND NOT is_open) AS all_replayed,
            toUInt8(is_stored + 2 * is_rejected + 4 * (count() >= epochs) + 8 * all_replayed) AS class
        FROM
        (
            SELECT
                offset,
                record_time,
                max(event) AS is_event,
                max(replayed) AS is_replayed,
                max(open) AS is_open
            FROM
            (
                SELECT offset, record_time, 1 AS event, 0 AS replayed, 0 AS open
                FROM identities
                WHERE topic = {topic:String} AND partition = {partition:Int32}
                    AND offset >= {from_position:Int64} AND offset < {next_position:Int64}
                UNION ALL
                SELECT
                    offset,
                    record_time,
                    0,
                    scope = 'record' AND replay_outcome IN ('stored', 'duplicate'),
                    scope = 'record' AND replay_outcome NOT IN ('stored', 'duplicate')
                FROM rejects FINAL
                WHERE topic = {topic:String} AND partition = {partition:Int32}
                    AND offset >= {from_position:Int64} AND offset < {next_position:Int64}
            )
            GROUP BY offset, record_time
        )
        GROUP BY offset
    )
)
GROUP BY class, run
ORDER BY class, from_position
