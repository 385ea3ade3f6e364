-- Whether all of these identities still have these winning creations, now.
SELECT count() = length({hashes:Array(UInt64)})
FROM
(
    SELECT identity_hash, max(version) AS winner
    FROM identities
    WHERE identity_hash IN {hashes:Array(UInt64)} AND version < bitShiftLeft(toUInt128(1), 126)
    GROUP BY identity_hash
)
WHERE (identity_hash, winner) IN
(
    SELECT pair.1, pair.2
    FROM (SELECT arrayJoin(arrayZip({hashes:Array(UInt64)}, {winners:Array(UInt128)})) AS pair)
)
