-- Where an epoch begins.
SELECT from_position
FROM ledger
WHERE topic = {topic:String} AND partition = {partition:Int32} AND epoch = {epoch:UInt32}
ORDER BY from_position
LIMIT 1
