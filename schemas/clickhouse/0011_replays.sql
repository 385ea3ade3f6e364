-- One row a replay out of quarantine that has ended, and one where it began. What became of each record is in rejects.
CREATE TABLE IF NOT EXISTS replays
(
    replay      UUID,
    started_at  DateTime64(3, 'UTC'),
    ended_at    DateTime64(3, 'UTC') COMMENT '1970: it was interrupted, or is not over',
    filter      String COMMENT 'which rejects it was asked for',
    principal   String COMMENT 'who asked: user and host',
    stored      UInt64 COMMENT 'records',
    duplicates  UInt64 COMMENT 'records that were stored before',
    conflicts   UInt64 COMMENT 'records whose identity other content has',
    rejected    UInt64 COMMENT 'records that are still not usable',
    unavailable UInt64 COMMENT 'records of which quarantine keeps only a part',
    software    String
)
ENGINE = ReplacingMergeTree(ended_at)
ORDER BY (started_at, replay)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1;
