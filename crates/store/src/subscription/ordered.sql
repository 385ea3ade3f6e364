ORDER BY usage_end, usage_reference, identity
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
