
-- Rows of the sweep itself have the winner's coordinates, and take an event away: no creation does.
FROM usage_events
WHERE usage_reference = {reference:UInt64}
    AND is_deleted = 0
    AND usage_events.topic = {topic:String}
    AND partition = {partition:Int32}
    AND offset = {offset:Int64}
    AND `index` = {index:UInt16}
    AND record_time = fromUnixTimestamp64Milli({record_time:Int64}, 'UTC')
LIMIT 1
SETTINGS final = 0
