    length(raw) AS raw_bytes
