WHERE partition = {partition:Int32} AND offset = {offset:Int64}
ORDER BY topic_name, record_time_ms, index, is_event
