-- Every creation is the one that counts of its identity, an equal copy of that, or a conflict.
SELECT
    sum(copies) AS creations,
    count() AS identities,
    sum(toUInt64(equal - 1)) AS duplicates,
    sum(toUInt64(copies - equal)) AS conflicts
FROM
(
    SELECT length(contents) AS copies, arrayCount(content -> content = winner, contents) AS equal
    FROM
    (
        SELECT groupArray(content_hash) AS contents, argMax(content_hash, version) AS winner
        FROM identities FINAL
        WHERE version < bitShiftLeft(toUInt128(1), 126)
        GROUP BY identity_hash
    )
)
