WHERE (topic, partition, offset) IN {places:Array(Tuple(String, Int32, Int64))}
