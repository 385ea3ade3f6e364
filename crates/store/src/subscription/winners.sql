-- The highest versions of identities below another one.
SELECT identity_hash, max(version) AS highest, argMax(content_hash, version) AS content
FROM identities
WHERE identity_hash IN {identities:Array(UInt64)} AND version < {below:UInt128}
GROUP BY identity_hash
SETTINGS final = 0
