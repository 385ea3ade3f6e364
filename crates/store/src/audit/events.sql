-- The rows that count, with the hashes that their evidence must have: see crates/store/src/hash.rs.
WITH if(revision = 0 AND `index` = 0, extract(origin, '"Request":"([0-9a-f]{64})"'), '') AS request
SELECT
    xxh3(concat(
        reinterpretAsFixedString(toUInt64(length(subscription))), subscription,
        reinterpretAsFixedString(toUInt64(length(identity))), identity)) AS identity_hash,
    version AS row_version,
    (
        xxh3(concat(
            reinterpretAsFixedString(xxh3(toString(customer))),
            reinterpretAsFixedString(xxh3(toString(option_code))),
            reinterpretAsFixedString(toUnixTimestamp64Micro(usage_start)),
            reinterpretAsFixedString(toUnixTimestamp64Micro(usage_end)),
            reinterpretAsFixedString(reinterpret(units, 'Int128')),
            reinterpretAsFixedString(xxh3(description)),
            reinterpretAsFixedString(renewal_order_reference),
            reinterpretAsFixedString(toUInt64(revision) * 2 + is_deleted),
            if(request = '', '', reinterpretAsFixedString(xxh3(request))))),
        xxh3(concat(
            reinterpretAsFixedString(xxh3(toString(customer))),
            reinterpretAsFixedString(toUInt64(reinterpret(toInt32(toDate32(billed_at)), 'UInt32'))),
            reinterpretAsFixedString(xxh3(toString(option_code))),
            reinterpretAsFixedString(xxh3(subscription)),
            reinterpretAsFixedString(xxh3(identity)))),
        topic, partition, offset, `index`, record_time
    ) AS row,
    subscription,
    identity
FROM usage_events FINAL
WHERE usage_reference % {slices:UInt64} = {slice:UInt64}
    AND usage_reference NOT IN ({under_way})
    AND identity_hash NOT IN
    (
        SELECT identity_hash
        FROM identities
        WHERE topic = {topic:String}
            AND offset >= transform(partition, {partitions:Array(Int32)}, {ends:Array(Int64)}, 0)
    )
