SELECT toString(topic) AS topic, partition, offset, record_time, `index`, toString(replay_outcome) AS replay_outcome
FROM rejects FINAL
WHERE scope = 'event' AND (topic, partition, offset, record_time, `index`) IN
(
    SELECT copy.1, copy.2, copy.3, fromUnixTimestamp64Milli(copy.4, 'UTC'), copy.5
    FROM
    (
        SELECT arrayJoin(arrayZip(
            {topics:Array(String)}, {partitions:Array(Int32)}, {offsets:Array(Int64)}, {times:Array(Int64)},
            {indexes:Array(Int32)})) AS copy
    )
)
