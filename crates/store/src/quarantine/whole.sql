    -- Texts that need not be UTF-8 come in hex.
    , hex(record_key) AS record_key_hex,
    arrayMap(header -> (hex(header.name), hex(header.value)), headers) AS headers_hex,
    hex(raw) AS raw_hex,
    hex(raw_sha256) AS raw_sha256_hex
FROM rejects FINAL
