-- The beginnings of a topic's partitions, and how far the ranges of each reach.
SELECT partition, epoch, min(from_position) AS beginning, max(next_position) AS reach
FROM ledger
WHERE topic = {topic:String}
GROUP BY partition, epoch
ORDER BY partition, epoch
