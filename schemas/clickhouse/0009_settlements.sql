-- Identities whose copies differ, as they were when somebody last made sure that one of them counts and no other.
CREATE TABLE IF NOT EXISTS settlements
(
    identity_hash UInt64,
    copies        UInt64 COMMENT 'how many copies there were',
    version       UInt128 COMMENT 'highest version among them',
    settled_at    DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(settled_at)
ORDER BY (identity_hash, copies, version)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
