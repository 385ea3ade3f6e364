-- What was applied to this database, and the hash of each file as it was then.
CREATE TABLE IF NOT EXISTS schema_migrations
(
    name       String,
    sha256     String COMMENT 'of the file, in hex',
    software   String COMMENT 'version of the program that applied it',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (name, applied_at)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
