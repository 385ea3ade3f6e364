SELECT partition, epoch, from_position, next_position, stored, rejected, holes
FROM ledger FINAL
WHERE topic = {topic:String}
ORDER BY partition, epoch, from_position, next_position
