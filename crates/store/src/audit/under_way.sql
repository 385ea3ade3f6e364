-- Identities with rows that the ledger does not account for yet, by their usage reference. Their evidence may not be there, and
-- whatever counted before may have given way to them. All rows are asked, not only those that count: a change may be on
-- another key than what it changes.
SELECT usage_reference
FROM usage_events
WHERE usage_reference % {slices:UInt64} = {slice:UInt64}
    AND topic = {topic:String}
    AND offset >= transform(partition, {partitions:Array(Int32)}, {ends:Array(Int64)}, 0)
