-- What each partition's newest epoch accounts for. Ranges that overlap count as often as they were read.
SELECT
    partition,
    epoch,
    min(from_position) AS beginning,
    argMin(note, (from_position, next_position)) AS note,
    sum(ledger.stored) AS stored,
    sum(ledger.rejected) AS rejected,
    sum(ledger.holes) AS holes,
    sum(ledger.amended) AS amended,
    sum(ledger.deleted) AS deleted,
    toUnixTimestamp64Milli(argMax(last_record_time, (ledger.last_record_offset, next_position))) AS last_record_ms,
    max(ledger.last_record_offset) AS last_record_offset,
    toUnixTimestamp64Milli(max(written_at)) AS written_at_ms
FROM ledger FINAL
WHERE topic = {topic:String}
    AND (partition, epoch) IN
    (
        SELECT partition, max(epoch) FROM ledger WHERE topic = {topic:String} GROUP BY partition
    )
GROUP BY partition, epoch
ORDER BY partition
