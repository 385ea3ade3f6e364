-- Records of HTTP requests whose first usage was lately found in conflict. Each may be there twice, until a merge.
SELECT DISTINCT hex(raw) AS value
FROM rejects
WHERE scope = 'event'
    AND reason = 'conflicting_duplicate'
    AND `index` = 0
    AND topic = {topic:String}
    AND rejected_at >= now64(3) - toIntervalSecond({seconds:UInt64})
    AND match(raw, '"Request":"[0-9a-f]{64}"')
LIMIT {limit:UInt64}
SETTINGS final = 0
