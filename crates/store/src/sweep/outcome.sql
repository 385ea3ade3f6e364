-- The row as it is, with an outcome that stands above all that it had before.
INSERT INTO rejects
    (topic, partition, offset, record_time, `index`, scope, has_timestamp, reason, first_reason, detail, record_key,
     headers, raw, raw_length, raw_sha256, rejected_at, replayed_at, replay_outcome)
SELECT
    old.topic,
    old.partition,
    old.offset,
    old.record_time,
    old.`index`,
    old.scope,
    old.has_timestamp,
    old.reason,
    old.first_reason,
    old.detail,
    old.record_key,
    old.headers,
    old.raw,
    old.raw_length,
    old.raw_sha256,
    old.rejected_at,
    greatest(now64(3), old.replayed_at + toIntervalMillisecond(1)),
    {outcome:String}
FROM rejects AS old FINAL
WHERE old.scope = 'event' AND (old.topic, old.partition, old.offset, old.record_time, old.`index`) IN
(
    SELECT copy.1, copy.2, copy.3, fromUnixTimestamp64Milli(copy.4, 'UTC'), copy.5
    FROM
    (
        SELECT arrayJoin(arrayZip(
            {topics:Array(String)}, {partitions:Array(Int32)}, {offsets:Array(Int64)}, {times:Array(Int64)},
            {indexes:Array(Int32)})) AS copy
    )
)
    AND
