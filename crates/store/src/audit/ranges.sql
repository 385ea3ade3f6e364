-- The ranges of an epoch that end behind a position, in the order of the key, some at a time. A range that was written twice
-- comes twice.
SELECT from_position, next_position, stored, rejected, holes
FROM ledger
WHERE topic = {topic:String} AND partition = {partition:Int32} AND epoch = {epoch:UInt32}
    AND next_position > {position:Int64}
    AND from_position >= {after_from:Int64}
    AND (from_position, next_position) > ({after_from:Int64}, {after_next:Int64})
ORDER BY from_position, next_position
LIMIT {limit:UInt64}
