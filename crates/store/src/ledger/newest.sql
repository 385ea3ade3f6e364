-- The last range of the newest epoch. The key is read from its end: this costs as much after years as on the first day.
SELECT epoch, resumed_at
FROM ledger
WHERE topic = {topic:String} AND partition = {partition:Int32}
ORDER BY epoch DESC, from_position DESC, next_position DESC
LIMIT 1
