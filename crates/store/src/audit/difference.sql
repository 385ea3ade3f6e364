SELECT
    hex(identity_hash) AS identity_hash,
    evidence.row_version != 0 AS has_evidence,
    events.row_version != 0 AS has_event,
    evidence.row.4 AS partition,
    evidence.row.5 AS offset,
    events.row.4 AS event_partition,
    events.row.5 AS event_offset,
    events.subscription AS subscription,
    events.identity AS identity
FROM (SELECT * FROM ({evidence}) WHERE identity_hash % {buckets:UInt64} IN {differing:Array(UInt64)}) AS evidence
FULL OUTER JOIN
    (SELECT * FROM ({events}) WHERE identity_hash % {buckets:UInt64} IN {differing:Array(UInt64)}) AS events
    USING identity_hash
WHERE (evidence.row_version, evidence.row) != (events.row_version, events.row)
ORDER BY identity_hash
LIMIT {limit:UInt64}
