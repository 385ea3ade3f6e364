INSERT INTO replays
(
    replay, started_at, ended_at, filter, principal, stored, duplicates, conflicts, rejected, unavailable, software
)
SELECT
    {replay:UUID}, fromUnixTimestamp64Milli({started_at:Int64}), if({has_ended:Bool}, now64(3), toDateTime64(0, 3)),
    {filter:String}, {principal:String}, {stored:UInt64}, {duplicates:UInt64}, {conflicts:UInt64}, {rejected:UInt64},
    {unavailable:UInt64}, {software:String}
