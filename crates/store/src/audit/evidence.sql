-- The winning copy of each identity, by the evidence. Copies that the ledger does not account for yet may be on their
-- way into one table and not be in the other: their identities are left out, here as there.
SELECT
    identity_hash,
    max(version) AS row_version,
    argMax((content_hash, key_hash, topic, partition, offset, `index`, record_time), version) AS row
FROM identities
WHERE greatest(bitAnd(identity_hash, 0x1FFFFFFFFFFFFF), 1) % {slices:UInt64} = {slice:UInt64}
    AND greatest(bitAnd(identity_hash, 0x1FFFFFFFFFFFFF), 1) NOT IN ({under_way})
GROUP BY identity_hash
HAVING NOT (bitAnd(bitShiftRight(row_version, 126), 1) = 1 AND bitAnd(bitShiftRight(row_version, 80), 1) = 1)
    AND max(topic = {topic:String} AND offset >= transform(partition, {partitions:Array(Int32)}, {ends:Array(Int64)}, 0)) = 0
