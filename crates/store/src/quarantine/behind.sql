  AND toUnixTimestamp64Milli(rejected_at) <= {until:Int64}
  AND (record_time_ms, topic_name, partition, offset, index, is_event)
    > ({after_time:Int64}, {after_topic:String}, {after_partition:Int32}, {after_offset:Int64}, {after_index:Int32}, {after_event:Bool})
ORDER BY record_time_ms, topic_name, partition, offset, index, is_event
LIMIT {limit:UInt64}
