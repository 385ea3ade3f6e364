ORDER BY record_time_ms DESC, topic_name, partition, offset DESC, index, is_event
LIMIT {limit:UInt64}
